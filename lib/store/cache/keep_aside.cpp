#include "store/cache/keep_aside.hpp"

#include <fmt/format.h>

#include <system_error>

#include "inlay/error.hpp"
#include "platform/files.hpp"

namespace inlay::store {
namespace {

namespace fs = std::filesystem;

constexpr int most_kept = 100'000;

fs::path with(const fs::path& path, std::string_view suffix) { return fs::path(path).concat(suffix); }

[[noreturn]] void fail(const fs::path& path, const std::error_code& error) {
  throw Error(Status::io_error, fmt::format("cannot keep {} aside: {}", path.string(), platform::system_message(error.value())));
}

fs::path free_name(const fs::path& path, std::string_view reason) {
  for (int number = 1; number < most_kept; ++number) {
    fs::path name = with(path, fmt::format(".{}-{}", reason, number));
    std::error_code error;
    if (fs::symlink_status(name, error).type() == fs::file_type::not_found) return name;
  }
  fail(path, std::make_error_code(std::errc::file_exists));
}

}  // namespace

fs::path move_aside(const fs::path& path, std::string_view reason, std::span<const std::string_view> suffixes) {
  const fs::path name = free_name(path, reason);
  std::error_code error;
  for (const std::string_view suffix : suffixes) {
    fs::rename(with(path, suffix), with(name, suffix), error);
    if (error && error != std::errc::no_such_file_or_directory) fail(path, error);
  }
  fs::rename(path, name, error);
  if (error && error != std::errc::no_such_file_or_directory) fail(path, error);
  return name;
}

fs::path link_aside(const fs::path& path, std::string_view reason) {
  const fs::path name = free_name(path, reason);
  std::error_code error;
  fs::create_hard_link(path, name, error);
  return error ? move_aside(path, reason) : name;  // a file system without links
}

}  // namespace inlay::store
