#include "tokenize/pipeline_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {

PipelineTokenizer::PipelineTokenizer(std::unique_ptr<const Pipeline> pipeline, AddedTokens added, PostProcessor post_processor)
    : pipeline_(std::move(pipeline)), added_(std::move(added)), post_processor_(std::move(post_processor)) {}

void PipelineTokenizer::check_limit(std::size_t max_tokens) const {
  if (max_tokens >= special_tokens()) return;
  throw Error(Status::invalid_argument,
              fmt::format("at most {} tokens were asked for, but {} special tokens stand around a text", max_tokens, special_tokens()));
}

std::size_t PipelineTokenizer::encode_into(std::string_view text, std::size_t max_tokens, std::vector<TokenId>& ids) const {
  check_limit(max_tokens);
  std::string repaired;
  if (!text::is_valid_utf8(text)) {
    repaired = text::repair_utf8(text).text;
    text = repaired;
  }
  const std::size_t limit = max_tokens - special_tokens();
  const auto add = [&ids](const std::vector<TokenId>& special) { ids.insert(ids.end(), special.begin(), special.end()); };
  std::size_t count = 0;
  if (pipeline_->fast) {
    add(post_processor_.before());
    IdSink sink(ids, limit);
    encode_fast(text, sink);
    count = sink.count();
  } else {
    const std::vector<PlacedToken> tokens = encode_placed(text, limit, count);
    add(post_processor_.before());
    for (const PlacedToken& token : tokens) ids.push_back(token.id);
  }
  add(post_processor_.behind());
  return count + special_tokens();
}

void PipelineTokenizer::encode_fast(std::string_view text, IdSink& sink) const {
  const auto on_token = [&sink](TokenId id, std::string_view) { sink.push(id); };
  const auto on_text = [&](std::string_view segment) {
    if (added_.normalized().empty()) return pipeline_->fast->encode(segment, sink);
    const std::string normalized = pipeline_->fast->normalize(segment);
    added_.normalized().split(
        normalized, [&](std::string_view stretch) { pipeline_->fast->encode_normalized(stretch, sink); }, on_token);
  };
  added_.raw().split(text, on_text, on_token);
}

Encoding PipelineTokenizer::encode_with_offsets(std::string_view text, std::size_t max_tokens) const {
  check_limit(max_tokens);
  text::RepairedText repaired;
  std::string_view well_formed = text;
  const bool is_repaired = !text::is_valid_utf8(text);
  if (is_repaired) {
    repaired = text::repair_utf8(text);
    well_formed = repaired.text;
  }
  Encoding encoding;
  std::vector<PlacedToken> tokens = encode_placed(well_formed, max_tokens - special_tokens(), encoding.tokens_seen);
  encoding.tokens_seen += special_tokens();
  post_processor_.process(well_formed, tokens);
  encoding.ids.reserve(tokens.size());
  encoding.offsets.reserve(tokens.size());
  for (const PlacedToken& token : tokens) {
    encoding.ids.push_back(token.id);
    if (is_repaired) {
      encoding.offsets.push_back({repaired.original(token.range.begin), repaired.original(token.range.end)});
    } else {
      encoding.offsets.push_back({token.range.begin, token.range.end});
    }
  }
  return encoding;
}

// All tokens of a text without the special ones, the first `limit` of them; how many there are goes to `count`.
std::vector<PlacedToken> PipelineTokenizer::encode_placed(std::string_view text, std::size_t limit, std::size_t& count) const {
  if (text.size() > std::numeric_limits<std::uint32_t>::max() / 4) {  // normalised text may be longer
    throw Error(Status::invalid_argument, fmt::format("a text of {} bytes is longer than 1 GB", text.size()));
  }
  std::vector<PlacedToken> tokens;
  const auto on_text = [&](std::string_view segment) {
    AlignedText aligned(segment, static_cast<std::size_t>(segment.data() - text.data()));
    normalize(pipeline_->normalizers, aligned);
    const std::string_view normalized = aligned.text();
    const auto place = [&](std::string_view part) { return static_cast<std::size_t>(part.data() - normalized.data()); };
    added_.normalized().split(
        normalized,
        [&](std::string_view stretch) { encode_stretch(aligned.slice(place(stretch), place(stretch) + stretch.size()), tokens); },
        [&](TokenId id, std::string_view part) {
          tokens.push_back(placed(id, aligned.source(place(part), place(part) + part.size()), part));
        });
  };
  const auto on_token = [&](TokenId id, std::string_view part) {
    const auto begin = static_cast<std::uint32_t>(part.data() - text.data());
    tokens.push_back(placed(id, {begin, begin + static_cast<std::uint32_t>(part.size())}, part));
  };
  added_.raw().split(text, on_text, on_token);
  count = tokens.size();
  if (tokens.size() > limit) tokens.resize(limit);
  return tokens;
}

void PipelineTokenizer::encode_stretch(AlignedText stretch, std::vector<PlacedToken>& tokens) const {
  std::vector<AlignedText> words;
  words.push_back(std::move(stretch));
  std::vector<AlignedText> cut;
  for (const auto& pre_tokenizer : pipeline_->pre_tokenizers) {
    cut.clear();
    for (AlignedText& word : words) pre_tokenizer->cut(std::move(word), cut);
    words.swap(cut);
  }
  std::vector<ModelToken> model_tokens;
  const Vocabulary& vocabulary = pipeline_->model->vocabulary();
  for (const AlignedText& word : words) {
    if (word.empty()) continue;
    model_tokens.clear();
    pipeline_->model->tokenize(word.text(), model_tokens);
    for (const ModelToken& token : model_tokens) {
      const std::string_view text = token.is_text ? word.text().substr(token.begin, token.end - token.begin) : vocabulary.text(token.id);
      tokens.push_back(placed(token.id, word.source(token.begin, token.end), text));
    }
  }
}

std::string_view PipelineTokenizer::token(TokenId id) const noexcept {
  const std::string_view added = added_.text(id);
  return added.empty() ? pipeline_->model->vocabulary().text(id) : added;
}

std::size_t PipelineTokenizer::vocabulary_size() const noexcept {
  return std::max(pipeline_->model->vocabulary().id_limit(), added_.id_limit());
}

std::size_t PipelineTokenizer::memory() const noexcept {
  std::size_t bytes = sizeof *this + pipeline_->model->memory() + added_.memory();
  for (const auto& normalizer : pipeline_->normalizers) bytes += normalizer->memory();
  if (pipeline_->fast) bytes += pipeline_->fast->memory();
  return bytes;
}

}  // namespace inlay::tokenize
