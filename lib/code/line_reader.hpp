// LineReader: the lines of a file or stream of any size, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inlay::code {

class LineReader {
 public:
  /// Fills the buffer; returns how many bytes there were, 0 at the end. What it throws, next throws.
  using Read = std::function<std::size_t(std::span<char>)>;

  explicit LineReader(Read read) : read_(std::move(read)) {}

  /// The next line with the "\n" that ends it, if one does; valid until the next call. Nothing at the end. A byte order mark at the beginning of
  /// the text is left out.
  [[nodiscard]] std::optional<std::string_view> next();

  [[nodiscard]] std::uint64_t bytes_passed() const noexcept { return passed_; }  ///< of the lines that were handed out

 private:
  bool fill();  // false: there is no more

  Read read_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what was not handed out yet
  std::uint64_t passed_ = 0;
  bool ended_ = false;
};

/// A line without its end, which is "\n" or "\r\n".
[[nodiscard]] std::string_view without_end(std::string_view line) noexcept;

}  // namespace inlay::code
