// PrecompiledCharsmap: the rules of a SentencePiece normaliser (nmt_nfkc and its like), in the form in which models carry them: a double
// array (darts-clone) from texts to positions among replacements that end in NUL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::tokenize {

class PrecompiledCharsmap {
 public:
  /// Throws Error (invalid_model), naming `where`, for rules that are cut short, not UTF-8, or lead out of the array.
  PrecompiledCharsmap(std::string_view bytes, std::string_view where);

  /// What the rules put in the place of a text that begins with one of their keys; of several the shortest counts, as in the reference.
  [[nodiscard]] std::optional<std::string_view> replacement(std::string_view text) const noexcept;

  [[nodiscard]] std::size_t memory() const noexcept { return units_.capacity() * sizeof(units_[0]) + replacements_.capacity(); }

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

/// Throws Error (invalid_model), naming `where`.
[[nodiscard]] std::string decode_base64(std::string_view text, std::string_view where);

}  // namespace inlay::tokenize
