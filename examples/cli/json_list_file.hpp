// A JSON list that is written value by value, and takes its file's place when it is whole; what is no regular file (a pipe, /dev/stdout) is
// written as it comes.
#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

namespace inlay::cli {

/// All functions throw Error (io_error) naming the file.
class JsonListFile {
 public:
  explicit JsonListFile(std::filesystem::path target);
  /// Removes what was not committed.
  ~JsonListFile();
  JsonListFile(const JsonListFile&) = delete;
  JsonListFile& operator=(const JsonListFile&) = delete;

  /// One value, as JSON text.
  void append(std::string_view json);
  void commit();

 private:
  void check();

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  std::ofstream stream_;
  bool in_place_ = false;  // a device or a pipe
  bool empty_ = true;
  bool committed_ = false;
};

}  // namespace inlay::cli
