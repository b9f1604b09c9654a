// PipelineTokenizer: added tokens, then a SegmentEncoder, then special tokens around: every kind of tokenizer has this frame.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "inlay/tokenizer.hpp"
#include "tokenize/added_tokens.hpp"
#include "tokenize/segment_encoder.hpp"

namespace inlay::tokenize {

/// What the post-processor puts before and behind a text.
struct SpecialTokens {
  std::vector<TokenId> before;
  std::vector<TokenId> behind;
};

class PipelineTokenizer final : public Tokenizer {
 public:
  PipelineTokenizer(std::unique_ptr<const SegmentEncoder> encoder, AddedTokens added, SpecialTokens special);

  std::size_t encode_into(std::string_view text, std::size_t max_tokens, std::vector<TokenId>& ids) const override;
  [[nodiscard]] std::string_view token(TokenId id) const noexcept override;
  [[nodiscard]] std::size_t vocabulary_size() const noexcept override;
  [[nodiscard]] std::size_t special_tokens() const noexcept override { return special_.before.size() + special_.behind.size(); }
  [[nodiscard]] std::size_t memory() const noexcept override;

 private:
  void encode_segment(std::string_view text, IdSink& sink) const;

  std::unique_ptr<const SegmentEncoder> encoder_;
  AddedTokens added_;
  SpecialTokens special_;
};

}  // namespace inlay::tokenize
