// Models by name: short aliases, the cache that is shared with Python's huggingface_hub, and downloads into it.
//
//   auto generator = inlay::EmbeddingGenerator::load("minilm", {.allow_download = true});     // found in the cache, or fetched
//
//   inlay::PullResult pulled = inlay::pull_model("BAAI/bge-small-en-v1.5");                   // fetched, or brought up to date
//   std::optional<std::filesystem::path> folder = inlay::find_model("bge-small");            // looked up; never touches the network
//
// A model's name is "organisation/name" as on the hub, a name without organisation where the hub has such, an alias of known_models(), or a
// sentence-transformers model of known_models() without its organisation ("all-mpnet-base-v2"). A folder of the same name comes first
// wherever a model is loaded.
//
// Environment, as huggingface_hub reads it: the cache is HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE, else HF_HOME/hub, else
// XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. Downloads further heed HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH,
// HF_HOME/token, HF_HUB_DISABLE_IMPLICIT_TOKEN, HF_HUB_OFFLINE, HF_HUB_ETAG_TIMEOUT, HF_HUB_DOWNLOAD_TIMEOUT, SSL_CERT_FILE, and
// http_proxy, https_proxy, all_proxy and no_proxy. It is read anew by each call, so it must not be changed by another thread meanwhile.
//
// Thread rule: any thread, any number at once; other processes, huggingface_hub's included, may work on the same cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace inlay {

/// A public model that is known to fit this library.
struct KnownModel {
  std::string_view alias;           ///< "minilm"
  std::string_view name;            ///< "sentence-transformers/all-MiniLM-L6-v2"
  std::size_t dimension;            ///< components of a vector
  std::size_t max_sequence_length;  ///< tokens of a text used at most, special tokens included
  std::size_t megabytes;            ///< size of the weights as published, in units of 1,000,000 bytes
  std::string_view good_for;        ///< in a few words
};

/// All of them, in the order in which they are recommended. Static.
[[nodiscard]] std::span<const KnownModel> known_models() noexcept;

/// The name on the hub of an alias, a short name or a name: "minilm" gives "sentence-transformers/all-MiniLM-L6-v2", "a/b" gives "a/b".
/// Throws Error (invalid_argument) for what cannot be a model's name: "../x", "a/b/c", "/x", control characters, parts of more than 96
/// characters.
[[nodiscard]] std::string hub_name(std::string_view name);

/// The cache's folder by the environment, which need not exist. Throws Error (not_found) when no home folder is known.
[[nodiscard]] std::filesystem::path hub_cache();

struct HubOptions {
  std::string revision{};         ///< branch, tag or commit; empty: "main"
  std::filesystem::path cache{};  ///< empty: hub_cache()
};

/// The folder in the cache that holds this revision of the model with the files that loading it needs; nothing when there is none. Reads a
/// few files, writes none. Throws Error: invalid_argument, io_error.
///
/// A snapshot is known to be whole where the cache tells which files the hub has of the commit: pull_model leaves such a list, and so does
/// huggingface_hub's snapshot_download. Where there is none, a snapshot that can be loaded counts, with a warning in the log (log.hpp), once,
/// when it has no modules.json: another program may have fetched only a part, without what says how its vectors are made.
[[nodiscard]] std::optional<std::filesystem::path> find_model(std::string_view name, const HubOptions& options = {});

/// How far a download has come, in bytes. `total` grows while the files that are needed are being found out.
struct PullProgress {
  std::string_view file{};       ///< the one under way, relative to the model's folder; valid during the callback
  std::uint64_t file_bytes = 0;  ///< of that file, those that were there before included
  std::uint64_t file_total = 0;  ///< 0: the server doesn't say
  std::uint64_t bytes = 0;       ///< of all files
  std::uint64_t total = 0;
  double seconds = 0;  ///< since the call began
};

struct PullOptions {
  std::string revision{};              ///< branch, tag or commit; empty: "main"
  std::filesystem::path cache{};       ///< empty: hub_cache()
  std::string endpoint{};              ///< "https://huggingface.co", with http or https; empty: HF_ENDPOINT, else that
  std::optional<std::string> token{};  ///< of a user who may read the model; empty string: none; not set: as the environment says
  unsigned tries = 5;      ///< at most, for each request in a row that brings nothing; at least 1. The pause between them doubles
                           ///< from half a second on, or is what the server asks for, up to five minutes
  std::stop_token stop{};  ///< when a stop is requested the call ends within a second or two with Error (cancelled)
  /// Called on the calling thread, about ten times a second while bytes arrive. What it throws ends the call with that exception.
  std::function<void(const PullProgress&)> on_progress{};
};

struct PullResult {
  std::filesystem::path folder{};  ///< the snapshot, fit for EmbeddingGenerator::load
  std::string name{};              ///< on the hub
  std::string commit{};            ///< that the revision stands for
  std::size_t files = 0;           ///< that make up the model
  std::size_t files_fetched = 0;   ///< the others were there
  std::uint64_t bytes = 0;         ///< of all files
  std::uint64_t bytes_fetched = 0;
};

/// Where a folder that find_model gives is known to be whole, that folder, without touching the network; else pull_model's: of the commit
/// that is there, where one is. When HF_HUB_OFFLINE is set or the hub fails, what find_model gives must do, with a warning in the log.
/// EmbeddingGenerator::load does the same under GeneratorOptions::allow_download. Throws Error: as both.
[[nodiscard]] std::filesystem::path find_or_pull_model(std::string_view name, const PullOptions& options = {});

/// Fetches the model's files, only those that loading it needs, from the hub into the cache, or brings them up to date; what is there
/// already is not fetched again. Files arrive under a temporary name and are renamed once size and, where the hub tells it, SHA-256 are
/// right; what an interrupted call has left is taken up again. Another process that fetches the same file is waited for. Throws Error:
/// invalid_argument (the name, the revision, an option), not_found (no such model, revision or file on the hub), io_error (the network, the
/// server, access refused, a full disk), invalid_data (the server's answer makes no sense), invalid_model (a file's bytes are not those
/// that the hub names), unsupported (no weights of a known format; a build without network: INLAY_HUB=OFF; HF_HUB_OFFLINE is set),
/// cancelled.
[[nodiscard]] PullResult pull_model(std::string_view name, const PullOptions& options = {});

}  // namespace inlay
