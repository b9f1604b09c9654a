#include "tokenize/added_tokens.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "inlay/error.hpp"
#include "text/reference_characters.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {

TokenMatcher::TokenMatcher(std::vector<Pattern> patterns) {
  std::erase_if(patterns, [](const Pattern& pattern) { return pattern.text.empty(); });
  std::ranges::stable_sort(patterns, {}, &Pattern::text);
  // Keeps the first of equal ones.
  const auto same_text = [](const Pattern& left, const Pattern& right) { return left.text == right.text; };
  patterns.erase(std::unique(patterns.begin(), patterns.end(), same_text), patterns.end());
  patterns_ = std::move(patterns);

  std::vector<ByteTrie::Key> keys;
  for (std::size_t index = 0; index < patterns_.size(); ++index) {
    keys.push_back({patterns_[index].text, static_cast<std::uint32_t>(index)});
    begins_[static_cast<unsigned char>(patterns_[index].text[0])] = true;
  }
  if (!keys.empty()) trie_ = ByteTrie(keys);
  if (std::ranges::count(begins_, true) == 1) only_begin_ = static_cast<int>(std::ranges::find(begins_, true) - begins_.begin());
}

std::size_t TokenMatcher::memory() const noexcept {
  std::size_t bytes = trie_.memory() + patterns_.capacity() * sizeof(Pattern);
  for (const Pattern& pattern : patterns_) bytes += pattern.text.capacity();
  return bytes;
}

std::optional<TokenMatcher::Match> TokenMatcher::next_match(std::string_view text, std::size_t position) const noexcept {
  if (patterns_.empty()) return std::nullopt;
  for (; position < text.size(); ++position) {
    if (only_begin_ >= 0) {
      const void* begin = std::memchr(text.data() + position, only_begin_, text.size() - position);
      if (begin == nullptr) return std::nullopt;
      position = static_cast<std::size_t>(static_cast<const char*>(begin) - text.data());
    } else if (!begins_[static_cast<unsigned char>(text[position])]) {
      continue;
    }
    std::optional<Match> longest;
    ByteTrie::Node node = trie_.root();
    for (std::size_t end = position; end < text.size() && trie_.step(node, static_cast<unsigned char>(text[end])); ++end) {
      if (node.value() != ByteTrie::no_value) longest = Match{position, end + 1, &patterns_[node.value()]};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

bool TokenMatcher::touches_word(std::string_view text, const Match& match) noexcept {
  const auto is_word = [](text::DecodedCharacter character) { return (text::character_class(character.code_point) & text::word) != 0; };
  return (match.start > 0 && is_word(text::decode_last_utf8(text.substr(0, match.start)))) ||
         (match.end < text.size() && is_word(text::decode_utf8(text.data() + match.end)));
}

std::size_t TokenMatcher::white_space_before(std::string_view text, std::size_t position) noexcept {
  while (position > 0) {
    const auto character = text::decode_last_utf8(text.substr(0, position));
    if (!(text::character_class(character.code_point) & text::whitespace)) break;
    position -= character.length;
  }
  return position;
}

std::size_t TokenMatcher::white_space_behind(std::string_view text, std::size_t position) noexcept {
  while (position < text.size()) {
    const auto character = text::decode_utf8(text.data() + position);
    if (!(text::character_class(character.code_point) & text::whitespace)) break;
    position += character.length;
  }
  return position;
}

// The reference adds tokens one at a time: a text that comes again takes over the flags of the token with its id, but where it is looked
// for was settled by each time it came, and only by the first if that one was special.
AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary, std::size_t first_new_id,
                         const Normalize& normalize) {
  std::map<std::string_view, TokenId> ids;
  std::map<TokenId, const AddedToken*> by_id;
  std::set<std::string_view> special_texts;
  std::vector<const AddedToken*> special;
  std::vector<const AddedToken*> plain;
  for (const AddedToken& token : tokens) {
    if (token.special && !token.content.empty() && special_texts.insert(token.content).second) special.push_back(&token);
  }
  const auto size = static_cast<TokenId>(first_new_id);
  TokenId largest = -1;
  for (const AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    auto id = vocabulary.find(token.content);
    if (const auto known = ids.find(token.content); known != ids.end()) id = known->second;
    if (!id) id = std::max(largest + 1, size);
    if (*id > Vocabulary::largest_id) throw Error(Status::unsupported, "more than 2^24 tokens");
    largest = std::max(largest, *id);
    ids[token.content] = *id;
    by_id[*id] = &token;
    if (!special_texts.contains(token.content)) plain.push_back(&token);
  }

  std::vector<TokenMatcher::Pattern> raw;
  std::vector<TokenMatcher::Pattern> normalized;
  const auto add_pattern = [&](const AddedToken& token) {
    const TokenId id = ids[token.content];
    const AddedToken& flags = *by_id[id];
    auto& patterns = token.normalized ? normalized : raw;
    patterns.push_back({token.normalized ? normalize(token.content) : token.content, id, flags.single_word, flags.lstrip, flags.rstrip});
  };
  for (const AddedToken* token : special) add_pattern(*token);
  for (const AddedToken* token : plain) add_pattern(*token);
  raw_ = TokenMatcher(std::move(raw));
  normalized_ = TokenMatcher(std::move(normalized));
  for (const auto& [id, token] : by_id) entries_.push_back({id, *token});
}

std::optional<TokenId> AddedTokens::find(std::string_view content) const noexcept {
  const auto found = std::ranges::find(entries_, content, [](const Entry& entry) -> std::string_view { return entry.token.content; });
  if (found == entries_.end()) return std::nullopt;
  return found->id;
}

const AddedTokens::Entry* AddedTokens::entry(TokenId id) const noexcept {
  const auto found = std::ranges::lower_bound(entries_, id, {}, &Entry::id);
  return found == entries_.end() || found->id != id ? nullptr : &*found;
}

std::string_view AddedTokens::text(TokenId id) const noexcept {
  const Entry* found = entry(id);
  return found == nullptr ? std::string_view() : std::string_view(found->token.content);
}

std::size_t AddedTokens::id_limit() const noexcept { return entries_.empty() ? 0 : static_cast<std::size_t>(entries_.back().id) + 1; }

std::size_t AddedTokens::memory() const noexcept {
  std::size_t bytes = raw_.memory() + normalized_.memory() + entries_.capacity() * sizeof(Entry);
  for (const Entry& entry : entries_) bytes += entry.token.content.capacity();
  return bytes;
}

}  // namespace inlay::tokenize
