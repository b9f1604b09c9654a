#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "platform/files.hpp"
#include "platform/folder_watch.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::platform;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::check_error;
using Clock = std::chrono::steady_clock;
using Folders = std::vector<fs::path>;
using Outcome = FolderWatch::Outcome;

namespace {

// Whether there was a change up to now. The system has queued the notice of a change when the call that made it returns, so there is nothing
// to wait for: no test depends on how fast the machine is, unless it says so.
bool has_changed(FolderWatch& watch) { return watch.wait({}, 0ms, 10s, 0ms) == Outcome::changed; }

// The limit on open files, lowered so that the process can open `more` files and no others.
class OpenFilesLimit {
 public:
  explicit OpenFilesLimit(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit limited = before_;
    limited.rlim_cur = static_cast<rlim_t>(next_descriptor()) + more;
    ::setrlimit(RLIMIT_NOFILE, &limited);
  }
  ~OpenFilesLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  OpenFilesLimit(const OpenFilesLimit&) = delete;
  OpenFilesLimit& operator=(const OpenFilesLimit&) = delete;

  // The number that the next open file will have, the lowest that is free.
  [[nodiscard]] static int next_descriptor() {
    const int number = ::open("/", O_RDONLY | O_CLOEXEC);
    ::close(number);
    return number;
  }

 private:
  rlimit before_{};
};

// Of this thread.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::atomic<int> signals{0};

}  // namespace

TEST_CASE("whatever happens to an entry of a watched folder is a change, once") {
  const test::TemporaryFolder folder;
  const fs::path watched = folder / "watched";
  test::write(watched / "file", "a");
  test::write(folder / "outside", "b");
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{watched}));
  CHECK_FALSE(has_changed(watch));
  SECTION("a file is written") { test::write(watched / "file", "b"); }
  SECTION("a file is created") { test::write(watched / "new", ""); }
  SECTION("a file is deleted") { fs::remove(watched / "file"); }
  SECTION("a file comes") { fs::rename(folder / "outside", watched / "inside"); }
  SECTION("a file goes") { fs::rename(watched / "file", folder / "file"); }
  SECTION("a file's mode changes") { fs::permissions(watched / "file", fs::perms::owner_read); }
  SECTION("a folder is created") { fs::create_directory(watched / "folder"); }
  SECTION("a link is created") { fs::create_symlink("file", watched / "link"); }
  SECTION("the folder is moved") { fs::rename(watched, folder / "elsewhere"); }
  SECTION("the folder is deleted") { fs::remove_all(watched); }
  CHECK(has_changed(watch));
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("reading is no change, nor is what happens above or further below") {
  const test::TemporaryFolder folder;
  test::write(folder / "watched/file", "a");
  test::write(folder / "watched/below/file", "a");
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder / "watched"}));
  CHECK(test::read(folder / "watched/file") == "a");
  CHECK(std::distance(fs::directory_iterator(folder / "watched"), {}) == 2);
  test::write(folder / "file", "b");
  test::write(folder / "watched/below/file", "b");
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("hidden files do not count, until they get another name") {
  const test::TemporaryFolder folder;
  test::write(folder / "file", "before");
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  test::write(folder / ".file.swp", "x");
  fs::create_directory(folder / ".git");
  fs::rename(folder / ".file.swp", folder / ".file.new");
  fs::permissions(folder / ".file.new", fs::perms::owner_read);
  CHECK_FALSE(has_changed(watch));
  SECTION("as an editor saves") { fs::rename(folder / ".file.new", folder / "file"); }
  SECTION("as we save") { write_file_whole(folder / "file", "after"); }
  CHECK(has_changed(watch));
  fs::remove(folder / ".git");
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("a file that was deleted is no longer of the folder, though it is written still") {
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  {
    std::ofstream file(folder / "file");
    fs::remove(folder / "file");
    CHECK(has_changed(watch));
    file << "x";
  }
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("a change ends a wait that is under way") {
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  const std::jthread writer([&] {
    std::this_thread::sleep_for(50ms);
    test::write(folder / "file", "x");
  });
  CHECK(watch.wait({}, 10ms, 10s, 30s) == Outcome::changed);
}

TEST_CASE("changes in quick succession are one, which is reported when they have been over for the quiet time") {
  constexpr auto quiet = 500ms;
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  Clock::time_point last_write;
  Clock::duration longest_pause{};
  std::jthread writer([&] {
    for (int i = 0; i < 13; ++i) {
      if (i > 0) std::this_thread::sleep_for(50ms);
      const Clock::time_point before = std::exchange(last_write, Clock::now());
      if (i > 0) longest_pause = std::max(longest_pause, last_write - before);
      test::write(folder / "file", std::to_string(i));
    }
  });
  CHECK(watch.wait({}, quiet, 30s, 30s) == Outcome::changed);
  const Clock::time_point reported = Clock::now();
  writer.join();
  if (longest_pause >= quiet - 100ms) {
    WARN("skipped: this machine is too busy to write every 50 ms");
    return;
  }
  CHECK(reported - last_write >= quiet);
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("changes without end are reported after the longest time") {
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  const std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      test::write(folder / "file", "x");
      std::this_thread::sleep_for(5ms);
    }
  });
  const Clock::time_point start = Clock::now();
  CHECK(watch.wait({}, 20s, 300ms, 30s) == Outcome::changed);
  const Clock::duration waited = Clock::now() - start;
  CHECK(waited >= 300ms);
  CHECK(waited < 10s);  // far from the quiet time
}

TEST_CASE("a wait without a change ends at its timeout, whatever signals come") {
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  const auto handler = std::signal(SIGUSR1, [](int) { ++signals; });
  Clock::duration waited{};
  {
    const std::jthread sender([waiting = ::pthread_self()](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        std::this_thread::sleep_for(10ms);
        ::pthread_kill(waiting, SIGUSR1);
      }
    });
    const Clock::time_point start = Clock::now();
    CHECK(watch.wait({}, 10ms, 10s, 200ms) == Outcome::timed_out);
    waited = Clock::now() - start;
  }
  std::signal(SIGUSR1, handler);
  CHECK(waited >= 200ms);
  CHECK(signals > 0);
}

TEST_CASE("durations may be as long as can be, and below zero are zero") {
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  constexpr auto ever = std::chrono::milliseconds::max();
  CHECK(watch.wait({}, ever, ever, -ever) == Outcome::timed_out);
  test::write(folder / "file", "x");
  CHECK(watch.wait({}, -1ms, ever, ever) == Outcome::changed);
  test::write(folder / "file", "x");
  CHECK(watch.wait({}, ever, -ever, ever) == Outcome::changed);
}

TEST_CASE("a requested stop ends a wait and loses no change") {
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  std::stop_source stop;
  bool change = false;
  SECTION("from another thread, without a change") {}
  SECTION("from another thread, in the quiet time") {
    change = true;
    test::write(folder / "file", "x");
  }
  Clock::time_point requested;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    requested = Clock::now();
    stop.request_stop();
  });
  CHECK(watch.wait(stop.get_token(), 1h, 1h) == Outcome::stopped);
  const Clock::time_point returned = Clock::now();
  stopper.join();
  CHECK(returned >= requested);
  CHECK(returned - requested < 5s);
  CHECK(watch.wait(stop.get_token(), 0ms, 0ms) == Outcome::stopped);  // it stays requested
  CHECK(watch.wait({}, 0ms, 10s, change ? 30s : 0s) == (change ? Outcome::changed : Outcome::timed_out));
  CHECK(Clock::now() - returned < 20s);  // not at the timeout
  CHECK_FALSE(has_changed(watch));
  const std::chrono::nanoseconds used = processor_time();
  CHECK(watch.wait(std::stop_source().get_token(), 0ms, 10s, 200ms) == Outcome::timed_out);  // another's stop is not requested
  CHECK(processor_time() - used < 20ms);                                                     // it slept
}

TEST_CASE("folders are added and let go, and those that stay miss nothing") {
  const test::TemporaryFolder folder;
  const fs::path a = folder / "a";
  const fs::path b = folder / "b";
  fs::create_directory(a);
  fs::create_directory(b);
  FolderWatch watch;
  test::write(a / "file", "x");
  CHECK_FALSE(has_changed(watch));
  REQUIRE(watch.set_folders(Folders{a}));
  test::write(b / "file", "x");
  CHECK_FALSE(has_changed(watch));
  test::write(a / "file", "y");
  REQUIRE(watch.set_folders(Folders{b, a}));
  CHECK(has_changed(watch));
  test::write(b / "file", "y");
  CHECK(has_changed(watch));
  test::write(a / "file", "z");
  REQUIRE(watch.set_folders(Folders{b}));
  CHECK_FALSE(has_changed(watch));
  test::write(a / "file", "z");
  CHECK_FALSE(has_changed(watch));
  test::write(b / "file", "z");
  CHECK(has_changed(watch));
  REQUIRE(watch.set_folders({}));
  test::write(b / "file", "z");
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("a folder that is made later is watched from when it is set") {
  const test::TemporaryFolder folder;
  const fs::path later = folder / "later";
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  fs::create_directory(later);
  CHECK(has_changed(watch));
  test::write(later / "file", "x");
  CHECK_FALSE(has_changed(watch));
  REQUIRE(watch.set_folders(Folders{folder.path(), later}));
  CHECK_FALSE(has_changed(watch));
  test::write(later / "file", "y");
  CHECK(has_changed(watch));
}

TEST_CASE("a watched folder that is deleted is a change, and the rest stays watched") {
  const test::TemporaryFolder folder;
  const fs::path gone = folder / "gone";
  const fs::path rest = folder / "rest";
  test::write(gone / "file", "x");
  fs::create_directory(rest);
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{gone, rest}));
  fs::remove_all(gone);
  Folders folders{rest};
  SECTION("told before the folders are set") { CHECK(has_changed(watch)); }
  SECTION("told after the folders are set") {
    folders.insert(folders.begin(), gone);
    REQUIRE(watch.set_folders(folders));
    CHECK(has_changed(watch));
  }
  CHECK_FALSE(has_changed(watch));
  REQUIRE(watch.set_folders(folders));
  CHECK_FALSE(has_changed(watch));
  test::write(rest / "file", "x");
  CHECK(has_changed(watch));
  fs::create_directory(gone);  // another of that name
  REQUIRE(watch.set_folders(Folders{gone}));
  test::write(gone / "file", "x");
  CHECK(has_changed(watch));
}

TEST_CASE("what is watched is the folder that bears the name when it is set") {
  const test::TemporaryFolder folder;
  const Folders watched{folder / "top/a"};
  fs::create_directories(watched.front());
  fs::create_directories(folder / "other/a");
  FolderWatch watch;
  REQUIRE(watch.set_folders(watched));
  fs::path before;
  SECTION("the folder was renamed") {
    before = folder / "top/before";
    fs::rename(watched.front(), before);
    fs::rename(folder / "other/a", watched.front());
    CHECK(has_changed(watch));
  }
  SECTION("the folder above was renamed") {
    before = folder / "before/a";
    fs::rename(folder / "top", folder / "before");
    fs::rename(folder / "other", folder / "top");
  }
  test::write(before / "file", "x");
  CHECK(has_changed(watch));  // still the one that was set
  REQUIRE(watch.set_folders(watched));
  CHECK_FALSE(has_changed(watch));
  test::write(before / "file", "y");
  CHECK_FALSE(has_changed(watch));
  test::write(watched.front() / "file", "x");
  CHECK(has_changed(watch));
  REQUIRE(watch.set_folders(Folders{before}));
  test::write(watched.front() / "file", "y");
  CHECK_FALSE(has_changed(watch));
  test::write(before / "file", "z");
  CHECK(has_changed(watch));
}

TEST_CASE("a folder by two names is watched as long as one of them is set") {
  const test::TemporaryFolder folder;
  const fs::path a = folder / "a";
  const fs::path link = folder / "link";
  fs::create_directory(a);
  fs::create_directory_symlink("a", link);
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{a, link, a}));
  test::write(a / "file", "x");
  CHECK(has_changed(watch));
  CHECK_FALSE(has_changed(watch));
  REQUIRE(watch.set_folders(Folders{link}));
  test::write(a / "file", "x");
  CHECK(has_changed(watch));
  REQUIRE(watch.set_folders({}));
  test::write(a / "file", "x");
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("what is no folder is passed over; what cannot be a path is an error that names it") {
  const test::TemporaryFolder folder;
  test::write(folder / "file", "x");
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder / "none", folder / "file", folder / "file/below", "", folder.path()}));
  test::write(folder / "file", "x");
  CHECK(has_changed(watch));
  REQUIRE(watch.set_folders(Folders{folder / "file"}));
  test::write(folder / "file", "y");
  CHECK_FALSE(has_changed(watch));
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  const std::string long_name(300, 'n');
  check_error(Status::io_error, {long_name, "too long"}, [&] { static_cast<void>(watch.set_folders(Folders{folder / long_name})); });
  test::write(folder / "file", "z");
  CHECK(has_changed(watch));
}

TEST_CASE("many files at once are one change") {
  const test::TemporaryFolder folder;
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  for (int i = 0; i < 300; ++i) test::write(folder / (std::to_string(i) + std::string(i % 3 == 0 ? 250 : 0, 'n')), "x");
  CHECK(has_changed(watch));
  CHECK_FALSE(has_changed(watch));
}

TEST_CASE("more notices than the system keeps are a change") {
  std::size_t kept = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> kept;
  if (kept == 0 || kept > 100'000) {
    WARN("skipped: the system keeps too many");
    return;
  }
  const test::TemporaryFolder folder;
  test::write(folder / ".a", "");
  FolderWatch watch;
  REQUIRE(watch.set_folders(Folders{folder.path()}));
  for (std::size_t i = 0; i <= kept / 4; ++i) {  // four notices each, of hidden names: none of them counts
    fs::rename(folder / ".a", folder / ".b");
    fs::rename(folder / ".b", folder / ".a");
  }
  CHECK(has_changed(watch));
  CHECK_FALSE(has_changed(watch));
  test::write(folder / "file", "x");
  CHECK(has_changed(watch));
}

TEST_CASE("where the system allows no more watches, this is said, and those let go make room") {
  constexpr int no_own_limit = 77;
  const test::TemporaryFolder folder;
  Folders folders;
  for (int i = 0; i < 8; ++i) {
    folders.push_back(folder / std::to_string(i));
    fs::create_directory(folders.back());
  }
  test::Child child([&]() -> int {
    // In a user namespace of its own a process may lower its own limit.
    if (::unshare(CLONE_NEWUSER) != 0 || !(std::ofstream("/proc/sys/user/max_inotify_watches") << "5\n" << std::flush)) return no_own_limit;
    FolderWatch watch;
    if (watch.set_folders(folders)) return 1;
    test::write(folders[0] / "file", "x");
    if (!has_changed(watch)) return 2;
    test::write(folders[7] / "file", "x");
    if (has_changed(watch)) return 3;
    const std::span<const fs::path> all(folders);
    if (!watch.set_folders(all.first(5))) return 4;
    if (!watch.set_folders(all.last(5))) return 5;  // of which two were watched, and three are let go
    test::write(folders[7] / "file", "x");
    if (!has_changed(watch)) return 6;
    test::write(folders[0] / "file", "x");
    if (has_changed(watch)) return 7;
    return 0;
  });
  const int result = child.wait();
  if (result == no_own_limit) {
    WARN("skipped: this system does not let a process lower its limit");
    return;
  }
  CHECK(result == 0);
}

TEST_CASE("where the system gives no more notice, this is an error; nothing is left open") {
  const int next = OpenFilesLimit::next_descriptor();
  { const FolderWatch watch; }
  for (const rlim_t more : {rlim_t{0}, rlim_t{1}}) {
    const OpenFilesLimit limit(more);
    check_error(Status::io_error, {"fs.inotify.max_user_instances", "Too many open files"}, [] { const FolderWatch watch; });
  }
  CHECK(OpenFilesLimit::next_descriptor() == next);
}
