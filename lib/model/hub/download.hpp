// One file of the hub, fetched into the cache's blobs: resumed, retried, checked, and put in place in one step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <stop_token>
#include <string>

#include "model/hub/http.hpp"

namespace inlay::model::hub {

/// How often to try, and the pauses between.
class Retry {
 public:
  Retry(unsigned tries, std::stop_token stop);

  /// Something has come of the last try: the count begins anew.
  void succeeded() noexcept { failed_ = 0; }

  /// After a failed try: waits, and returns when the next one is due. Throws the error, with the number of tries, when it is not transient,
  /// when there have been enough, or when the server asks for too long a pause; Error (cancelled) when a stop is requested.
  void pause(const HttpError& error);

 private:
  unsigned tries_;
  unsigned failed_ = 0;
  std::stop_token stop_;
  std::minstd_rand random_{std::random_device{}()};
};

/// Waits, unless a stop is requested; false: one was.
bool sleep_for(std::chrono::milliseconds time, const std::stop_token& stop);

/// What the hub says of a file.
struct RemoteFile {
  std::string name;                       ///< relative to the model's folder
  std::string etag;                       ///< the blob's name: SHA-256 of large files, git's object id of others
  std::optional<std::uint64_t> size;      ///< where the server says
  std::uint64_t most_bytes = UINT64_MAX;  ///< a longer one is refused
};

/// Bytes at most of a file that is JSON to be read, and of one that the server tells neither size nor SHA-256 of.
inline constexpr std::uint64_t longest_small_file = std::uint64_t{32} << 20;

struct Download {
  HttpClient& client;
  const RemoteFile& file;
  std::string url;
  std::chrono::seconds patience;
  unsigned tries;
  std::stop_token stop;
  std::function<void(std::uint64_t bytes)> on_bytes;  ///< how many of the file's are there
};

/// Fetches into `path`, taking up what is there where its SHA-256 can be checked, and renames it to `blob`. Returns how many bytes came over
/// the network. Throws Error: as pull_model.
std::uint64_t download(const Download& download, const std::filesystem::path& path, const std::filesystem::path& blob);

}  // namespace inlay::model::hub
