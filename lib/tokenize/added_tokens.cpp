#include "tokenize/added_tokens.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "inlay/error.hpp"
#include "text/reference_characters.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {

TokenMatcher::TokenMatcher(std::vector<Pattern> patterns) {
  std::ranges::stable_sort(patterns, {}, &Pattern::text);
  // Keeps the first of equal ones.
  const auto same_text = [](const Pattern& left, const Pattern& right) { return left.text == right.text; };
  patterns.erase(std::unique(patterns.begin(), patterns.end(), same_text), patterns.end());
  // What a normaliser leaves nothing of, as "\n" behind Strip. Alone it does in ASCII text what it does in the reference, which panics in
  // other text, and with further patterns never ends.
  if (!patterns.empty() && patterns.front().text.empty()) {
    empty_pattern_ = std::move(patterns.front());
    patterns.erase(patterns.begin());
  }
  patterns_ = std::move(patterns);

  if (std::ranges::any_of(patterns_, [](const Pattern& pattern) { return pattern.text.size() > longest_of_short; })) {
    std::vector<std::string_view> texts;
    for (const Pattern& pattern : patterns_) texts.emplace_back(pattern.text);
    automaton_ = AhoCorasick(texts);
    return;
  }
  std::vector<ByteTrie::Key> keys;
  for (std::size_t index = 0; index < patterns_.size(); ++index) {
    keys.push_back({patterns_[index].text, static_cast<std::uint32_t>(index)});
    begins_[static_cast<unsigned char>(patterns_[index].text[0])] = true;
  }
  trie_.emplace(keys);
  if (std::ranges::count(begins_, true) == 1) only_begin_ = static_cast<int>(std::ranges::find(begins_, true) - begins_.begin());
}

std::size_t TokenMatcher::memory() const noexcept {
  std::size_t bytes = (trie_ ? trie_->memory() : 0) + automaton_.memory() + patterns_.capacity() * sizeof(Pattern);
  for (const Pattern& pattern : patterns_) bytes += pattern.text.capacity();
  return bytes;
}

std::optional<TokenMatcher::Match> TokenMatcher::Search::next_of_short(std::size_t position) const noexcept {
  const ByteTrie& trie = *matcher_.trie_;
  for (; position < text_.size(); ++position) {
    if (matcher_.only_begin_ >= 0) {
      const void* begin = std::memchr(text_.data() + position, matcher_.only_begin_, text_.size() - position);
      if (begin == nullptr) return std::nullopt;
      position = static_cast<std::size_t>(static_cast<const char*>(begin) - text_.data());
    } else if (!matcher_.begins_[static_cast<unsigned char>(text_[position])]) {
      continue;
    }
    std::optional<Match> longest;
    ByteTrie::Node node = trie.root();
    for (std::size_t end = position; end < text_.size() && trie.step(node, static_cast<unsigned char>(text_[end])); ++end) {
      if (node.value() != ByteTrie::no_value) longest = Match{position, end + 1, &matcher_.patterns_[node.value()]};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

// A stretch at a time, so that memory does not grow with the text; no shorter than a pattern, which is looked beyond its end for.
std::optional<TokenMatcher::Match> TokenMatcher::Search::next_of_long(std::size_t position) {
  constexpr std::size_t stretch = 65'536;
  for (;;) {
    while (!found_.empty() && found_.back().begin < position) found_.pop_back();
    if (!found_.empty()) {
      const AhoCorasick::Match found = found_.back();
      const Pattern& pattern = matcher_.patterns_[found.index];
      return Match{found.begin, found.begin + pattern.text.size(), &pattern};
    }
    const std::size_t begin = std::max(position, searched_);
    if (begin >= text_.size()) return std::nullopt;
    searched_ = begin + std::min(text_.size() - begin, std::max(stretch, matcher_.automaton_.longest()));
    found_ = matcher_.automaton_.find(text_, begin, searched_);
  }
}

std::size_t TokenMatcher::character_length(std::string_view text, std::size_t position) noexcept {
  return position < text.size() ? text::decode_utf8(text.data() + position).length : 1;
}

bool TokenMatcher::touches_word(std::string_view text, const Match& match) noexcept {
  const auto is_word = [](text::DecodedCharacter character) { return (text::character_class(character.code_point) & text::word) != 0; };
  return (match.start > 0 && is_word(text::decode_last_utf8(text.substr(0, match.start)))) ||
         (match.end < text.size() && is_word(text::decode_utf8(text.data() + match.end)));
}

std::size_t TokenMatcher::white_space_before(std::string_view text, std::size_t position, std::size_t limit) noexcept {
  while (position > limit) {
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

// Of two that the normaliser makes the same the special one counts, else the one that is declared first; the reference's choice is random.
AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary, std::size_t first_new_id,
                         const Normalize& normalize) {
  std::map<std::string_view, TokenId> ids;
  std::map<TokenId, const AddedToken*> by_id;
  std::vector<TokenId> order;
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
    if (by_id.insert_or_assign(*id, &token).second) order.push_back(*id);
  }

  std::vector<TokenMatcher::Pattern> raw;
  std::vector<TokenMatcher::Pattern> normalized;
  for (const bool special : {true, false}) {
    for (const TokenId id : order) {
      const AddedToken& token = *by_id[id];
      if (token.special != special) continue;
      auto& patterns = token.normalized ? normalized : raw;
      patterns.push_back({token.normalized ? normalize(token.content) : token.content, id, token.single_word, token.lstrip, token.rstrip});
    }
  }
  raw_ = TokenMatcher(std::move(raw));
  normalized_ = TokenMatcher(std::move(normalized));
  for (const auto& [id, token] : by_id) entries_.push_back({id, *token});
  ids_.assign(ids.begin(), ids.end());
}

std::optional<TokenId> AddedTokens::find(std::string_view content) const noexcept {
  const auto found = std::ranges::lower_bound(ids_, content, {}, [](const auto& id) -> std::string_view { return id.first; });
  if (found == ids_.end() || found->first != content) return std::nullopt;
  return found->second;
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
  for (const auto& [content, id] : ids_) bytes += sizeof(ids_[0]) + content.capacity();
  return bytes;
}

}  // namespace inlay::tokenize
