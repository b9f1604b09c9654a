#include "set_output.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <ctime>

#include "commands.hpp"
#include "inlay/error.hpp"

namespace inlay::cli {

namespace fs = std::filesystem;

void check_output(const fs::path& output) {
  std::error_code error;
  const fs::path place = output.has_filename() ? output : output.parent_path();
  const fs::path parent = place.has_parent_path() ? place.parent_path() : fs::path(".");
  fs::create_directories(parent, error);
  const fs::path probe = parent / fmt::format(".{}.{}.probe", place.filename().string(), ::getpid());
  if (!error) fs::create_directory(probe, error);
  if (error) throw Error(Status::io_error, fmt::format("cannot write {}: {}", place.string(), error.message()));
  fs::remove(probe, error);
}

std::string given_time() {
  const char* variable = std::getenv("SOURCE_DATE_EPOCH");
  if (variable == nullptr || *variable == '\0') return {};
  const std::string_view text = variable;
  std::time_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::time_t end_of_time = 253402300799;  // 9999-12-31T23:59:59Z
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0 || seconds > end_of_time)
    throw UsageError(fmt::format("SOURCE_DATE_EPOCH is \"{}\", not a count of seconds", text));
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

}  // namespace inlay::cli
