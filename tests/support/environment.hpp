// What the tests find in their environment, and temporary folders.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace inlay::test {

inline std::optional<std::filesystem::path> folder_from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0' || !std::filesystem::is_directory(value)) return std::nullopt;
  return value;
}

/// The real all-MiniLM-L6-v2, where INLAY_MODEL names it.
inline std::optional<std::filesystem::path> model_folder() { return folder_from_environment("INLAY_MODEL"); }

/// Public test data, where INLAY_DATA names it.
inline std::optional<std::filesystem::path> data_folder() { return folder_from_environment("INLAY_DATA"); }

/// Leaves the test case with a message; Catch2 2 has no skip of its own.
#define INLAY_SKIP_WITHOUT(value, what)   \
  if (!(value)) {                         \
    WARN("skipped: " what " is not set"); \
    return;                               \
  }

/// A new folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> counter{0};
    path_ = std::filesystem::temp_directory_path() / ("inlay_test_" + std::to_string(::getpid()) + "_" + std::to_string(counter++));
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path write(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

inline std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace inlay::test
