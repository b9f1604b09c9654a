// watch_codebase: an index that follows its files.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "code/folder.hpp"
#include "inlay/codebase_index.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "platform/folder_watch.hpp"
#include "platform/log.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using platform::FolderWatch;

constexpr int most_rounds = 10;                           // of listing the folders, before what is missed shows in the next notice
constexpr std::chrono::milliseconds shortest_retry{100};  // of an update that failed
constexpr std::chrono::minutes look_anyway{1};  // rules of what is ignored may change elsewhere, without notice: .git/info/exclude

// What the files were like at one moment.
struct State {
  code::FolderTree tree{};
  std::vector<std::optional<platform::FileIdentity>> files{};

  friend bool operator==(const State&, const State&) = default;
};

class Watcher {
 public:
  Watcher(fs::path folder, std::stop_token stop, const WatchOptions& options)
      : folder_(std::move(folder)), stop_(std::move(stop)), options_(options) {
    try {
      watch_.emplace();
    } catch (const Error& error) {
      tell_polling(error.what());
    }
  }

  /// Watches the folders as they are now: a change of a file from here on ends `wait`. A folder that was deleted and made again under its
  /// name is another one, which its path does not tell.
  void begin() {
    state_ = look();
    bool settled = false;
    for (int round = 0; round < most_rounds && !settled && !stop_.stop_requested(); ++round) {
      watch(state_.tree.folders);
      State now = look();
      settled = now.tree.folders == state_.tree.folders;
      state_ = std::move(now);
    }
  }

  /// Returns when the files are others than they were when the last wait, or `begin`, returned, or soon where what they were like has not
  /// been dealt with (`pending`). False when it is to stop.
  bool wait(bool pending) {
    while (wait_for_notice(pending)) {
      const State before = std::move(state_);
      begin();
      if (pending || state_ != before) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] State look() const {
    State state;
    try {
      state.tree = code::list_tree(folder_);
    } catch (const Error& error) {  // it may be gone for a while: index_codebase says so
      platform::log(LogLevel::debug, error.what());
      return state;
    }
    state.files.reserve(state.tree.files.size());
    for (const std::string& file : state.tree.files) state.files.push_back(platform::file_identity(folder_ / file));
    return state;
  }

  void watch(const std::vector<std::string>& folders) {
    if (!watch_) return;
    std::vector<fs::path> paths;
    paths.reserve(folders.size());
    for (const std::string& folder : folders) paths.push_back(folder_ / folder);
    const bool all_before = all_watched_;
    all_watched_ = watch_->set_folders(paths);
    if (all_before && !all_watched_) tell_polling("the system watches no more folders (fs.inotify.max_user_watches)");
  }

  void tell_polling(std::string_view reason) const {
    platform::log(LogLevel::warning, fmt::format("{}: {} is looked at every {} ms", reason, folder_.string(), options_.poll.count()));
  }

  // False when it is to stop.
  bool wait_for_notice(bool pending) {
    if (watch_) {
      const bool noticed = all_watched_ && !state_.tree.folders.empty();
      const auto longest = std::max(options_.quiet, options_.longest);
      const auto timeout = !noticed ? options_.poll : pending ? std::max(longest, shortest_retry) : std::chrono::milliseconds(look_anyway);
      return watch_->wait(stop_, options_.quiet, longest, timeout) != FolderWatch::Outcome::stopped;
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(lock, stop_, options_.poll, [] { return false; });
    return !stop_.stop_requested();
  }

  fs::path folder_;
  std::stop_token stop_;
  const WatchOptions& options_;
  std::optional<FolderWatch> watch_;
  bool all_watched_ = true;
  State state_;
};

}  // namespace

void watch_codebase(const EmbeddingGenerator& generator, const fs::path& folder, const fs::path& index, const IndexCodebaseOptions& options,
                    const WatchOptions& watch) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) throw Error(Status::not_found, fmt::format("{} is not a folder", folder.string()));
  Watcher watcher(folder, options.stop, watch);
  watcher.begin();
  IndexCodebaseOptions update = options;
  CodebaseChanges changes = index_codebase(generator, folder, index, update);
  if (watch.on_update) watch.on_update(changes);
  update.fresh = false;
  bool failed = false;
  while (!options.stop.stop_requested() && watcher.wait(failed)) {
    try {
      changes = index_codebase(generator, folder, index, update);
      failed = false;
      if (changes.corpus.written && watch.on_update) watch.on_update(changes);
    } catch (const Error& error) {
      if (!failed) platform::log(LogLevel::warning, fmt::format("{} was not brought up to date: {}", index.string(), error.what()));
      failed = true;
    }
  }
}

}  // namespace inlay
