#include "output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "inlay/error.hpp"

namespace inlay::cli {

void write_output(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw OutputClosed();
  throw Error(Status::io_error, fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

void write_error(std::string_view text) noexcept {
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), stderr);
}

void tell(std::string_view line) {
  const char* start = ::isatty(STDERR_FILENO) == 1 ? "\r\033[K" : "";
  write_error(fmt::format("{}{}\n", start, printable(line)));
}

void warn(std::string_view line) { tell(fmt::format("inlay: warning: {}", line)); }

Messages::Messages(LogLevel least) {
  set_log_callback([least](LogLevel level, std::string_view message) {
    if (level < least) return;
    level == LogLevel::warning ? warn(message) : tell(fmt::format("inlay: {}", message));
  });
}

Messages::~Messages() { set_log_callback({}); }

std::string with_commas(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t position = text.size(); position > 3; position -= 3) text.insert(position - 3, 1, ',');
  return text;
}

std::string with_commas(double number) {
  if (number < 10) return fmt::format("{:.1f}", number);
  return with_commas(static_cast<std::size_t>(std::llround(number)));
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(count), noun, count == 1 ? "" : "s");
}

std::string printable(std::string_view text) {
  std::string result(text);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto byte = static_cast<unsigned char>(result[i]);
    const bool c1 = byte == 0xC2 && i + 1 < result.size() && static_cast<unsigned char>(result[i + 1]) < 0xA0;  // U+0080 to U+009F
    if (byte < 0x20 || byte == 0x7F || c1) result[i] = ' ';
    if (c1) result[i + 1] = ' ';
  }
  return result;
}

std::string first_line(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view space = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  std::string_view line = text.substr(begin, text.find_first_of("\r\n", begin) - begin);
  line = line.substr(0, line.find_last_not_of(space) + 1);
  if (line.size() <= max_bytes) return printable(line);
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return printable(line.substr(0, end)) + "…";
}

}  // namespace inlay::cli
