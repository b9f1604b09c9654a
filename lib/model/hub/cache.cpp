#include "model/hub/cache.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"
#include "inlay/hub.hpp"
#include "model/hub/environment.hpp"
#include "model/hub/names.hpp"
#include "model/hub/needed_files.hpp"
#include "platform/files.hpp"

namespace inlay {
namespace model::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_prefix = "models--";
constexpr std::string_view separator = "--";
constexpr std::size_t most_files = 100'000;

// The snapshot's files, links followed: one whose blob is gone is not there.
FileList list_files(const fs::path& snapshot) {
  FileList files;
  std::error_code error;
  fs::recursive_directory_iterator entry(snapshot, fs::directory_options::skip_permission_denied, error);
  while (!error && entry != fs::recursive_directory_iterator() && files.size() < most_files) {
    std::error_code unreadable;
    if (entry->is_regular_file(unreadable)) files.insert(entry->path().lexically_relative(snapshot).generic_string());
    entry.increment(error);
  }
  if (error) throw Error(Status::io_error, fmt::format("cannot list {}: {}", snapshot.string(), platform::system_message(error.value())));
  return files;
}

// Why the snapshot cannot be loaded; empty when it can.
std::string defect(const fs::path& snapshot, std::string_view name) {
  try {
    const ReadListed read = [&snapshot](const std::string& file) { return platform::read_file(snapshot / file); };
    static_cast<void>(needed_files(list_files(snapshot), read, name));
    return {};
  } catch (const Error& error) {
    if (error.status() != Status::unsupported && error.status() != Status::invalid_model) throw;
    return error.what();
  }
}

struct Lookup {
  fs::path folder;     // empty: not there
  std::string reason;  // why not
};

Lookup look_up(std::string_view name, const fs::path& cache, const std::string& revision) {
  const fs::path repository = cache / repository_folder(name);
  const auto commit = cached_commit(repository, revision);
  if (!commit) return {{}, fmt::format("the model {} (revision {}) is not in the cache {}", name, revision, cache.string())};
  fs::path snapshot = repository / "snapshots" / *commit;
  std::error_code error;
  if (!fs::is_directory(snapshot, error)) {
    return {{}, fmt::format("the model {} (revision {}) is not in the cache {}", name, revision, cache.string())};
  }
  if (const std::string reason = defect(snapshot, name); !reason.empty()) {
    return {{}, fmt::format("the model {} in the cache {} is incomplete ({})", name, cache.string(), reason)};
  }
  return {std::move(snapshot), {}};
}

// What a caller who meant a folder should read.
bool looks_like_path(const std::string& text) {
  return text.empty() || text.starts_with('/') || text.starts_with('.') || text.starts_with('~') || text.find('\\') != std::string::npos ||
         std::ranges::count(text, '/') > 1 || text.ends_with('/');
}

}  // namespace

std::string repository_folder(std::string_view name) {
  std::string result(folder_prefix);
  for (const char c : name) c == '/' ? result.append(separator) : result.append(1, c);
  return result;
}

std::optional<std::string> cached_commit(const fs::path& repository, std::string_view revision) {
  if (is_commit(revision)) return std::string(revision);
  const fs::path reference = repository / "refs" / revision;
  std::error_code error;
  if (!fs::is_regular_file(reference, error)) return std::nullopt;
  std::string commit = platform::read_file(reference);
  while (!commit.empty() && (commit.back() == '\n' || commit.back() == '\r' || commit.back() == ' ')) commit.pop_back();
  if (!is_commit(commit)) {
    throw Error(Status::io_error, fmt::format("{} does not hold a commit but {}: delete it", reference.string(), in_quotes(commit)));
  }
  return commit;
}

fs::path locate(const fs::path& model, std::string_view revision, bool allow_download) {
  const std::string text = model.string();
  std::error_code error;
  if (!text.empty() && fs::exists(model, error)) {
    if (!revision.empty()) {
      throw Error(Status::invalid_argument, fmt::format("{} is a folder or file, which has no revision {}", text, in_quotes(revision)));
    }
    return model;
  }
  if (looks_like_path(text)) throw Error(Status::not_found, fmt::format("no model folder {}", text));
  const std::string name = hub_name(text);
  const std::string wanted = checked_revision(revision);
  Lookup found = look_up(name, hub_cache(), wanted);
  if (!found.folder.empty()) return found.folder;
  if (allow_download && !is_offline()) return pull_model(name, {.revision = wanted}).folder;
  throw Error(Status::not_found, fmt::format("{}, and there is no folder {}; {}", found.reason, text,
                                             allow_download ? "HF_HUB_OFFLINE is set, so it is not fetched"
                                                            : fmt::format("fetch it with `inlay pull {}`, or allow the download",
                                                                          revision.empty() ? text : fmt::format("{}@{}", text, wanted))));
}

std::optional<std::string> name_of_snapshot(const fs::path& folder) {
  const fs::path repository = folder.parent_path().parent_path();
  std::string name = repository.filename().string();
  if (folder.parent_path().filename() != "snapshots" || !is_commit(folder.filename().string()) || !name.starts_with(folder_prefix)) {
    return std::nullopt;
  }
  name.erase(0, folder_prefix.size());
  if (const std::size_t at = name.find(separator); at != std::string::npos) {
    name[at] = '/';
    name.erase(at + 1, separator.size() - 1);
  }
  if (!is_repository_name(name)) return std::nullopt;
  return name;
}

}  // namespace model::hub

std::optional<std::filesystem::path> find_model(std::string_view name, const HubOptions& options) {
  using namespace model::hub;
  Lookup found = look_up(hub_name(name), options.cache.empty() ? hub_cache() : options.cache, checked_revision(options.revision));
  if (found.folder.empty()) return std::nullopt;
  return std::move(found.folder);
}

}  // namespace inlay
