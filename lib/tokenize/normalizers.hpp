// Normalizers: what is done to a text before it is cut into words, each as the reference does it. Chains of them are vectors, in order.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/reference_characters.hpp"
#include "tokenize/aligned_text.hpp"
#include "tokenize/bert_normalizer.hpp"
#include "tokenize/pattern.hpp"
#include "tokenize/precompiled_charsmap.hpp"

namespace inlay::tokenize {

/// Immutable: any number of threads may call one.
class Normalizer {
 public:
  virtual ~Normalizer() = default;

  /// Appends to `edits` what becomes of the text (well-formed UTF-8); false, and nothing, where it stays as it is.
  [[nodiscard]] virtual bool edit(std::string_view text, Edits& edits) const = 0;

  /// Bytes beyond the object itself.
  [[nodiscard]] virtual std::size_t memory() const noexcept { return 0; }

 protected:
  Normalizer() = default;
  Normalizer(const Normalizer&) = delete;
  Normalizer& operator=(const Normalizer&) = delete;
};

using Normalizers = std::vector<std::unique_ptr<const Normalizer>>;

void normalize(const Normalizers& normalizers, AlignedText& text);
/// The same of the text alone.
[[nodiscard]] std::string normalize(const Normalizers& normalizers, std::string_view text);

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

[[nodiscard]] std::unique_ptr<const Normalizer> make_unicode_normalizer(UnicodeForm form);
[[nodiscard]] std::unique_ptr<const Normalizer> make_lowercase();
/// Removes the characters of a class.
[[nodiscard]] std::unique_ptr<const Normalizer> make_remover(text::CharacterClass removed);
[[nodiscard]] std::unique_ptr<const Normalizer> make_strip(bool left, bool right);
[[nodiscard]] std::unique_ptr<const Normalizer> make_prepend(std::string_view prefix);
[[nodiscard]] std::unique_ptr<const Normalizer> make_replace(Pattern pattern, std::string_view content);
/// "Nmt": controls away, and what sentencepiece takes for white space is a space.
[[nodiscard]] std::unique_ptr<const Normalizer> make_nmt();
[[nodiscard]] std::unique_ptr<const Normalizer> make_precompiled(PrecompiledCharsmap charsmap);
/// Each byte as the printable character that byte-level BPE has for it.
[[nodiscard]] std::unique_ptr<const Normalizer> make_byte_level_normalizer();
/// BERT's steps, one after the other.
void append_bert_normalizers(Normalizers& normalizers, const BertOptions& options);

}  // namespace inlay::tokenize
