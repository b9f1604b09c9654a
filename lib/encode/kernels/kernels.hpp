// The CPU kernels of the encoder, fp32, chosen at run time by what the processor can do.
//
// One source (kernels_body.hpp) is compiled once per instruction set, written with the compiler's vector types, so that each set computes
// the same thing in the same order. Every kernel computes a row (a token) the same way whatever rows stand beside it: a text's vector is
// bit for bit the same in any batch.
//
// Matrices are row-major. Weights of linear layers are packed: see packed_floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/activation.hpp"

namespace inlay::encode {

using model::Activation;

/// A score's share that depends on the distance between key and query alone: bias[key - query], log-odds, for each head.
struct RelativeBias {
  const float* values = nullptr;  ///< [heads, 2 * positions - 1], distance 0 in the middle of a row; null: none
  std::size_t positions = 0;      ///< no sequence is longer
};

struct Kernels {
  const char* name;         ///< "avx512", "avx2", "portable"
  std::size_t panel_width;  ///< columns of a packed panel

  /// Packs weight [out, in] as panels of panel_width output columns: [ceil(out / panel_width)][in][panel_width], zero beyond `out`.
  void (*pack)(const float* weight, std::size_t out, std::size_t in, float* packed);

  /// y [rows, out] = activation(x [rows, in] · weightᵀ + bias) + residual [rows, out]; bias and residual may be null; y may be residual.
  void (*linear)(const float* x, std::size_t rows, std::size_t in, const float* packed, const float* bias, std::size_t out,
                 Activation activation, const float* residual, float* y);

  /// Scaled dot-product attention of several sequences that lie one after the other: qkv [tokens, 3 · heads · size] holds each token's
  /// queries, keys and values; y [tokens, heads · size]. softmax(q·kᵀ / sqrt(size) + bias) · v per sequence and head, without mask or
  /// padding. scratch: attention_scratch floats for the longest sequence.
  void (*attention)(const float* qkv, const std::int64_t* lengths, std::size_t sequences, std::size_t heads, std::size_t size,
                    RelativeBias bias, float* y, float* scratch);
  std::size_t (*attention_scratch)(std::size_t longest, std::size_t size);

  /// y [rows, width] = (x - mean) / sqrt(variance + epsilon) · gamma + beta, per row; y may be x.
  void (*layer_norm)(const float* x, std::size_t rows, std::size_t width, const float* gamma, const float* beta, float epsilon, float* y);

  /// y [rows, width] = word[tokens[i]] + position[positions[i]] + type; type may be null.
  void (*embed)(const std::int64_t* tokens, const std::int64_t* positions, std::size_t rows, std::size_t width, const float* word,
                const float* position, const float* type, float* y);
};

/// Floats that a packed weight takes.
inline std::size_t packed_floats(const Kernels& kernels, std::size_t out, std::size_t in) {
  return (out + kernels.panel_width - 1) / kernels.panel_width * kernels.panel_width * in;
}

/// The kernels for this processor.
const Kernels& kernels() noexcept;

/// One set each; avx2() and avx512() only exist on x86-64, and avx512() must not run without that set. For the tests.
const Kernels& kernels_portable() noexcept;
const Kernels& kernels_avx2() noexcept;
const Kernels& kernels_avx512() noexcept;

}  // namespace inlay::encode
