#include "platform/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "inlay/error.hpp"

namespace inlay::platform {
namespace {

[[noreturn]] void fail(const char* action, const std::filesystem::path& path, int error_number) {
  const Status status = error_number == ENOENT || error_number == ENOTDIR ? Status::not_found : Status::io_error;
  throw Error(status, fmt::format("cannot {} {}: {}", action, path.string(), system_message(error_number)));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

int open_for_reading(const std::filesystem::path& path) {
  const int number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // O_NONBLOCK: a FIFO must not stop us
  if (number < 0) fail("open", path, errno);
  return number;
}

struct stat regular_file_status(const Descriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) fail("inspect", path, errno);
  if (S_ISDIR(status.st_mode)) throw Error(Status::io_error, fmt::format("cannot read {}: it is a folder", path.string()));
  if (!S_ISREG(status.st_mode)) throw Error(Status::io_error, fmt::format("cannot read {}: it is not a regular file", path.string()));
  return status;
}

FileIdentity identity_of(const struct stat& status) noexcept {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

// What a path lies in; of a name alone the working folder.
std::filesystem::path folder_of(const std::filesystem::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

void synchronise_folder(const std::filesystem::path& folder) noexcept {
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.number() >= 0) ::fsync(handle.number());  // some file systems cannot; the rename holds without it
}

// `write` is write(2) or its like: takes some of the bytes, returns how many.
template <class Write>
void write_all(std::string_view bytes, const std::filesystem::path& path, Write&& write) {
  while (!bytes.empty()) {
    const ssize_t count = write(bytes);
    if (count < 0) {
      if (errno == EINTR) continue;
      fail("write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

// As many bytes as there are, up to the buffer's size.
std::size_t read_at(int descriptor, const std::filesystem::path& path, std::uint64_t offset, std::span<char> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count = ::pread(descriptor, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path, errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void synchronise(int descriptor, const std::filesystem::path& path) {
  if (::fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS) fail("write", path, errno);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file(open_for_reading(path));
  const struct stat status = regular_file_status(file, path);
  size_ = static_cast<std::size_t>(status.st_size);
  identity_ = identity_of(status);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (address == MAP_FAILED) fail("map", path, errno);
  data_ = static_cast<const char*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

void MappedFile::drop(std::string_view range) const noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(range.data()) + page - 1) / page * page;  // whole pages inside the range
  const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(range.data()) + range.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

std::optional<FileIdentity> file_identity(const std::filesystem::path& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return identity_of(status);
}

ReadableFile::ReadableFile(const std::filesystem::path& path) : path_(path) {
  Descriptor file(open_for_reading(path));
  identity_ = identity_of(regular_file_status(file, path));
  descriptor_ = file.release();
}

ReadableFile::~ReadableFile() { ::close(descriptor_); }

std::size_t ReadableFile::read(std::uint64_t offset, std::span<char> buffer) const { return read_at(descriptor_, path_, offset, buffer); }

bool have_equal_bytes(const std::filesystem::path& one, const std::filesystem::path& other) {
  const ReadableFile first(one);
  const ReadableFile second(other);
  if (first.identity().size != second.identity().size) return false;
  constexpr std::size_t block = std::size_t{1} << 18;
  std::string of_first(block, '\0');
  std::string of_second(block, '\0');
  for (std::uint64_t offset = 0;; offset += block) {
    const std::size_t read = first.read(offset, of_first);
    if (second.read(offset, of_second) != read ||
        std::string_view(of_first).substr(0, read) != std::string_view(of_second).substr(0, read)) {
      return false;
    }
    if (read < block) return true;
  }
}

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(open_for_reading(path));
  const struct stat status = regular_file_status(file, path);
  std::string bytes(static_cast<std::size_t>(status.st_size) + 1, '\0');  // one byte more than it says: room to see the end
  std::size_t done = 0;
  while (true) {
    if (done == bytes.size()) bytes.resize(bytes.size() * 2);  // it has grown, or is one of /proc, which say 0
    const ssize_t count = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    if (count < 0) {
      if (errno == EINTR) continue;
      fail("read", path, errno);
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) { write_file(path, {bytes}); }

void write_file(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number() < 0) fail("create", path, errno);
  for (const std::string_view bytes : pieces) {
    write_all(bytes, path, [&file](std::string_view rest) { return ::write(file.number(), rest.data(), rest.size()); });
  }
  synchronise(file.number(), path);
}

AppendedFile::AppendedFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666)) {
  if (descriptor_ < 0) fail("create", path_, errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw Error(Status::io_error, fmt::format("cannot write {}: it is not a regular file", path.string()));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

AppendedFile::~AppendedFile() { ::close(descriptor_); }

void AppendedFile::append(std::string_view bytes) {
  static_cast<void>(checked_identity());
  write_all(bytes, path_, [this](std::string_view rest) {
    const ssize_t count = ::pwrite(descriptor_, rest.data(), rest.size(), static_cast<off_t>(size_));
    if (count > 0) size_ += static_cast<std::uint64_t>(count);
    return count;
  });
}

void AppendedFile::check_untouched() const {
  const FileIdentity ours = checked_identity();
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0 || status.st_dev != ours.device || status.st_ino != ours.inode) {
    throw Error(Status::io_error, fmt::format("cannot write {}: somebody else moved it meanwhile", path_.string()));
  }
}

FileIdentity AppendedFile::checked_identity() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail("inspect", path_, errno);
  if (static_cast<std::uint64_t>(status.st_size) != size_) {
    throw Error(Status::io_error, fmt::format("cannot write {}: somebody else wrote to it meanwhile", path_.string()));
  }
  return {.device = status.st_dev, .inode = status.st_ino, .size = size_};
}

void AppendedFile::clear() { truncate(0); }

void AppendedFile::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail("write", path_, errno);
  size_ = size;
}

void AppendedFile::overwrite(std::uint64_t offset, std::string_view bytes) {
  write_all(bytes, path_, [this, &offset](std::string_view rest) {
    const ssize_t count = ::pwrite(descriptor_, rest.data(), rest.size(), static_cast<off_t>(offset));
    if (count > 0) offset += static_cast<std::uint64_t>(count);
    return count;
  });
}

void AppendedFile::flush_to_disk() { synchronise(descriptor_, path_); }

void AppendedFile::read(const std::function<void(std::string_view)>& piece) const {
  std::string buffer(std::size_t{1} << 20, '\0');
  std::uint64_t done = 0;
  while (done < size_) {
    const ssize_t count = ::pread(descriptor_, buffer.data(), buffer.size(), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path_, errno);
    if (count == 0) throw Error(Status::io_error, fmt::format("cannot read {}: it became shorter meanwhile", path_.string()));
    piece(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    done += static_cast<std::uint64_t>(count);
  }
}

std::size_t AppendedFile::read(std::uint64_t offset, std::span<char> buffer) const { return read_at(descriptor_, path_, offset, buffer); }

void BufferedFile::append(std::string_view bytes) {
  constexpr std::size_t most_held = std::size_t{1} << 20;
  buffer_ += bytes;
  if (buffer_.size() >= most_held) write();
}

void BufferedFile::overwrite(std::uint64_t offset, std::string_view bytes) {
  write();
  file_.overwrite(offset, bytes);
}

void BufferedFile::write_out() {
  write();
  file_.check_untouched();
}

void BufferedFile::finish() {
  write_out();
  file_.flush_to_disk();
}

void BufferedFile::write() {
  file_.append(buffer_);
  buffer_.clear();
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  // O_NONBLOCK: a lease on the file must not hold us; the mode: other users of a shared cache lock it too.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0664);
  if (descriptor < 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    fail("lock", path, errno);
  }
  FileLock lock(descriptor, true);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK || errno == EACCES || errno == EINTR) return std::nullopt;
    if (errno != ENOSYS && errno != ENOLCK && errno != EOPNOTSUPP) fail("lock", path, errno);
    lock.excludes_ = false;
  }
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && status.st_nlink == 0) return std::nullopt;  // removed meanwhile: it guards no name any more
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), excludes_(other.excludes_) {}

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  // Random too: processes of two containers that share the folder may have one number.
  static std::atomic<unsigned> counter{0};
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) random = static_cast<std::uint64_t>(::getpid());
  return path.parent_path() / fmt::format(".{}.{:016x}.{}.tmp", path.filename().string(), random, counter.fetch_add(1));
}

bool is_temporary_name(std::string_view name, std::string_view target) {
  const std::string prefix = fmt::format(".{}.", target);
  if (!name.starts_with(prefix) || !name.ends_with(".tmp")) return false;
  name.remove_prefix(prefix.size());
  name.remove_suffix(4);
  return name.size() > 17 && name[16] == '.' && name.find_first_not_of("0123456789abcdef") == 16 &&
         name.find_first_not_of("0123456789", 17) == std::string_view::npos;
}

void remove_temporary_files(const std::filesystem::path& path) noexcept {
  try {
    std::error_code error;
    const std::filesystem::path folder = folder_of(path);
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      if (!is_temporary_name(entry->path().filename().string(), path.filename().string())) continue;
      std::error_code ignored;
      if (!entry->is_directory(ignored)) std::filesystem::remove(entry->path(), ignored);
    }
  } catch (const std::exception&) {  // want of memory; they can be removed next time
  }
}

void replace_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("create", to, errno);
  synchronise_folder(folder_of(to));
}

ReplacementFile::ReplacementFile(const std::filesystem::path& target) : target_(target), temporary_(temporary_name(target)) {
  create_folders(folder_of(target_));
}

ReplacementFile::~ReplacementFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void ReplacementFile::commit() {
  replace_file(temporary_, target_);
  temporary_.clear();
}

void write_file_whole(const std::filesystem::path& path, std::string_view bytes) {
  ReplacementFile replacement(path);
  write_file(replacement.path(), bytes);
  replacement.commit();
}

void replace_link(const std::filesystem::path& target, const std::filesystem::path& link) {
  std::filesystem::path temporary = temporary_name(link);
  int result = ::symlink(target.c_str(), temporary.c_str());
  for (int tries = 1; result != 0 && errno == EEXIST && tries < 10; ++tries) {
    temporary = temporary_name(link);
    result = ::symlink(target.c_str(), temporary.c_str());
  }
  if (result != 0) {
    if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP) fail("create", link, errno);
    std::error_code error;
    std::filesystem::copy_file(link.parent_path() / target, temporary, error);
    if (error) fail("create", link, error.value());
  }
  if (::rename(temporary.c_str(), link.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    fail("create", link, error_number);
  }
}

void create_folders(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw Error(Status::io_error, fmt::format("cannot create {}: {}", path.string(), system_message(error.value())));
}

ReplacementFolder::ReplacementFolder(const std::filesystem::path& target) : target_(target) {
  if (!target_.has_filename()) target_ = target_.parent_path();  // "x.set/" is "x.set"
  const std::filesystem::path parent = folder_of(target_);
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) fail("create", parent, error.value());
  temporary_ = temporary_name(parent / target_.filename());
  if (::mkdir(temporary_.c_str(), 0777) != 0) {
    const int error_number = errno;
    temporary_.clear();
    throw Error(Status::io_error, fmt::format("cannot write {}: {}", target_.string(), system_message(error_number)));
  }
}

ReplacementFolder::~ReplacementFolder() {
  if (temporary_.empty()) return;
  try {
    std::error_code ignored;
    std::filesystem::remove_all(temporary_, ignored);
  } catch (const std::exception&) {  // want of memory
  }
}

void ReplacementFolder::commit() {
  synchronise_folder(temporary_);
  // Exchange where something stands already, so that there is no moment without a folder; what was there then goes with the destructor.
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0) {
    const int exchange_error = errno;
    if (exchange_error == EINVAL || exchange_error == ENOSYS) {  // a file system that cannot exchange: move aside, then in
      const std::filesystem::path aside = temporary_.string() + ".old";
      if (::rename(target_.c_str(), aside.c_str()) != 0 && errno != ENOENT) fail("replace", target_, errno);
      if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        const int error_number = errno;
        ::rename(aside.c_str(), target_.c_str());
        fail("replace", target_, error_number);
      }
      temporary_ = aside;
    } else if (exchange_error == ENOENT) {
      if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("create", target_, errno);
      temporary_.clear();
    } else {
      fail("replace", target_, exchange_error);
    }
  }
  synchronise_folder(folder_of(target_));
}

std::string system_message(int error_number) {
  if (const char* text = ::strerrordesc_np(error_number)) return text;
  return fmt::format("error {}", error_number);
}

}  // namespace inlay::platform
