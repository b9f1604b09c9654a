// SegmentEncoder: normaliser, pre-tokenizer and model in one, for ids alone: the fast road of a combination that many models have. What it
// gives is what the pipeline of PipelineTokenizer gives, which takes any combination, and offsets too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/tokenizer.hpp"

namespace inlay::tokenize {

/// Where a text's ids go: kept up to a limit, counted beyond it.
class IdSink {
 public:
  /// Appends at most `limit` ids to `ids`.
  IdSink(std::vector<TokenId>& ids, std::size_t limit) : ids_(ids), start_(ids.size()), limit_(limit) {}

  void push(TokenId id) {
    if (count_ < limit_) ids_.push_back(id);
    ++count_;
  }

  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  /// Takes back what was pushed since count() was `count`.
  void rewind(std::size_t count) {
    if (count < limit_) ids_.resize(start_ + count);
    count_ = count;
  }

 private:
  std::vector<TokenId>& ids_;
  std::size_t start_;
  std::size_t limit_;
  std::size_t count_ = 0;
};

/// Immutable: any number of threads may call one. Texts are well-formed UTF-8.
class SegmentEncoder {
 public:
  virtual ~SegmentEncoder() = default;

  /// The ids of a stretch of text between added tokens.
  virtual void encode(std::string_view text, IdSink& sink) const = 0;

  /// Used where added tokens are looked for in normalised text: encode in two steps.
  [[nodiscard]] virtual std::string normalize(std::string_view text) const = 0;
  virtual void encode_normalized(std::string_view text, IdSink& sink) const = 0;

  /// Bytes, the model's not included.
  [[nodiscard]] virtual std::size_t memory() const noexcept = 0;

 protected:
  SegmentEncoder() = default;
  SegmentEncoder(const SegmentEncoder&) = delete;
  SegmentEncoder& operator=(const SegmentEncoder&) = delete;
};

}  // namespace inlay::tokenize
