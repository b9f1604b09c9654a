// Files: mapping, reading, atomic replacement. The calls that differ between systems; errors name the file and the system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
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

/// The identity of what lies at this path, links followed; nothing where there is nothing, or it cannot be seen.
[[nodiscard]] std::optional<FileIdentity> file_identity(const std::filesystem::path& path) noexcept;

/// A regular file that is read from any place. What was opened stays readable when another file takes its name; unlike a mapping it may be
/// cut short meanwhile by somebody else.
class ReadableFile {
 public:
  /// Throws Error: not_found, io_error.
  explicit ReadableFile(const std::filesystem::path& path);
  ~ReadableFile();
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;

  [[nodiscard]] const FileIdentity& identity() const noexcept { return identity_; }  ///< when it was opened
  /// Fills the buffer from `offset` on; returns how many bytes there were, fewer only at the end. Throws Error (io_error).
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<char> buffer) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
  FileIdentity identity_;
};

/// Reads a whole file. Throws Error: not_found, io_error.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// Whether two files hold the same bytes. Throws Error: not_found, io_error.
[[nodiscard]] bool have_equal_bytes(const std::filesystem::path& one, const std::filesystem::path& other);

/// Writes a file whole and flushes it to the disk. Throws Error (io_error).
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// The same of several pieces, one after the other.
void write_file(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces);

/// A file that one writer lets grow at its end. Throws Error (io_error), which names the file, also when the disk is full.
class AppendedFile {
 public:
  /// Opens the file, or makes it; what is in it stays.
  explicit AppendedFile(const std::filesystem::path& path);
  ~AppendedFile();
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  void append(std::string_view bytes);  ///< throws, too, where check_untouched does
  void clear();                         ///< back to no bytes
  void truncate(std::uint64_t size);    ///< back to its first bytes
  /// Replaces bytes that are there already.
  void overwrite(std::uint64_t offset, std::string_view bytes);
  void flush_to_disk();  ///< returns once the bytes would outlast a power failure
  /// Throws where another writer has been at it: it is not as long as what was written, or its path names another file.
  void check_untouched() const;
  /// Hands over all bytes from the beginning, in pieces.
  void read(const std::function<void(std::string_view)>& piece) const;
  /// Fills the buffer from `offset` on; returns how many bytes there were. Other threads may append meanwhile.
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<char> buffer) const;

 private:
  [[nodiscard]] FileIdentity checked_identity() const;

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

/// An AppendedFile that is written in large pieces. Throws as it does.
class BufferedFile {
 public:
  explicit BufferedFile(const std::filesystem::path& path) : file_(path) {}

  void append(std::string_view bytes);
  void overwrite(std::uint64_t offset, std::string_view bytes);
  void check_untouched() const { file_.check_untouched(); }
  void write_out();  ///< what is held; and checks that the file is untouched
  void finish();     ///< that, and returns once the bytes would outlast a power failure

 private:
  void write();

  AppendedFile file_;
  std::string buffer_;
};

/// A lock between processes and between threads: flock(2) on a file of its own, which stays when the lock goes. So does Python's filelock
/// on Unix; the two exclude each other.
class FileLock {
 public:
  /// Tries once, without waiting; nothing where someone else holds it. Throws Error (io_error) when the file cannot be opened.
  [[nodiscard]] static std::optional<FileLock> try_acquire(const std::filesystem::path& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

  /// False on a file system that has no locks: then this one excludes nobody.
  [[nodiscard]] bool excludes() const noexcept { return excludes_; }

 private:
  FileLock(int descriptor, bool excludes) noexcept : descriptor_(descriptor), excludes_(excludes) {}
  int descriptor_;
  bool excludes_;
};

/// A hidden name in the same folder, that no other call gives, of any process on any machine that shares the folder.
[[nodiscard]] std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Whether a name is one that temporary_name makes for this target's.
[[nodiscard]] bool is_temporary_name(std::string_view name, std::string_view target);

/// Removes the files under temporary names of this path. For one who knows that nobody is writing it: they are a killed process's.
void remove_temporary_files(const std::filesystem::path& path) noexcept;

/// Moves a file to a place where another may be, in one step. Throws Error (io_error).
void replace_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// A file to be written beside `target`, in a folder that is made where it is missing. It becomes `target` on commit, in one step, and is
/// removed when it was not committed. Throws Error (io_error).
class ReplacementFile {
 public:
  explicit ReplacementFile(const std::filesystem::path& target);
  ~ReplacementFile();
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
};

/// write_file by way of a ReplacementFile: readers find what was there before or all of the bytes.
void write_file_whole(const std::filesystem::path& path, std::string_view bytes);

/// Makes `link` a symbolic link to `target`, in one step where there is another already; a copy of the file where the file system has no
/// links. Throws Error (io_error).
void replace_link(const std::filesystem::path& target, const std::filesystem::path& link);

/// Creates a folder and those that it lies in, where they are missing. Throws Error (io_error).
void create_folders(const std::filesystem::path& path);

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
