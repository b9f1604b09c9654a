#include "platform/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

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

void synchronise_folder(const std::filesystem::path& folder) noexcept {
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.number() >= 0) ::fsync(handle.number());  // some file systems cannot; the rename holds without it
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file(open_for_reading(path));
  const struct stat status = regular_file_status(file, path);
  size_ = static_cast<std::size_t>(status.st_size);
  identity_ = {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
               static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
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

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(open_for_reading(path));
  const struct stat status = regular_file_status(file, path);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (true) {
    if (done == bytes.size()) bytes.resize(done + 1);  // one byte more than it said: the file may have grown
    const ssize_t count = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    if (count < 0) {
      if (errno == EINTR) continue;
      fail("read", path, errno);
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
    if (done == bytes.size()) bytes.resize(bytes.size() * 2);
  }
  bytes.resize(done);
  return bytes;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) { write_file(path, {bytes}); }

void write_file(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number() < 0) fail("create", path, errno);
  for (std::string_view bytes : pieces) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(file.number(), bytes.data(), bytes.size());
      if (count < 0) {
        if (errno == EINTR) continue;
        fail("write", path, errno);
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  if (::fsync(file.number()) != 0 && errno != EINVAL && errno != EROFS) fail("write", path, errno);
}

ReplacementFolder::ReplacementFolder(const std::filesystem::path& target) : target_(target) {
  if (!target_.has_filename()) target_ = target_.parent_path();  // "x.set/" is "x.set"
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path parent = target_.has_parent_path() ? target_.parent_path() : std::filesystem::path(".");
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) fail("create", parent, error.value());
  temporary_ = parent / fmt::format(".{}.{}.{}.tmp", target_.filename().string(), ::getpid(), counter.fetch_add(1));
  if (::mkdir(temporary_.c_str(), 0777) != 0) {
    const int error_number = errno;
    temporary_.clear();
    throw Error(Status::io_error, fmt::format("cannot write {}: {}", target_.string(), system_message(error_number)));
  }
}

ReplacementFolder::~ReplacementFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
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
  synchronise_folder(target_.has_parent_path() ? target_.parent_path() : std::filesystem::path("."));
}

std::string system_message(int error_number) {
  if (const char* text = ::strerrordesc_np(error_number)) return text;
  return fmt::format("error {}", error_number);
}

}  // namespace inlay::platform
