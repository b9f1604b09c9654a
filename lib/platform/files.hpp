// Files: mapping, reading, atomic replacement. The calls that differ between systems; errors name the file and the system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace inlay::platform {

/// What tells whether two paths are the same, unchanged file.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

/// A whole file, mapped read-only. The mapping is private: the bytes stay readable as long as the object lives, and must not be written.
/// A file truncated by someone else while it is mapped raises SIGBUS on access: models are not to be edited in place.
class MappedFile {
 public:
  /// Throws Error: not_found, io_error. A folder or a special file is an io_error.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::string_view bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] const FileIdentity& identity() const noexcept { return identity_; }

  /// Tells the system that these bytes won't be needed soon, so that they leave the resident set; reading them again is allowed.
  void drop(std::string_view range) const noexcept;

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
  FileIdentity identity_;
};

/// Reads a whole file. Throws Error: not_found, io_error.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// Writes a file whole and flushes it to the disk. Throws Error (io_error).
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// The same of several pieces, one after the other.
void write_file(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces);

/// A new folder beside `target` that becomes it on commit, atomically where the file system can exchange two folders; removed with all that
/// is in it when it was not committed. Throws Error (io_error).
class ReplacementFolder {
 public:
  explicit ReplacementFolder(const std::filesystem::path& target);
  ~ReplacementFolder();
  ReplacementFolder(const ReplacementFolder&) = delete;
  ReplacementFolder& operator=(const ReplacementFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
};

/// The system's text for an errno value, without the locale.
[[nodiscard]] std::string system_message(int error_number);

}  // namespace inlay::platform
