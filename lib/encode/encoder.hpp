// Encoder: token ids in, one vector per sequence out. A model's transformer on a device, without torch in its interface.
//
// Immutable; any number of threads may call one. The calling thread's libtorch settings apply: the library calls it from threads of its
// own, where intra-op parallelism is off (see compute_alone).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "inlay/options.hpp"
#include "model/model_config.hpp"
#include "model/model_source.hpp"

namespace inlay::encode {

/// Sequences of token ids one after the other, none empty.
struct TokenBatch {
  std::span<const std::int64_t> tokens;   ///< all sequences' ids
  std::span<const std::int64_t> lengths;  ///< of each sequence
  std::span<const std::int64_t> skip;     ///< of each sequence, leading tokens that pooling leaves out; fewer than its length
};

/// Which of its results counts where a TorchScript program gives both.
enum class ScriptOutput { hidden_states, vector };

class Encoder {
 public:
  /// Loads, or finds: encoders of the same files on one device are one object, as long as somebody holds it. `source` holds the
  /// transformer's own files; `device` is not automatic. Throws Error.
  [[nodiscard]] static std::shared_ptr<const Encoder> load(const model::ModelSource& source, const model::TransformerConfig& config,
                                                           Device device);

  /// A TorchScript program, a mapped file that require_torchscript accepts, as EmbeddingGenerator::load describes it. `sample` is some
  /// tokens, not empty, for which it is tried here with batches of several sizes and lengths. Shared as by load. Throws Error, with what
  /// helps: invalid_model, unsupported.
  [[nodiscard]] static std::shared_ptr<const Encoder> load_script(const model::FileBytes& file, std::span<const std::int64_t> sample,
                                                                  ScriptOutput preferred, Device device);

  virtual ~Encoder() = default;

  /// Writes lengths.size() rows of poolings.size() * width() floats: the pooled vectors of a text one behind the other. Throws Error:
  /// out_of_memory, internal.
  virtual void encode(const TokenBatch& batch, std::span<const Pooling> poolings, float* vectors) const = 0;

  /// Components of a token's hidden state; of the vector where pools().
  [[nodiscard]] virtual std::size_t width() const noexcept = 0;

  /// Whether the model gives one vector a text by itself, so that encode's poolings and skip are without effect.
  [[nodiscard]] virtual bool pools() const noexcept { return false; }

  /// Tokens that the model has positions for; no sequence may be longer.
  [[nodiscard]] virtual std::size_t longest_sequence() const noexcept = 0;

  /// A hash of the weights' files. The first call reads them whole.
  [[nodiscard]] virtual const std::string& weights_hash() const = 0;

  [[nodiscard]] virtual std::size_t bytes() const noexcept = 0;  ///< of memory that the weights take
  [[nodiscard]] virtual std::size_t parameters() const noexcept = 0;
};

/// The model_types that can be encoded, sorted.
[[nodiscard]] std::span<const std::string_view> architecture_names() noexcept;

/// Tokens of the longest sequence that a transformer of this shape has positions for, as far as the architecture is known.
[[nodiscard]] std::size_t longest_sequence(const model::TransformerConfig& config) noexcept;

/// The device that an option means on this machine. Throws Error (unsupported) for a CUDA device that is not there.
[[nodiscard]] Device resolve(Device device);

/// What computes on a device: "avx2", "avx512", "portable", or "aten" where libtorch's own operators do.
[[nodiscard]] std::string kernels_name(Device device);

/// Bytes that libtorch's allocator keeps on the device for reuse; gives them back.
[[nodiscard]] std::size_t device_cached_bytes(Device device);
void release_device_cache(Device device);

/// Makes the calling thread one that computes alone: libtorch, OpenMP and MKL start no further threads for it. No other thread's setting
/// and none of the process's changes.
void compute_alone();

}  // namespace inlay::encode
