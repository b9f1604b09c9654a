#include "model/hub/download.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "model/hub/names.hpp"
#include "model/hub/sha256.hpp"
#include "platform/files.hpp"
#include "platform/log.hpp"

namespace inlay::model::hub {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 500ms;
constexpr auto longest_pause = 30s;
constexpr auto longest_request = 300s;  // that we heed when a server asks for a pause

// A try that got this many bytes further was not in vain. One that got less far counts, so that a server that hangs up after every byte is
// given up.
constexpr std::uint64_t worthwhile = std::uint64_t{256} << 10;

bool is_sha256(std::string_view etag) {
  const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return etag.size() == 64 && std::ranges::all_of(etag, hexadecimal);
}

// The first byte of "bytes 100-199/200".
std::optional<std::uint64_t> range_begin(const HttpResponse& response) {
  const std::string* range = response.header("content-range");
  constexpr std::string_view unit = "bytes ";
  std::uint64_t begin = 0;
  if (range == nullptr || !range->starts_with(unit)) return std::nullopt;
  const auto [end, error] = std::from_chars(range->data() + unit.size(), range->data() + range->size(), begin);
  if (error != std::errc() || end == range->data() + range->size() || *end != '-') return std::nullopt;
  return begin;
}

// The whole file's size, by the answer to a GET.
std::optional<std::uint64_t> whole_size(const HttpResponse& response) {
  const std::string* text = response.header(response.status == 206 ? "content-range" : "content-length");
  if (text == nullptr) return std::nullopt;
  std::string_view digits = *text;
  digits.remove_prefix(digits.rfind('/') + 1);
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return size;
}

bool holds_weights(std::string_view file) { return file.ends_with(".safetensors") || file.ends_with(".bin"); }

// The file under way: its bytes on the disk, and their hash.
class Partial {
 public:
  Partial(const Download& download, const std::filesystem::path& path)
      : download_(download), disk_(path), hashed_(is_sha256(download.file.etag)), size_(download.file.size) {
    check_size();
    if (!hashed_ || (size_ && disk_.size() > *size_)) disk_.clear();  // without a hash nothing tells what the bytes are
    disk_.read([this](std::string_view bytes) {
      if (download_.stop.stop_requested()) {
        throw Error(Status::cancelled, fmt::format("cancelled while checking what is there of {}", download_.file.name));
      }
      hash_.update(bytes);
    });
    download_.on_bytes(disk_.size());
  }

  /// What the answer to a GET tells, of a file of which nothing was known.
  void learn_size(const HttpResponse& response) {
    if (download_.file.size) return;
    size_ = whole_size(response);
    check_size();
    if (!size_ && !hashed_ && holds_weights(download_.file.name)) {
      throw Error(Status::invalid_data, fmt::format("cannot fetch {}: the server tells neither its size nor its SHA-256, so nothing would "
                                                    "show whether all has come",
                                                    download_.file.name));
    }
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return disk_.size(); }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }  // over the network, by this object

  [[nodiscard]] std::optional<std::uint64_t> expected() const noexcept { return size_; }
  [[nodiscard]] bool is_complete() const noexcept { return size_ == disk_.size(); }

  void clear() {
    disk_.clear();
    hash_ = {};
    download_.on_bytes(0);
  }

  void append(std::string_view bytes) {
    if (size_ && disk_.size() + bytes.size() > *size_) {
      throw Error(Status::invalid_data,
                  fmt::format("cannot fetch {}: the server sends more than its {} bytes", download_.file.name, *size_));
    }
    if (disk_.size() + bytes.size() > most_bytes()) refuse_length("more");
    disk_.append(bytes);
    received_ += bytes.size();
    if (hashed_) hash_.update(bytes);
    download_.on_bytes(disk_.size());
  }

  /// What the hash is instead of what it should be; nothing where it is right, or not known.
  [[nodiscard]] std::optional<std::string> wrong_hash() const {
    if (!hashed_ || hash_.digest() == download_.file.etag) return std::nullopt;
    return hash_.digest();
  }

  /// The bytes are on the disk for good, and are those that were hashed.
  void finish() {
    disk_.flush_to_disk();
    disk_.check_untouched();
  }

 private:
  [[nodiscard]] std::uint64_t most_bytes() const noexcept {
    const bool unknown = !size_ && !hashed_;
    return unknown ? std::min(download_.file.most_bytes, longest_small_file) : download_.file.most_bytes;
  }

  void check_size() const {
    if (size_ && *size_ > most_bytes()) refuse_length(fmt::format("{} bytes, more", *size_));
  }

  [[noreturn]] void refuse_length(const std::string& length) const {
    throw Error(Status::invalid_data, fmt::format("cannot fetch {}: the server sends {} than the {} bytes that such a file may have",
                                                  download_.file.name, length, most_bytes()));
  }

  const Download& download_;
  platform::AppendedFile disk_;
  bool hashed_;
  std::optional<std::uint64_t> size_;  // of the whole file, where it is known
  Sha256 hash_;
  std::uint64_t received_ = 0;
};

// One request, for what is missing.
void request_rest(const Download& download, Partial& partial) {
  HttpSink sink;
  sink.begin = [&](const HttpResponse& response) {
    partial.learn_size(response);
    if (partial.size() == 0) return;
    if (response.status != 206) {  // the server does not do ranges: all comes again
      partial.clear();
    } else if (range_begin(response) != partial.size()) {
      throw Error(Status::invalid_data, fmt::format("cannot fetch {}: asked for its bytes from {} on, the server answers with others",
                                                    download.file.name, partial.size()));
    }
  };
  sink.body = [&](std::string_view bytes) { partial.append(bytes); };
  try {
    download.client.send({.url = download.url, .what = download.file.name, .offset = partial.size(), .patience = download.patience}, sink);
  } catch (HttpError& error) {
    if (error.http_status == 416 && partial.size() > 0) {  // what we have is no part of that file
      partial.clear();
      error.transient = true;
    }
    throw;
  }
}

void fetch(const Download& download, Partial& partial) {
  Retry retry(download.tries, download.stop);
  std::uint64_t furthest = partial.size();  // a server that starts over each time must get further, or is given up
  while (!partial.is_complete()) {
    try {
      request_rest(download, partial);
      if (!partial.expected() || partial.is_complete()) return;
      HttpError error(Status::io_error, fmt::format("cannot fetch {}: the connection ended after {} of {} bytes", download.file.name,
                                                    partial.size(), *partial.expected()));
      error.transient = true;
      throw error;
    } catch (const HttpError& error) {
      if (partial.size() >= furthest + worthwhile) retry.succeeded();
      furthest = std::max(furthest, partial.size());
      retry.pause(error);
    }
  }
}

}  // namespace

Retry::Retry(unsigned tries, std::stop_token stop) : tries_(tries), stop_(std::move(stop)) {
  if (tries == 0) throw Error(Status::invalid_argument, "tries is 0, at least 1 is needed");
}

void Retry::pause(const HttpError& error) {
  ++failed_;
  if (!error.transient) throw HttpError(error);
  if (failed_ >= tries_) {
    if (tries_ == 1) throw HttpError(error);
    throw Error(error.status(), fmt::format("{} ({} tries)", error.what(), failed_));
  }
  std::chrono::milliseconds wait = std::min<std::chrono::milliseconds>(first_pause * (1U << std::min(failed_ - 1, 16U)), longest_pause);
  if (error.retry_after) {
    if (*error.retry_after > longest_request) {
      throw Error(error.status(), fmt::format("{}; it asks to come back in {} s", error.what(), error.retry_after->count()));
    }
    wait = std::max<std::chrono::milliseconds>(wait, *error.retry_after);
  } else {
    // Spread, so that many clients of a server that has come back do not all return at once.
    wait = std::chrono::milliseconds(std::uniform_int_distribution<long>(wait.count() * 3 / 4, wait.count())(random_));
  }
  platform::log(LogLevel::warning, fmt::format("{}; trying again in {:.1f} s", error.what(), std::chrono::duration<double>(wait).count()));
  if (!sleep_for(wait, stop_)) throw Error(Status::cancelled, fmt::format("cancelled; before that: {}", error.what()));
}

bool sleep_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

std::uint64_t download(const Download& download, const std::filesystem::path& path, const std::filesystem::path& blob) {
  Partial partial(download, path);
  const bool resumed = partial.size() > 0;
  fetch(download, partial);
  std::optional<std::string> wrong = partial.wrong_hash();
  if (wrong && resumed) {  // what an earlier call had left may be at fault
    platform::log(LogLevel::warning, fmt::format("{}: what an earlier download left is damaged; fetching all of it", download.file.name));
    partial.clear();
    fetch(download, partial);
    wrong = partial.wrong_hash();
  }
  if (wrong) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    throw Error(Status::invalid_model, fmt::format("cannot fetch {}: its SHA-256 is {}, but the hub says {}; what came was thrown away",
                                                   download.file.name, *wrong, download.file.etag));
  }
  partial.finish();
  platform::replace_file(path, blob);
  return partial.received();
}

}  // namespace inlay::model::hub
