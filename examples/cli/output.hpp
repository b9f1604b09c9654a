// Standard output, and numbers and texts for people.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

#include "inlay/log.hpp"

namespace inlay::cli {

/// The reader of our standard output has gone.
struct OutputClosed : std::exception {};

/// Writes to standard output and flushes it. Throws OutputClosed, or Error (io_error) when it cannot be written (a full disk).
void write_output(std::string_view text);

/// Writes to standard error, if that can be: it may be closed, or a full disk, and the work goes on.
void write_error(std::string_view text) noexcept;

/// A line on standard error, over a progress bar where there is one. `warn` puts "inlay: warning: " in front.
void tell(std::string_view line);
void warn(std::string_view line);

/// While it lives, what the library has to say goes to standard error: warnings, and what else is at least of this level.
class Messages {
 public:
  explicit Messages(LogLevel least);
  ~Messages();
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
};

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string with_commas(std::size_t number);
[[nodiscard]] std::string with_commas(double number);  ///< rounded

/// "1 file", "2 files".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

/// The first line with anything on it, without space at its ends and control characters (a terminal would obey them), at most so many
/// bytes.
[[nodiscard]] std::string first_line(std::string_view text, std::size_t max_bytes = 100);

/// Every control character as a space, so that a text stays on its line.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace inlay::cli
