// pull_model: what the hub has, what of it is needed, and each file into the cache (cache.hpp says how that is laid out).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "inlay/hub.hpp"
#include "model/hub/cache.hpp"
#include "model/hub/download.hpp"
#include "model/hub/environment.hpp"
#include "model/hub/http.hpp"
#include "model/hub/names.hpp"
#include "model/hub/needed_files.hpp"
#include "model/json.hpp"
#include "platform/files.hpp"
#include "platform/log.hpp"

namespace inlay {
namespace model::hub {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_files = 100'000;
constexpr auto lock_interval = 100ms;
constexpr auto progress_interval = 100ms;
constexpr std::uint64_t spare_bytes = std::uint64_t{1} << 20;  // of the disk, beside the files

/// A revision, as the hub knows it.
struct Revision {
  std::string commit;
  FileList files;
};

// "W/"etag"" and ""etag"" without weakness and quotes, as huggingface_hub makes a blob's name of it.
std::string_view normalized(std::string_view etag) {
  while (etag.starts_with('W') || etag.starts_with('/')) etag.remove_prefix(1);
  while (etag.starts_with('"')) etag.remove_prefix(1);
  while (etag.ends_with('"')) etag.remove_suffix(1);
  return etag;
}

bool is_blob_name(std::string_view etag) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
  };
  return etag.size() >= 8 && etag.size() <= 128 && etag.front() != '.' && std::ranges::all_of(etag, allowed);
}

std::optional<std::uint64_t> number(const std::string* text) {
  std::uint64_t value = 0;
  if (text == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

// Removes the file of that name, if it is there when the object goes.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

 private:
  fs::path path_;
};

class Pull {
 public:
  Pull(std::string name, const PullOptions& options)
      : name_(std::move(name)),
        revision_(checked_revision(options.revision)),
        options_(options),
        endpoint_(options.endpoint.empty() ? endpoint() : options.endpoint),
        timeouts_(timeouts()),
        client_(endpoint_, options.token ? *options.token : token().value_or(""), options.stop),
        cache_(options.cache.empty() ? hub_cache() : options.cache),
        repository_(cache_ / repository_folder(name_)) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
  }

  PullResult run() {
    const Revision revision = list_files();
    commit_ = revision.commit;
    snapshot_ = repository_ / "snapshots" / commit_;
    make_cache();
    remember(revision.files);
    const ReadListed read = [this](const std::string& file) {
      RemoteFile remote = inspect(file);
      remote.most_bytes = longest_small_file;
      fetch(remote);
      return platform::read_file(snapshot_ / file);
    };
    const std::vector<std::string> files = needed_files(revision.files, read, fmt::format("{}@{}", name_, revision_));
    std::vector<RemoteFile> missing;
    for (const std::string& file : files) {
      if (!is_there(file)) missing.push_back(inspect(file));
    }
    check_space(missing);
    for (const RemoteFile& file : missing) fetch(file);
    remember_revision();

    PullResult result{.folder = snapshot_, .name = name_, .commit = commit_, .files = files.size(), .files_fetched = fetched_};
    for (const std::string& file : files) result.bytes += fs::file_size(snapshot_ / file);
    result.bytes_fetched = bytes_fetched_;
    return result;
  }

 private:
  template <class Request>
  auto with_retries(Request&& request) {
    Retry retry(options_.tries, options_.stop);
    while (true) {
      try {
        return request();
      } catch (const HttpError& error) {
        retry.pause(error);
      }
    }
  }

  // What the hub's answer means for the user, who gave a name and perhaps a token.
  [[nodiscard]] Error explained(const HttpError& error, const std::string& file) const {
    constexpr std::string_view token_advice =
        "give the token of a user who may read it in HF_TOKEN, or with `hf auth login`, and accept the model's terms on its page if it has "
        "any";
    const std::string what = file.empty() ? name_ : fmt::format("{} of {}", file, name_);
    if (error.code == "RevisionNotFound") return {Status::not_found, fmt::format("the model {} has no revision {}", name_, revision_)};
    if (error.code == "EntryNotFound") return {Status::not_found, fmt::format("the model {} has no file {}", name_, file)};
    if (error.code == "RepoNotFound" || (error.http_status == 404 && file.empty())) {
      return {Status::not_found, fmt::format("{} has no model {}, or it is private: {}", endpoint_, name_, token_advice)};
    }
    if (error.http_status == 404) return {Status::not_found, fmt::format("{} has no file {} of the model {}", endpoint_, file, name_)};
    if (error.code == "GatedRepo" || error.http_status == 401 || error.http_status == 403) {
      return {Status::io_error, fmt::format("{} refuses {} ({}): {}", endpoint_, what, error.http_status, token_advice)};
    }
    return error;
  }

  template <class Request>
  auto explaining(const std::string& file, Request&& request) const {
    try {
      return request();
    } catch (const HttpError& error) {
      throw explained(error, file);
    }
  }

  Revision list_files() {
    const std::string url = fmt::format("{}/api/models/{}/revision/{}", endpoint_, name_, percent_encoded(revision_));
    const std::string text = explaining({}, [&] {
      return with_retries([&] {
        std::string body;
        HttpSink sink;
        sink.body = [&](std::string_view bytes) {
          if (body.size() + bytes.size() > longest_small_file) throw Error(Status::invalid_data, nonsense("a list of files without end"));
          body += bytes;
        };
        client_.send({.url = url, .what = name_, .patience = timeouts_.download}, sink);
        return body;
      });
    });
    const JsonDocument document(text, fmt::format("the answer of {} for {}", endpoint_, name_), Status::invalid_data);
    std::string_view commit;
    simdjson::dom::array siblings;
    if (document.root()["sha"].get(commit) || !is_commit(commit)) throw Error(Status::invalid_data, nonsense("an answer without commit"));
    if (document.root()["siblings"].get(siblings)) throw Error(Status::invalid_data, nonsense("an answer without files"));
    Revision revision{std::string(commit), {}};
    for (const simdjson::dom::element sibling : siblings) {
      std::string_view file;
      if (sibling["rfilename"].get(file)) throw Error(Status::invalid_data, nonsense("a file without name"));
      if (!is_safe_path(file)) throw Error(Status::invalid_data, nonsense(fmt::format("a file of the name {}", in_quotes(file))));
      if (revision.files.size() >= most_files) throw Error(Status::invalid_data, nonsense(fmt::format("more than {} files", most_files)));
      revision.files.emplace(file);
    }
    return revision;
  }

  [[nodiscard]] std::string nonsense(const std::string& what) const {
    return fmt::format("{} gives {} for the model {}; is it a hub?", endpoint_, what, name_);
  }

  [[nodiscard]] std::string url_of(const std::string& file) const {
    std::string path;
    std::string_view rest = file;
    while (true) {
      const std::size_t slash = rest.find('/');
      path.append("/").append(percent_encoded(rest.substr(0, slash)));
      if (slash == std::string_view::npos) break;
      rest.remove_prefix(slash + 1);
    }
    return fmt::format("{}/{}/resolve/{}{}", endpoint_, name_, commit_, path);
  }

  // Whether the snapshot has it, in which case it is right: a commit never changes.
  [[nodiscard]] bool is_there(const std::string& file) const {
    std::error_code error;
    return fs::is_regular_file(snapshot_ / file, error);
  }

  // Asks the hub for size and ETag. Of a file that is there neither is needed.
  RemoteFile inspect(const std::string& file) {
    if (is_there(file)) return {file, {}, fs::file_size(snapshot_ / file)};
    const HttpResponse response = explaining(file, [&] {
      return with_retries([&] { return client_.send({.url = url_of(file), .what = file, .head = true, .patience = timeouts_.metadata}); });
    });
    const std::string* commit = response.header("x-repo-commit");
    if (commit == nullptr || *commit != commit_) {
      throw Error(Status::invalid_data, nonsense(fmt::format("{} without its commit {}", file, commit_)));
    }
    const std::string* linked = response.header("x-linked-etag");
    const std::string* plain = linked != nullptr ? linked : response.header("etag");
    const std::string_view etag = plain == nullptr ? std::string_view() : normalized(*plain);
    if (!is_blob_name(etag)) throw Error(Status::invalid_data, nonsense(fmt::format("{} with the ETag {}", file, in_quotes(etag))));
    RemoteFile remote{file, std::string(etag), number(response.header("x-linked-size"))};
    if (!remote.size && response.status < 300) remote.size = number(response.header("content-length"));
    total_ += remote.size.value_or(0);
    return remote;
  }

  void make_cache() const {
    platform::create_folders(cache_);
    const fs::path tag = cache_ / "CACHEDIR.TAG";  // tells backup programs to leave the cache out (bford.info/cachedir)
    std::error_code error;
    if (!fs::exists(tag, error)) {
      try {
        platform::write_file(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# Model files that can be fetched again.\n");
      } catch (const Error&) {  // a cache that others may write to, but not we
      }
    }
  }

  void check_space(const std::vector<RemoteFile>& missing) const {
    std::uint64_t needed = 0;
    for (const RemoteFile& file : missing) {
      std::error_code error;
      const fs::path blob = blob_of(file);
      if (fs::exists(blob, error)) continue;
      const std::uint64_t there = fs::file_size(partial_of(blob), error);
      const std::uint64_t size = file.size.value_or(0);
      if (error || there > size) {
        needed = size > UINT64_MAX - needed ? UINT64_MAX : needed + size;
      } else {
        needed += size - there;
      }
    }
    std::error_code error;
    const fs::space_info space = fs::space(cache_, error);
    if (error || needed == 0 || needed < space.available - std::min<std::uint64_t>(space.available, spare_bytes)) return;
    throw Error(Status::io_error,
                fmt::format("the model {} needs {:.0f} MB more, but {} has only {:.0f} MB free", name_, static_cast<double>(needed) / 1e6,
                            cache_.string(), static_cast<double>(space.available) / 1e6));
  }

  [[nodiscard]] fs::path blob_of(const RemoteFile& file) const { return repository_ / "blobs" / file.etag; }

  [[nodiscard]] static fs::path partial_of(const fs::path& blob) { return blob.parent_path() / (blob.filename().string() + ".incomplete"); }

  void fetch(const RemoteFile& file) {
    if (is_there(file.name)) return;
    const fs::path blob = blob_of(file);
    const fs::path pointer = snapshot_ / file.name;
    const fs::path locks = cache_ / ".locks" / repository_folder(name_);
    platform::create_folders(blob.parent_path());
    platform::create_folders(pointer.parent_path());
    platform::create_folders(locks);
    const platform::FileLock lock = wait_for(locks / (file.etag + ".lock"), file.name);
    std::error_code error;
    const bool there = fs::is_regular_file(blob, error) && (!file.size || fs::file_size(blob, error) == *file.size);
    if (!there) {
      // Where locks do not exclude, another process may be writing too: then the partial file has a name of its own, which nobody resumes.
      const fs::path partial = lock.excludes() ? partial_of(blob) : platform::temporary_name(blob);
      const TemporaryFile unfinished(lock.excludes() ? fs::path() : partial);
      const Download job{.client = client_,
                         .file = file,
                         .url = url_of(file.name),
                         .patience = timeouts_.download,
                         .tries = options_.tries,
                         .stop = options_.stop,
                         .on_bytes = [&](std::uint64_t bytes) { report(file, bytes); }};
      bytes_fetched_ += explaining(file.name, [&] { return download(job, partial, blob); });
      ++fetched_;
    }
    platform::replace_link(blob.lexically_relative(pointer.parent_path()), pointer);
    const std::uint64_t size = fs::file_size(blob);
    done_ += size;
    if (!file.size) total_ += size;
    report_now({file.name, size, size, done_, total_, seconds()});
  }

  platform::FileLock wait_for(const fs::path& path, const std::string& file) {
    for (bool told = false;; told = true) {
      if (auto lock = platform::FileLock::try_acquire(path)) return std::move(*lock);
      if (!told) platform::log(LogLevel::info, fmt::format("another process is fetching {} of {}; waiting for it", file, name_));
      if (!sleep_for(lock_interval, options_.stop)) {
        throw Error(Status::cancelled, fmt::format("cancelled while another process fetched {}", file));
      }
    }
  }

  void remember(const FileList& files) const {
    try {
      remember_files(repository_, commit_, files);
    } catch (const Error& error) {  // a cache that others may write to, but not we, is of use all the same
      platform::log(LogLevel::debug, error.what());
    }
  }

  // Readers find either the old commit, whole, or the new one, whole: the reference changes last.
  void remember_revision() const {
    if (revision_ == commit_) return;
    const fs::path reference = repository_ / "refs" / revision_;
    try {
      if (cached_commit(repository_, revision_) == commit_) return;
    } catch (const Error&) {  // damaged: written anew
    }
    platform::write_file_whole(reference, commit_);
  }

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  void report(const RemoteFile& file, std::uint64_t bytes) {
    const auto now = Clock::now();
    if (now - reported_ < progress_interval) return;
    reported_ = now;
    report_now({file.name, bytes, file.size.value_or(0), done_ + bytes, total_, seconds()});
  }

  void report_now(const PullProgress& progress) const {
    if (options_.on_progress) options_.on_progress(progress);
  }

  std::string name_;
  std::string revision_;
  const PullOptions& options_;
  std::string endpoint_;
  Timeouts timeouts_;
  HttpClient client_;
  fs::path cache_;
  fs::path repository_;
  std::string commit_;
  fs::path snapshot_;

  std::size_t fetched_ = 0;
  std::uint64_t bytes_fetched_ = 0;
  std::uint64_t done_ = 0;   // bytes of the files that are finished
  std::uint64_t total_ = 0;  // of those that are known to be needed, and were not there
  Clock::time_point begin_ = Clock::now();
  Clock::time_point reported_{};
};

}  // namespace
}  // namespace model::hub

PullResult pull_model(std::string_view name, const PullOptions& options) {
  std::string resolved = hub_name(name);
  if (model::hub::is_offline()) {
    throw Error(Status::unsupported, fmt::format("cannot fetch {}: HF_HUB_OFFLINE is set, which forbids the network", resolved));
  }
  return model::hub::Pull(std::move(resolved), options).run();
}

}  // namespace inlay
