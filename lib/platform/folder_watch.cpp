#include "platform/folder_watch.hpp"

#include "inlay/error.hpp"

#ifdef __linux__

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/files.hpp"

namespace inlay::platform {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint32_t changes_of_folders = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

[[noreturn]] void fail(const std::string& action, int error_number) {
  throw Error(Status::io_error, fmt::format("cannot {}: {}", action, system_message(error_number)));
}

[[noreturn]] void fail_to_start(int error_number) {
  if (error_number == ENOSYS) throw Error(Status::unsupported, "cannot watch folders: this system has no inotify");
  fail(error_number == EMFILE ? "watch folders (fs.inotify.max_user_instances, or open files)" : "watch folders", error_number);
}

// A point in time; the last there is, where it would lie beyond.
Clock::time_point later(Clock::time_point from, milliseconds by) {
  return from + std::clamp(by, milliseconds(0), std::chrono::floor<milliseconds>(Clock::time_point::max() - from));
}

int poll_timeout(std::optional<Clock::time_point> end, Clock::time_point now) {
  if (!end) return -1;
  return static_cast<int>(std::min<std::int64_t>(std::chrono::ceil<milliseconds>(*end - now).count(), INT_MAX));
}

}  // namespace

FolderWatch::FolderWatch() : notices_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (notices_ < 0) fail_to_start(errno);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) {
    const int error_number = errno;
    ::close(notices_);
    fail_to_start(error_number);
  }
}

FolderWatch::~FolderWatch() {
  ::close(wake_);
  ::close(notices_);
}

bool FolderWatch::set_folders(std::span<const std::filesystem::path> folders) {
  std::unordered_set<int> wanted;
  // Every name is asked for anew, as another folder may bear it now. The same folder gives the same number, and loses nothing by it.
  const auto add = [&](const std::filesystem::path& folder) {
    const int watch = ::inotify_add_watch(notices_, folder.c_str(), changes_of_folders);
    if (watch >= 0) {
      watched_.insert(watch);
      wanted.insert(watch);
      return true;
    }
    if (errno == ENOSPC) return false;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) fail("watch " + folder.string(), errno);
    return true;
  };
  std::vector<std::filesystem::path> refused;
  for (const std::filesystem::path& folder : folders) {
    if (!add(folder)) refused.push_back(folder);
  }
  std::erase_if(watched_, [&](int watch) {
    if (wanted.contains(watch)) return false;
    if (::inotify_rm_watch(notices_, watch) != 0) left_over_ = true;  // its folder went by itself, which nobody has been told yet
    return true;
  });
  return std::ranges::all_of(refused, add);  // those that were let go may have made room
}

FolderWatch::Outcome FolderWatch::wait(const std::stop_token& stop, milliseconds quiet, milliseconds longest,
                                       std::optional<milliseconds> timeout) {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_, &ignored);  // what the stop of an earlier wait wrote
  const std::stop_callback wake(stop, [this] { ::eventfd_write(wake_, 1); });
  std::optional<Clock::time_point> end;
  if (timeout) end = later(Clock::now(), *timeout);
  std::optional<Clock::time_point> latest;  // when the change has to be reported
  while (!stop.stop_requested()) {
    const bool noticed = take_notices();
    const Clock::time_point now = Clock::now();
    if (noticed || (left_over_ && !latest)) {
      left_over_ = true;
      if (!latest) latest = later(now, longest);
      end = std::min(later(now, quiet), *latest);
    }
    if (end && now >= *end) {
      if (!left_over_) return Outcome::timed_out;
      left_over_ = false;
      return Outcome::changed;
    }
    std::array<pollfd, 2> sources{{{notices_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    if (::poll(sources.data(), sources.size(), poll_timeout(end, now)) < 0 && errno != EINTR) fail("wait for changes in folders", errno);
  }
  return Outcome::stopped;
}

// Takes the notices that have come, and no later ones, which may never end. Whether one of them is of a change.
bool FolderWatch::take_notices() {
  bool change = false;
  int waiting = 0;
  if (::ioctl(notices_, FIONREAD, &waiting) != 0) fail("wait for changes in folders", errno);
  alignas(inotify_event) std::array<char, 16'384> buffer;
  while (waiting > 0) {
    const ssize_t size = ::read(notices_, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) fail("wait for changes in folders", errno);
    waiting -= static_cast<int>(size);
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      at += sizeof event + event.len;
      const std::string_view name = event.len != 0 ? event.name : "";  // ends with a NUL
      const bool hidden = name.starts_with('.') && name != ".gitignore" && name != ".inlayignore";
      if ((event.mask & IN_Q_OVERFLOW) != 0 || (!hidden && watched_.contains(event.wd))) change = true;
      if ((event.mask & IN_IGNORED) != 0) watched_.erase(event.wd);
    }
  }
  return change;
}

}  // namespace inlay::platform

#else

namespace inlay::platform {

FolderWatch::FolderWatch() { throw Error(Status::unsupported, "cannot watch folders: only on Linux so far"); }

FolderWatch::~FolderWatch() = default;

bool FolderWatch::set_folders(std::span<const std::filesystem::path> /*folders*/) { return false; }

FolderWatch::Outcome FolderWatch::wait(const std::stop_token& /*stop*/, std::chrono::milliseconds /*quiet*/,
                                       std::chrono::milliseconds /*longest*/, std::optional<std::chrono::milliseconds> /*timeout*/) {
  return Outcome::stopped;
}

}  // namespace inlay::platform

#endif
