#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "platform/files.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::platform;
namespace fs = std::filesystem;
using test::check_error;

TEST_CASE("an appended file goes on where it ended") {
  const test::TemporaryFolder folder;
  {
    AppendedFile file(folder / "file");
    CHECK(file.size() == 0);
    file.append("abc");
    file.append("");
    file.flush_to_disk();
  }
  AppendedFile file(folder / "file");
  CHECK(file.size() == 3);
  file.append("def");
  std::string bytes;
  file.read([&](std::string_view piece) { bytes += piece; });
  CHECK(bytes == "abcdef");
  file.clear();
  CHECK(file.size() == 0);
  file.append("x");
  CHECK(test::read(folder / "file") == "x");
}

TEST_CASE("an appended file notices another writer") {
  const test::TemporaryFolder folder;
  AppendedFile file(folder / "file");
  file.append("abc");
  CHECK_NOTHROW(file.check_untouched());
  SECTION("that appends") { std::ofstream(folder / "file", std::ios::app) << "d"; }
  SECTION("that starts over") { fs::resize_file(folder / "file", 0); }
  SECTION("that puts another file there") {
    test::write(folder / "other", "abc");
    fs::rename(folder / "other", folder / "file");
    check_error(Status::io_error, {"file", "moved"}, [&] { file.check_untouched(); });
    return;
  }
  check_error(Status::io_error, {"file", "somebody else"}, [&] { file.check_untouched(); });
  check_error(Status::io_error, {"file", "somebody else"}, [&] { file.append("e"); });
}

TEST_CASE("a file is read into as much memory as it is long") {
  const test::TemporaryFolder folder;
  constexpr std::size_t size = std::size_t{1} << 20;
  test::write(folder / "file", std::string(size, 'x'));
  const std::string bytes = read_file(folder / "file");
  CHECK(bytes.size() == size);
  CHECK(bytes.capacity() < size + size / 10);
  CHECK(read_file("/proc/self/status").size() > 100);  // which says that it has none
}

TEST_CASE("temporary names are not those that another process would make") {
  const test::TemporaryFolder folder;
  test::write(folder / "a", "a");
  for (int i = 0; i < 1000; ++i) test::write(folder / (".link." + std::to_string(::getpid()) + "." + std::to_string(i) + ".tmp"), "");
  CHECK_NOTHROW(replace_link("a", folder / "link"));
  CHECK(temporary_name(folder / "a") != temporary_name(folder / "a"));
}

TEST_CASE("an appended file follows no link and is no folder") {
  const test::TemporaryFolder folder;
  test::write(folder / "target", "kept");
  fs::create_symlink("target", folder / "link");
  check_error(Status::io_error, {"link"}, [&] { AppendedFile file(folder / "link"); });
  check_error(Status::io_error, {folder.path().string()}, [&] { AppendedFile file(folder.path()); });
  check_error(Status::not_found, {"nowhere/file"}, [&] { AppendedFile file(folder / "nowhere/file"); });
  CHECK(test::read(folder / "target") == "kept");
}

TEST_CASE("a disk that takes no more is an error that names the file") {
  const test::TemporaryFolder folder;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  AppendedFile file(folder / "file");
  rlimit limited = before;
  limited.rlim_cur = 1000;
  ::setrlimit(RLIMIT_FSIZE, &limited);
  check_error(Status::io_error, {"file", "File too large"}, [&] { file.append(std::string(2000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
}

TEST_CASE("a lock excludes others, in this process and outside, until it goes") {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "lock";
  const auto free_for_child = [&path] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(FileLock::try_acquire(path) ? 1 : 0);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 1;
  };
  {
    const auto lock = FileLock::try_acquire(path);
    REQUIRE(lock);
    CHECK(lock->excludes());
    CHECK(!FileLock::try_acquire(path));
    CHECK(!free_for_child());
  }
  CHECK(free_for_child());
  CHECK(FileLock::try_acquire(path));
  CHECK(fs::exists(path));
  check_error(Status::not_found, {"nowhere/lock"}, [&] { static_cast<void>(FileLock::try_acquire(folder / "nowhere/lock")); });
}

TEST_CASE("links and files are replaced in one step") {
  const test::TemporaryFolder folder;
  test::write(folder / "a", "a");
  test::write(folder / "b", "b");
  replace_link("a", folder / "link");
  CHECK(test::read(folder / "link") == "a");
  replace_link("b", folder / "link");
  CHECK(fs::read_symlink(folder / "link") == "b");
  replace_file(folder / "a", folder / "b");
  CHECK(test::read(folder / "link") == "a");
  CHECK(!fs::exists(folder / "a"));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 2);  // nothing temporary stays
  check_error(Status::not_found, {"b"}, [&] { replace_file(folder / "gone", folder / "b"); });
}

TEST_CASE("a readable file is read from any place, and stays readable when another takes its name") {
  const test::TemporaryFolder folder;
  test::write(folder / "file", "0123456789");
  const ReadableFile file(folder / "file");
  CHECK(file.identity() == file_identity(folder / "file"));
  std::string buffer(4, '-');
  CHECK(file.read(3, buffer) == 4);
  CHECK(buffer == "3456");
  CHECK(file.read(8, buffer) == 2);
  CHECK(buffer.substr(0, 2) == "89");
  CHECK(file.read(100, buffer) == 0);
  write_file_whole(folder / "file", "other");
  CHECK(file_identity(folder / "file") != file.identity());
  CHECK(file.read(0, buffer) == 4);
  CHECK(buffer == "0123");
  CHECK_FALSE(file_identity(folder / "none"));
  check_error(Status::not_found, {"none"}, [&] { const ReadableFile none(folder / "none"); });
  check_error(Status::io_error, {"folder"}, [&] { const ReadableFile none(folder.path()); });
}

TEST_CASE("files are compared byte by byte") {
  const test::TemporaryFolder folder;
  const std::string large(600'000, 'x');
  const auto equal = [&](const std::string& one, const std::string& other) {
    return have_equal_bytes(test::write(folder / "one", one), test::write(folder / "other", other));
  };
  CHECK(equal("", ""));
  CHECK(equal(large, large));
  CHECK_FALSE(equal(large, large + "x"));
  CHECK_FALSE(equal(large + "x", large + "y"));
  check_error(Status::not_found, {"none"}, [&] { static_cast<void>(have_equal_bytes(folder / "one", folder / "none")); });
}

TEST_CASE("an appended file is cut, overwritten, and read from any place") {
  const test::TemporaryFolder folder;
  AppendedFile file(folder / "file");
  file.append("0123456789");
  file.truncate(8);
  CHECK(file.size() == 8);
  file.overwrite(2, "xy");
  file.append("ab");
  CHECK(test::read(folder / "file") == "01xy4567ab");
  std::string buffer(4, '-');
  CHECK(file.read(7, buffer) == 3);
  CHECK(buffer == "7ab-");
  CHECK(file.read(10, buffer) == 0);
}
