// Pre-tokenizers: how a text is cut into words before a model sees them, each as the reference does it. Chains of them are vectors, in
// order.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/reference_characters.hpp"
#include "tokenize/aligned_text.hpp"
#include "tokenize/pattern.hpp"

namespace inlay::tokenize {

/// Immutable: any number of threads may call one.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  /// Appends the words of a text that is not empty; empty ones do not count.
  virtual void cut(AlignedText text, std::vector<AlignedText>& words) const = 0;

 protected:
  PreTokenizer() = default;
  PreTokenizer(const PreTokenizer&) = delete;
  PreTokenizer& operator=(const PreTokenizer&) = delete;
};

using PreTokenizers = std::vector<std::unique_ptr<const PreTokenizer>>;

/// What becomes of the delimiters that a text is cut at.
enum class Delimiters { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// Where the replaced spaces' sign also stands in front: nowhere, before the text's first word, before every stretch.
enum class PrependScheme { never, first, always };

struct MetaspaceOptions {
  std::string replacement = "\xE2\x96\x81";  // U+2581
  PrependScheme prepend = PrependScheme::always;
  bool split = true;
};

struct ByteLevelOptions {
  bool add_prefix_space = true;
  bool use_regex = true;  ///< cut into GPT-2's words
};

/// At white space, which goes, and around each punctuation.
[[nodiscard]] std::unique_ptr<const PreTokenizer> make_bert_pre_tokenizer();
/// \w+|[^\w\s]+
[[nodiscard]] std::unique_ptr<const PreTokenizer> make_whitespace();
/// At the characters of a class, one by one.
[[nodiscard]] std::unique_ptr<const PreTokenizer> make_class_split(text::CharacterClass delimiter, Delimiters delimiters);
/// So many characters a word; the last one has what is left.
[[nodiscard]] std::unique_ptr<const PreTokenizer> make_fixed_length(std::size_t length);
/// `invert`: the pattern is what a word is, not what stands between words.
[[nodiscard]] std::unique_ptr<const PreTokenizer> make_split(Pattern pattern, Delimiters delimiters, bool invert);
[[nodiscard]] std::unique_ptr<const PreTokenizer> make_metaspace(const MetaspaceOptions& options);
[[nodiscard]] std::unique_ptr<const PreTokenizer> make_byte_level(const ByteLevelOptions& options);

}  // namespace inlay::tokenize
