#include "model/hub/cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <set>

#include "inlay/error.hpp"
#include "inlay/hub.hpp"
#include "model/hub/environment.hpp"
#include "model/hub/names.hpp"
#include "model/hub/needed_files.hpp"
#include "model/json.hpp"
#include "platform/files.hpp"
#include "platform/log.hpp"

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

fs::path trees_of(const fs::path& repository, std::string_view commit, std::string_view extension) {
  return repository / "trees" / fmt::format("{}{}", commit, extension);
}

// What the hub has of the commit; nothing where nobody asked it, or what is there is not understood.
std::optional<FileList> known_files(const fs::path& repository, std::string_view commit) {
  std::error_code error;
  FileList files;
  if (const fs::path ours = trees_of(repository, commit, ".txt"); fs::is_regular_file(ours, error)) {
    const std::string text = platform::read_file(ours);
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      if (end == std::string_view::npos) return std::nullopt;
      files.emplace(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return files;
  }
  const fs::path theirs = trees_of(repository, commit, ".json");
  if (!fs::is_regular_file(theirs, error)) return std::nullopt;
  try {
    const JsonDocument document(platform::read_file(theirs), theirs.string());
    simdjson::dom::object entries;
    std::int64_t version = 0;
    if (document.root()["format_version"].get(version) || version != 1 || document.root()["files"].get(entries)) return std::nullopt;
    for (const auto entry : entries) files.emplace(entry.key);
    return files;
  } catch (const Error& unreadable) {
    platform::log(LogLevel::debug, unreadable.what());
    return std::nullopt;
  }
}

// A file that changes the vectors where it is there, and is not missed where it is not.
bool is_missed_in_silence(std::string_view file) {
  const std::string_view name = file.substr(file.rfind('/') + 1);
  return name == "modules.json" || name == "config_sentence_transformers.json" || name.ends_with("config.json");
}

// Why the snapshot cannot be loaded, or is known to lack something; empty when it can. `known`: the hub's files, which it need not have
// all: one form of the weights and of the tokenizer will do.
std::string defect(const fs::path& snapshot, const FileList& local, const std::optional<FileList>& known, std::string_view name) {
  FileList listed = local;
  if (known) std::ranges::copy_if(*known, std::inserter(listed, listed.end()), is_missed_in_silence);
  const auto missing = [name](const std::string& file) { return fmt::format("{}: {} is missing", name, file); };
  try {
    const ReadListed read = [&](const std::string& file) {
      if (!local.contains(file)) throw Error(Status::unsupported, missing(file));
      return platform::read_file(snapshot / file);
    };
    for (const std::string& file : needed_files(listed, read, name)) {
      if (!local.contains(file)) return missing(file);
    }
    return {};
  } catch (const Error& error) {
    if (error.status() != Status::unsupported && error.status() != Status::invalid_model) throw;
    return error.what();
  }
}

struct Lookup {
  fs::path folder;        // empty: not there
  std::string reason;     // why not
  bool is_whole = false;  // by the list of the hub's files
};

// Without that list, modules.json tells what there must be; it is what other programs leave out, which need only a part of the model.
void warn_of_doubt(const Lookup& found, std::string_view name) {
  static std::mutex mutex;
  static std::set<fs::path> warned;
  std::error_code error;
  if (found.folder.empty() || found.is_whole || fs::exists(found.folder / "modules.json", error)) return;
  {
    const std::scoped_lock lock(mutex);
    if (!warned.insert(found.folder).second) return;
  }
  platform::log(
      LogLevel::warning,
      fmt::format("the model {} in {} may lack files that say how its vectors are made, as nothing there tells which files it has; "
                  "`inlay pull {}@{}` brings what is missing",
                  name, found.folder.string(), name, found.folder.filename().string()));
}

Lookup look_up(std::string_view name, const fs::path& cache, const std::string& revision) {
  const fs::path repository = cache / repository_folder(name);
  const auto commit = cached_commit(repository, revision);
  if (!commit) return {{}, fmt::format("the model {} (revision {}) is not in the cache {}", name, revision, cache.string())};
  fs::path snapshot = repository / "snapshots" / *commit;
  std::error_code error;
  if (!fs::is_directory(snapshot, error)) {
    return {{}, fmt::format("the model {} (revision {}) is not in the cache {}", name, revision, cache.string())};
  }
  const auto known = known_files(repository, *commit);
  if (const std::string reason = defect(snapshot, list_files(snapshot), known, name); !reason.empty()) {
    return {{}, fmt::format("the model {} in the cache {} is incomplete ({})", name, cache.string(), reason)};
  }
  return {std::move(snapshot), {}, known.has_value()};
}

// What was found, completed by the hub. A snapshot that may be whole is completed as the commit that it is, and must do where that fails.
fs::path completed(const Lookup& found, std::string_view name, PullOptions options) {
  if (found.is_whole) return found.folder;
  if (found.folder.empty()) return pull_model(name, options).folder;
  if (!is_offline()) {
    try {
      options.revision = found.folder.filename().string();
      return pull_model(name, options).folder;
    } catch (const Error& error) {
      if (error.status() != Status::io_error && error.status() != Status::not_found && error.status() != Status::unsupported) throw;
      platform::log(LogLevel::warning, fmt::format("{}; taking the model {} as it is in the cache", error.what(), name));
    }
  }
  warn_of_doubt(found, name);
  return found.folder;
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
  const Lookup found = look_up(name, hub_cache(), wanted);
  if (allow_download && !is_offline()) return completed(found, name, {.revision = wanted});
  warn_of_doubt(found, name);
  if (!found.folder.empty()) return found.folder;
  throw Error(Status::not_found, fmt::format("{}, and there is no folder {}; {}", found.reason, text,
                                             allow_download ? "HF_HUB_OFFLINE is set, so it is not fetched"
                                                            : fmt::format("fetch it with `inlay pull {}`, or allow the download",
                                                                          revision.empty() ? text : fmt::format("{}@{}", text, wanted))));
}

void remember_files(const fs::path& repository, std::string_view commit, const FileList& files) {
  const fs::path place = trees_of(repository, commit, ".txt");
  std::error_code error;
  if (fs::exists(place, error)) return;
  std::string text;
  for (const std::string& file : files) text.append(file).append("\n");
  platform::write_file_whole(place, text);
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
  const std::string resolved = hub_name(name);
  Lookup found = look_up(resolved, options.cache.empty() ? hub_cache() : options.cache, checked_revision(options.revision));
  if (found.folder.empty()) return std::nullopt;
  warn_of_doubt(found, resolved);
  return std::move(found.folder);
}

std::filesystem::path find_or_pull_model(std::string_view name, const PullOptions& options) {
  using namespace model::hub;
  const std::string resolved = hub_name(name);
  const fs::path cache = options.cache.empty() ? hub_cache() : options.cache;
  return completed(look_up(resolved, cache, checked_revision(options.revision)), resolved, options);
}

}  // namespace inlay
