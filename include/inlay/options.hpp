// Options of a generator and of a call: plain aggregates with defaults, fit for designated initialisers.
//
//   auto generator = inlay::EmbeddingGenerator::load("models/all-MiniLM-L6-v2", {.device = inlay::Device::cpu(), .threads = 2});
//   generator.embed(texts, {.stop = source.get_token(), .on_progress = [](const inlay::Progress& p) { ... }});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "inlay/text_preparator.hpp"

namespace inlay {

enum class DeviceType : std::int32_t { automatic = 0, cpu = 1, cuda = 2 };

struct Device {
  DeviceType type = DeviceType::automatic;
  int index = 0;  ///< which of several CUDA devices

  /// CUDA where this build of libtorch and this machine have it, else the CPU.
  [[nodiscard]] static constexpr Device automatic() noexcept { return {}; }
  [[nodiscard]] static constexpr Device cpu() noexcept { return {DeviceType::cpu, 0}; }
  [[nodiscard]] static constexpr Device cuda(int index = 0) noexcept { return {DeviceType::cuda, index}; }

  /// "auto", "cpu", "cuda" or "cuda:N". Throws Error (invalid_argument) for anything else.
  [[nodiscard]] static Device parse(std::string_view text);

  friend constexpr bool operator==(const Device&, const Device&) = default;
};

/// "auto", "cpu", "cuda:0".
[[nodiscard]] std::string to_string(Device device);

/// The type of the weights and of the arithmetic.
enum class Precision : std::int32_t { fp32 = 0 };

[[nodiscard]] std::string_view to_string(Precision precision) noexcept;

/// How token vectors become one vector of the text. The definitions, and the names in parse_pooling, are sentence-transformers'.
/// With n tokens (special tokens included) and token vectors h_1 … h_n:
enum class Pooling : std::int32_t {
  mean = 0,           ///< sum(h) / n
  cls = 1,            ///< h_1
  max = 2,            ///< the largest of each component
  mean_sqrt_len = 3,  ///< sum(h) / sqrt(n)
  weighted_mean = 4,  ///< sum(i · h_i) / sum(i), i counted from 1
  last_token = 5,     ///< h_n
};

/// "mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken".
[[nodiscard]] std::string_view to_string(Pooling pooling) noexcept;

/// The inverse of to_string; "mean_sqrt_len", "weighted_mean" and "last_token" are understood too. Throws Error (invalid_argument) with
/// "Invalid pooling method" for any other name.
[[nodiscard]] Pooling parse_pooling(std::string_view name);

struct GeneratorOptions {
  Device device{};
  Precision precision = Precision::fp32;
  std::size_t batch_tokens = 0;  ///< tokens in a batch at most, one longer text alone excepted; 0: the library's choice for the device
  std::size_t batch_size = 0;    ///< items in a batch at most; 0: no limit but batch_tokens
  std::size_t max_sequence_length = 0;  ///< tokens of a text used at most, special tokens included; 0: the model's own limit. A larger
                                        ///< value than the model has positions for is an error
  bool normalize = true;                ///< whether vectors are scaled to length 1
  std::size_t threads = 0;              ///< threads that the generator computes with at most; 0: one per processor of this process
  std::optional<Pooling> pooling{};     ///< instead of what the model's files say
  std::size_t truncate_dim = 0;         ///< keep only the first components (before normalisation); 0: all
  DocumentPreparator preparator = TextPreparator{};
  std::string revision{};       ///< of a model that is given by its name on the hub: branch, tag or commit; empty: "main"
  bool allow_download = false;  ///< whether a model that is not in the hub's cache may be fetched (hub.hpp)
};

/// How far a call has come. Counts are of this call alone.
struct Progress {
  std::size_t done = 0;    ///< items finished
  std::size_t total = 0;   ///< items of the call; of a stream 0 while that is not known
  std::size_t tokens = 0;  ///< tokens encoded
  double seconds = 0;      ///< since the call began
  double tokens_per_second = 0;
};

/// What becomes of a text that has more tokens than the model takes.
enum class LongText : std::int32_t {
  truncate = 0,  ///< its first tokens count, and its report says so (ItemReport::truncated)
  average = 1,   ///< it is cut into chunks, and its vector is the mean of theirs, weighted by their tokens
  error = 2,     ///< it fails: Status::invalid_argument
};

/// "truncate", "average", "error".
[[nodiscard]] std::string_view to_string(LongText policy) noexcept;

/// The inverse of to_string. Throws Error (invalid_argument) for any other name.
[[nodiscard]] LongText parse_long_text(std::string_view name);

struct LongTextOptions {
  LongText policy = LongText::truncate;
  /// For `average`, tokens of a chunk at most, special tokens and the model's prompt, which every chunk gets, included: longer texts are
  /// cut. 0, or more than that: the generator's max_sequence_length. RecursiveCharacterTextSplitter (text_splitter.hpp) makes the cuts, at the
  /// separators of a document's language.
  std::size_t chunk_size = 0;
  std::size_t chunk_overlap = 0;  ///< tokens that a chunk repeats of the one before it, at most; less than fit into a chunk

  friend constexpr bool operator==(const LongTextOptions&, const LongTextOptions&) = default;
};

struct CallOptions {
  /// When a stop is requested the call returns soon: batches in flight are finished, the rest is reported as Status::cancelled.
  std::stop_token stop{};
  /// Called after batches end: by embed and its kin on the calling thread, once for all that ended meanwhile; by the _async forms on one of
  /// the library's threads, one call at a time. What it throws ends the call with that exception.
  std::function<void(const Progress&)> on_progress{};
  LongTextOptions long_text{};
};

}  // namespace inlay
