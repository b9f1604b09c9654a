#include "tokenize/pipeline_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {

PipelineTokenizer::PipelineTokenizer(std::unique_ptr<const SegmentEncoder> encoder, AddedTokens added, SpecialTokens special)
    : encoder_(std::move(encoder)), added_(std::move(added)), special_(std::move(special)) {}

std::size_t PipelineTokenizer::encode_into(std::string_view text, std::size_t max_tokens, std::vector<TokenId>& ids) const {
  if (max_tokens < special_tokens()) {
    throw Error(Status::invalid_argument,
                fmt::format("at most {} tokens were asked for, but {} special tokens stand around a text", max_tokens, special_tokens()));
  }
  std::string repaired;
  if (!text::is_valid_utf8(text)) {
    repaired = text::repair_utf8(text);
    text = repaired;
  }
  ids.insert(ids.end(), special_.before.begin(), special_.before.end());
  IdSink sink(ids, max_tokens - special_tokens());
  added_.raw().split(
      text, [&](std::string_view segment) { encode_segment(segment, sink); }, [&](TokenId id) { sink.push(id); });
  ids.insert(ids.end(), special_.behind.begin(), special_.behind.end());
  return sink.count() + special_tokens();
}

void PipelineTokenizer::encode_segment(std::string_view text, IdSink& sink) const {
  if (added_.normalized().empty()) {
    encoder_->encode(text, sink);
    return;
  }
  const std::string normalized = encoder_->normalize(text);
  added_.normalized().split(
      normalized, [&](std::string_view segment) { encoder_->encode_normalized(segment, sink); }, [&](TokenId id) { sink.push(id); });
}

std::string_view PipelineTokenizer::token(TokenId id) const noexcept {
  const std::string_view added = added_.text(id);
  return added.empty() ? encoder_->vocabulary().text(id) : added;
}

std::size_t PipelineTokenizer::vocabulary_size() const noexcept { return std::max(encoder_->vocabulary().id_limit(), added_.id_limit()); }

std::size_t PipelineTokenizer::memory() const noexcept { return sizeof *this + encoder_->memory() + added_.memory(); }

}  // namespace inlay::tokenize
