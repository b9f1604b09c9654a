// PipelineTokenizer: added tokens, normalisers, pre-tokenizers, a model, a post-processor: what every tokenizer consists of.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "inlay/tokenizer.hpp"
#include "tokenize/added_tokens.hpp"
#include "tokenize/normalizers.hpp"
#include "tokenize/post_processor.hpp"
#include "tokenize/pre_tokenizers.hpp"
#include "tokenize/segment_encoder.hpp"
#include "tokenize/token_model.hpp"

namespace inlay::tokenize {

/// What a text goes through between added tokens.
struct Pipeline {
  Normalizers normalizers;
  PreTokenizers pre_tokenizers;
  std::unique_ptr<const TokenModel> model;
  std::unique_ptr<const SegmentEncoder> fast;  ///< the same for ids alone; null where this combination has none. Refers to the others
};

class PipelineTokenizer final : public Tokenizer {
 public:
  PipelineTokenizer(std::unique_ptr<const Pipeline> pipeline, AddedTokens added, PostProcessor post_processor);

  std::size_t encode_into(std::string_view text, std::size_t max_tokens, std::vector<TokenId>& ids) const override;
  [[nodiscard]] Encoding encode_with_offsets(std::string_view text, std::size_t max_tokens) const override;
  [[nodiscard]] std::string_view token(TokenId id) const noexcept override;
  [[nodiscard]] std::size_t vocabulary_size() const noexcept override;
  [[nodiscard]] std::size_t special_tokens() const noexcept override {
    return post_processor_.before().size() + post_processor_.behind().size();
  }
  [[nodiscard]] std::size_t memory() const noexcept override;

 private:
  void check_limit(std::size_t max_tokens) const;
  void encode_fast(std::string_view text, IdSink& sink) const;
  [[nodiscard]] std::vector<PlacedToken> encode_placed(std::string_view text, std::size_t limit, std::size_t& count) const;
  void encode_stretch(AlignedText stretch, std::vector<PlacedToken>& tokens) const;

  std::unique_ptr<const Pipeline> pipeline_;
  AddedTokens added_;
  PostProcessor post_processor_;
};

/// What a normaliser that looks for added tokens in normalised text needs.
[[nodiscard]] inline AddedTokens::Normalize normalize_with(const Normalizers& normalizers) {
  return [&normalizers](std::string_view text) { return normalize(normalizers, text); };
}

}  // namespace inlay::tokenize
