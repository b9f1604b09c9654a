#include "tokenize/unigram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

Vocabulary make_vocabulary(const std::vector<ScoredToken>& tokens, std::string_view label) {
  std::vector<VocabularyEntry> entries;
  entries.reserve(tokens.size());
  for (const ScoredToken& token : tokens) entries.push_back({token.text, static_cast<std::int64_t>(entries.size())});
  return {std::move(entries), label};
}

}  // namespace

UnigramModel::UnigramModel(const std::vector<ScoredToken>& tokens, std::optional<std::size_t> unknown, bool byte_fallback,
                           std::string_view label)
    : vocabulary_(make_vocabulary(tokens, label)), label_(label) {
  if (unknown && *unknown >= tokens.size()) {
    throw Error(Status::invalid_model, fmt::format("{}: the unknown token is {}, of {} tokens", label, *unknown, tokens.size()));
  }
  if (unknown) unknown_ = static_cast<std::uint32_t>(*unknown);
  vocabulary_.check_lengths(label);
  double lowest = std::numeric_limits<double>::infinity();
  scores_.reserve(tokens.size());
  for (const ScoredToken& token : tokens) {
    scores_.push_back(token.score);
    lowest = std::min(lowest, token.score);
    longest_ = std::max(longest_, token.text.size());
  }
  constexpr double unknown_penalty = 10;
  unknown_score_ = lowest - unknown_penalty;
  if (!byte_fallback) return;
  for (unsigned byte = 0; byte < 256; ++byte) byte_tokens_.push_back(vocabulary_.find(fmt::format("<0x{:02X}>", byte)).value_or(-1));
}

std::size_t UnigramModel::memory() const noexcept {
  return sizeof *this + vocabulary_.memory() + scores_.capacity() * sizeof(scores_[0]) + byte_tokens_.capacity() * sizeof(byte_tokens_[0]);
}

// Viterbi's algorithm. Of ways with the same score the one found first counts, that is, the one whose last token is longest. Scores are
// kept no further than a token reaches, so that a word of any length takes four bytes a position.
void UnigramModel::find_steps(std::string_view word, std::vector<Step>& steps) const {
  steps.assign(word.size() + 1, {});
  const std::size_t mask = std::bit_ceil(std::min(longest_, word.size()) + 1) - 1;
  std::vector<double> scores(mask + 1);
  for (std::size_t begin = 0; begin < word.size();) {
    const double score = scores[begin & mask];
    const std::size_t character = text::decode_utf8(word.data() + begin).length;
    const auto offer = [&](std::size_t end, double candidate, std::uint32_t id) {
      if (steps[end].id != Step::none && !(candidate > scores[end & mask])) return;
      if (id == Step::unknown_character && !unknown_) {
        throw Error(Status::invalid_model, fmt::format("{}: a text needs an unknown token, which the Unigram model has none of", label_));
      }
      scores[end & mask] = candidate;
      steps[end].id = id;
    };
    bool has_character = false;
    ByteTrie::Node node = vocabulary_.trie().root();
    for (std::size_t end = begin; end < word.size() && vocabulary_.trie().step(node, static_cast<unsigned char>(word[end]));) {
      ++end;
      const std::uint32_t id = node.value();
      if (id == ByteTrie::no_value) continue;
      offer(end, scores_[id] + score, id);
      has_character = has_character || end - begin == character;
    }
    if (!has_character) offer(begin + character, unknown_score_ + score, Step::unknown_character);
    begin += character;
  }
}

void UnigramModel::tokenize(std::string_view word, std::vector<ModelToken>& tokens) const {
  std::vector<Step> steps;
  find_steps(word, steps);
  const std::size_t first = tokens.size();
  const auto is_unknown = [this](std::uint32_t id) { return id == Step::unknown_character || (unknown_ && id == *unknown_); };
  // Backwards, and unknown ones side by side are one.
  std::size_t end = word.size();
  while (end > 0) {
    std::size_t begin = end;
    bool unknown = false;
    do {
      const std::uint32_t id = steps[begin].id;
      unknown = is_unknown(id);
      begin -= id == Step::unknown_character ? text::decode_last_utf8(word.substr(0, begin)).length
                                             : vocabulary_.text(static_cast<TokenId>(id)).size();
    } while (unknown && begin > 0 && is_unknown(steps[begin].id));
    push(word, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), tokens);
    end = begin;
  }
  std::reverse(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end());
}

// Tokens are found backwards; so are the bytes of one.
void UnigramModel::push(std::string_view word, std::uint32_t begin, std::uint32_t end, std::vector<ModelToken>& tokens) const {
  const std::string_view text = word.substr(begin, end - begin);
  const auto id = vocabulary_.find(text);  // several unknown characters together can be a token
  const auto is_known = [this](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)] >= 0; };
  if (!id && !byte_tokens_.empty() && std::ranges::all_of(text, is_known)) {
    for (std::size_t index = text.size(); index-- > 0;)
      tokens.push_back({byte_tokens_[static_cast<unsigned char>(text[index])], begin, end});
    return;
  }
  tokens.push_back({id ? *id : static_cast<TokenId>(unknown_.value()), begin, end, true});
}

namespace {

class MetaspaceEncoder final : public SegmentEncoder {
 public:
  MetaspaceEncoder(const TokenModel& model, const Normalizers& normalizers, const MetaspaceOptions& options, bool whitespace_split)
      : model_(model), normalizers_(normalizers), options_(options), whitespace_split_(whitespace_split) {}

  void encode(std::string_view text, IdSink& sink) const override {
    if (normalizers_.empty()) return encode_normalized(text, sink);
    encode_normalized(normalize(text), sink);
  }

  [[nodiscard]] std::string normalize(std::string_view text) const override { return tokenize::normalize(normalizers_, text); }

  void encode_normalized(std::string_view text, IdSink& sink) const override {
    Scratch scratch;
    if (!whitespace_split_) return encode_stretch(text, scratch, sink);
    std::size_t begin = 0;
    for (std::size_t position = 0; position < text.size();) {
      const auto [code_point, length] = text::decode_utf8(text.data() + position);
      if (text::character_class(code_point) & text::whitespace) {
        encode_stretch(text.substr(begin, position - begin), scratch, sink);
        begin = position + length;
      }
      position += length;
    }
    encode_stretch(text.substr(begin), scratch, sink);
  }

  [[nodiscard]] std::size_t memory() const noexcept override { return sizeof *this; }

 private:
  struct Scratch {
    std::string word;
    std::vector<ModelToken> tokens;
  };

  // Each space becomes the sign, which begins a word.
  void encode_stretch(std::string_view text, Scratch& scratch, IdSink& sink) const {
    if (text.empty()) return;
    const std::string& sign = options_.replacement;
    scratch.word.clear();
    if (options_.prepend == PrependScheme::always && !text.starts_with(' ') && !text.starts_with(sign)) scratch.word = sign;
    while (!text.empty()) {
      const bool at_space = text[0] == ' ';
      if (at_space || text.starts_with(sign)) {
        encode_word(scratch, sink);
        scratch.word = sign;
        text.remove_prefix(at_space ? 1 : sign.size());
      }
      std::size_t length = 0;
      while (length < text.size() && text[length] != ' ' && !(text[length] == sign[0] && text.substr(length).starts_with(sign))) ++length;
      scratch.word += text.substr(0, length);
      text.remove_prefix(length);
    }
    encode_word(scratch, sink);
    scratch.word.clear();
  }

  void encode_word(Scratch& scratch, IdSink& sink) const {
    if (scratch.word.empty()) return;
    scratch.tokens.clear();
    model_.tokenize(scratch.word, scratch.tokens);
    for (const ModelToken& token : scratch.tokens) sink.push(token.id);
  }

  const TokenModel& model_;
  const Normalizers& normalizers_;
  MetaspaceOptions options_;
  bool whitespace_split_;
};

}  // namespace

std::unique_ptr<const SegmentEncoder> make_metaspace_encoder(const TokenModel& model, const Normalizers& normalizers,
                                                             const MetaspaceOptions& options, bool whitespace_split) {
  if (!options.split || options.prepend == PrependScheme::first || options.replacement.empty()) return nullptr;
  return std::make_unique<MetaspaceEncoder>(model, normalizers, options, whitespace_split);
}

}  // namespace inlay::tokenize
