// Unigram language model: of all ways to cut a word into tokens, the one whose scores add up to most. Kudo 2018; as implemented by Hugging
// Face tokenizers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenize/normalizers.hpp"
#include "tokenize/pre_tokenizers.hpp"
#include "tokenize/segment_encoder.hpp"
#include "tokenize/token_model.hpp"

namespace inlay::tokenize {

struct ScoredToken {
  std::string_view text;
  double score;  ///< the logarithm of its probability
};

class UnigramModel final : public TokenModel {
 public:
  /// A token's id is its place. `unknown` is one of them; without it tokenize throws Error (invalid_model) for a word that needs it. Throws
  /// Error, naming `label`: invalid_model, or unsupported for a token longer than Vocabulary::longest_searched.
  UnigramModel(const std::vector<ScoredToken>& tokens, std::optional<std::size_t> unknown, bool byte_fallback, std::string_view label);

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override;
  [[nodiscard]] const Vocabulary& vocabulary() const noexcept override { return vocabulary_; }
  [[nodiscard]] std::size_t size() const noexcept override { return scores_.size(); }
  [[nodiscard]] std::size_t memory() const noexcept override;

 private:
  // How the best way to a position gets there: by a token, or by a character that none begins with.
  struct Step {
    std::uint32_t id = none;
    static constexpr std::uint32_t none = 0xFFFFFFFF;
    static constexpr std::uint32_t unknown_character = 0xFFFFFFFE;
  };
  void find_steps(std::string_view word, std::vector<Step>& steps) const;
  void push(std::string_view word, std::uint32_t begin, std::uint32_t end, std::vector<ModelToken>& tokens) const;

  Vocabulary vocabulary_;
  std::vector<double> scores_;
  std::optional<std::uint32_t> unknown_;
  std::string label_;
  double unknown_score_;
  std::size_t longest_ = 4;                // token or character, in bytes
  std::vector<std::int32_t> byte_tokens_;  // "<0x00>" to "<0xFF>", -1 for one that is missing; empty without byte fallback
};

/// ids alone, where the pre-tokenizer is Metaspace, behind WhitespaceSplit or not, cutting, and with nothing that only the text's first
/// word gets. Model and normalisers must outlive it.
[[nodiscard]] std::unique_ptr<const SegmentEncoder> make_metaspace_encoder(const TokenModel& model, const Normalizers& normalizers,
                                                                           const MetaspaceOptions& options, bool whitespace_split);

}  // namespace inlay::tokenize
