// Notice of changes in folders, as the system gives it: inotify(7), which is Linux's alone.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <unordered_set>

namespace inlay::platform {

/// Tells that something in a set of folders has changed, not what: the caller looks for itself. What happens in a folder before it is
/// watched goes unnoticed. Nothing is missed where it is first watched and then looked at, and both done over when there are other folders
/// now (look returns those that it has been in):
///
///   FolderWatch watch;
///   std::vector<std::filesystem::path> folders = find_folders();
///   bool all = true;
///   do {
///     all = watch.set_folders(folders);
///     for (auto found = look(); found != folders; found = look()) all = watch.set_folders(folders = found);
///   } while (watch.wait(stop, 500ms, 10s, all ? none : one_minute) != FolderWatch::Outcome::stopped);
///
/// A change is that an entry was created, deleted, moved, or closed after writing, or that its mode, owner or times were set; that the
/// folder itself was deleted, moved or unmounted, or its mode set; and that the system lost count, so that anything may have changed.
/// Reading is none, nor is a file that is written and not closed yet. Entries whose names begin with '.' do not count: they are editors'
/// swap files, git's, and our own temporary files (and .gitignore); what is moved from such a name to another does count. What other
/// machines do in a shared folder is noticed by them alone.
///
/// One thread at a time; the stop may be requested by any. A watch follows its folder under whatever name, until set_folders asks for the
/// names anew.
class FolderWatch {
 public:
  /// Watches nothing yet. Throws Error: unsupported where the system gives no such notice; io_error where it gives no more
  /// (fs.inotify.max_user_instances, open files).
  FolderWatch();
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  /// Watches exactly these folders, links followed, and not what lies in folders below them: those that are watched already stay so without
  /// a gap, the others are let go, and what has happened in them counts no more. One that is gone, is no folder, or may not be read is
  /// passed over; the folder above it tells when that changes. False where the system allows no more watches (fs.inotify.max_user_watches):
  /// some of the folders are then not watched, and the caller has to look from time to time. Throws Error (io_error), which names the
  /// folder; those before it are watched then, and those from earlier.
  [[nodiscard]] bool set_folders(std::span<const std::filesystem::path> folders);

  enum class Outcome { changed, timed_out, stopped };

  /// Waits for a change, then until there was none for `quiet`, but at most `longest` after the first: one who writes for ever must not
  /// keep the caller waiting. A change since the last wait, while nobody waited, counts as one now. Without a change it returns after
  /// `timeout`, if there is one; whether or not there was one, it returns as soon as a stop is requested, and leaves the change to the next
  /// wait. Durations below zero are zero. Throws Error (io_error).
  [[nodiscard]] Outcome wait(const std::stop_token& stop, std::chrono::milliseconds quiet, std::chrono::milliseconds longest,
                             std::optional<std::chrono::milliseconds> timeout = {});

 private:
  [[nodiscard]] bool take_notices();

  int notices_ = -1;                 // inotify's descriptor
  int wake_ = -1;                    // an eventfd that a requested stop writes to
  std::unordered_set<int> watched_;  // inotify's numbers, one a folder however many names it has; never used twice
  bool left_over_ = false;           // a change that no wait has reported
};

}  // namespace inlay::platform
