// Byte pair encoding: a word's characters, of which again and again the neighbours that were learned first become one token.
// Sennrich, Haddow and Birch 2016; as implemented by Hugging Face tokenizers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenize/pre_tokenizers.hpp"
#include "tokenize/segment_encoder.hpp"
#include "tokenize/token_model.hpp"

namespace inlay::tokenize {

struct BpeOptions {
  std::optional<std::string> unknown_token;  ///< none: characters that the vocabulary lacks are left out
  std::string continuing_prefix;             ///< before every character but a word's first, in the vocabulary
  std::string end_of_word_suffix;            ///< behind a word's last character
  bool fuse_unknown = false;
  bool byte_fallback = false;  ///< "<0x0A>" and its like for the bytes of characters that the vocabulary lacks
  bool ignore_merges = false;  ///< a word that is a token is that token, whatever its merges
};

/// The two texts of each merge, in order of rank.
using Merges = std::vector<std::pair<std::string_view, std::string_view>>;

class BpeModel final : public TokenModel {
 public:
  /// Throws Error (invalid_model), naming `label` and the merge, for one whose parts or result the vocabulary lacks.
  BpeModel(Vocabulary vocabulary, const Merges& merges, BpeOptions options, std::string_view label);

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override;
  [[nodiscard]] const Vocabulary& vocabulary() const noexcept override { return vocabulary_; }
  [[nodiscard]] std::size_t memory() const noexcept override;
  [[nodiscard]] const BpeOptions& options() const noexcept { return options_; }

  struct Symbol {
    std::uint32_t id;
    std::uint32_t length;  ///< bytes of the word
  };
  /// Joins neighbours until no merge is left.
  void merge(std::vector<Symbol>& symbols) const;

 private:
  struct Merge {
    std::uint32_t rank = no_rank;
    std::uint32_t id = 0;
  };
  static constexpr std::uint32_t no_rank = 0xFFFFFFFF;

  // From a pair of ids to what becomes of it: open addressing, at most three quarters full.
  class MergeTable {
   public:
    explicit MergeTable(std::size_t count);
    void insert(std::uint32_t left, std::uint32_t right, Merge merge) noexcept;
    [[nodiscard]] Merge find(std::uint32_t left, std::uint32_t right) const noexcept;
    [[nodiscard]] std::size_t memory() const noexcept { return slots_.capacity() * sizeof(Slot); }

   private:
    struct Slot {
      std::uint64_t pair = empty;
      Merge merge;
    };
    static constexpr std::uint64_t empty = ~std::uint64_t{0};
    [[nodiscard]] std::size_t place(std::uint64_t pair) const noexcept { return (pair * 0x9E3779B97F4A7C15) >> shift_; }
    std::vector<Slot> slots_;
    int shift_;
  };

  [[nodiscard]] std::optional<TokenId> find_character(std::string_view character, bool first, bool last) const;
  bool add_bytes(std::string_view text, std::vector<Symbol>& symbols) const;
  [[nodiscard]] std::uint32_t unknown_id() const;
  void merge_few(std::vector<Symbol>& symbols) const;
  void merge_many(std::vector<Symbol>& symbols) const;

  Vocabulary vocabulary_;
  BpeOptions options_;
  std::string label_;
  MergeTable merges_;
  std::optional<TokenId> unknown_;
  std::array<std::optional<TokenId>, 256> byte_tokens_;  // "<0x00>" to "<0xFF>"
};

/// ids alone, for a model whose only pre-tokenizer is ByteLevel and that has no normaliser; null where its vocabulary is not fit for it:
/// one that lacks a byte, has prefixes or suffixes, or several texts with one id. The model must outlive it.
[[nodiscard]] std::unique_ptr<const SegmentEncoder> make_byte_level_encoder(const BpeModel& model, const ByteLevelOptions& options);

}  // namespace inlay::tokenize
