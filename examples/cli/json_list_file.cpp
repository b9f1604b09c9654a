#include "json_list_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "inlay/error.hpp"

namespace inlay::cli {

JsonListFile::JsonListFile(std::filesystem::path target) : target_(std::move(target)) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(target_, error);
  if (fs::is_directory(status)) throw Error(Status::io_error, fmt::format("cannot write {}: it is a folder", target_.string()));
  if (const fs::path linked = fs::canonical(target_, error); !error) target_ = linked;
  in_place_ = fs::exists(status) && !fs::is_regular_file(status);
  temporary_ = target_;
  if (!in_place_) temporary_ += fmt::format(".{}.tmp", ::getpid());
  errno = 0;
  stream_.open(temporary_, std::ios::binary | std::ios::trunc);
  stream_ << "[";
  check();
}

JsonListFile::~JsonListFile() {
  if (committed_ || in_place_) return;
  stream_.close();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void JsonListFile::append(std::string_view json) {
  stream_ << (std::exchange(empty_, false) ? "\n" : ",\n") << json;
  check();
}

void JsonListFile::commit() {
  stream_ << (empty_ ? "]\n" : "\n]\n");
  stream_.close();
  check();
  committed_ = in_place_;
  if (in_place_) return;
  std::error_code error;
  std::filesystem::rename(temporary_, target_, error);
  if (error) throw Error(Status::io_error, fmt::format("cannot write {}: {}", target_.string(), error.message()));
  committed_ = true;
}

void JsonListFile::check() {
  if (stream_.good()) return;
  const int error = errno;
  throw Error(Status::io_error,
              fmt::format("cannot write {}: {}", target_.string(), error == 0 ? "the write failed" : std::strerror(error)));
}

}  // namespace inlay::cli
