// The kernels, once per instruction set: a translation unit defines INLAY_KERNELS (the function that gives the set), INLAY_KERNELS_NAME,
// INLAY_LANES (floats of a vector), INLAY_TILE_ROWS and INLAY_TILE_VECTORS (the register tile), is compiled with that set's flags, and is
// nothing but those and this file.
//
// No standard header is used beyond types, and everything has internal linkage: an inline function of the standard library compiled here
// with AVX flags could be the copy that the linker keeps for the whole program.
//
// The one building block is `tile`: a register tile of rows × panel_width sums, x · packed weights. Linear layers, attention scores and
// attention outputs are all made of it. Every sum runs over k in ascending order with one fused multiply-add a step, whatever the tile's
// number of rows, which is what makes a row independent of its neighbours.

#include "encode/kernels/kernels.hpp"

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace inlay::encode {
namespace {

using Lanes [[gnu::vector_size(INLAY_LANES * sizeof(float))]] = float;
using IntLanes [[gnu::vector_size(INLAY_LANES * sizeof(float))]] = std::int32_t;
// The same, for addresses that are aligned to a float only.
using LooseLanes [[gnu::vector_size(INLAY_LANES * sizeof(float)), gnu::aligned(sizeof(float)), gnu::may_alias]] = float;

constexpr std::size_t lanes = INLAY_LANES;
constexpr std::size_t tile_rows = INLAY_TILE_ROWS;
constexpr std::size_t tile_vectors = INLAY_TILE_VECTORS;
constexpr std::size_t panel = lanes * tile_vectors;

// Rows and inputs of a block: a block of x stays in the second-level cache while all panels pass by. Inputs are cut late: each cut costs a
// round trip of the sums through y (benchmarks/README.md).
constexpr std::size_t block_rows = tile_rows * 8;
constexpr std::size_t block_inputs = 2048;

#define INLAY_INLINE [[gnu::always_inline]] inline

INLAY_INLINE Lanes load(const float* p) { return *reinterpret_cast<const LooseLanes*>(p); }
INLAY_INLINE void store(float* p, Lanes v) { *reinterpret_cast<LooseLanes*>(p) = v; }
INLAY_INLINE Lanes splat(float value) { return value - Lanes{}; }  // x - 0 is x, for -0 too: the subtraction vanishes
// a > b ? a : b and a < b ? a : b; as one instruction, where the compiler doesn't see that it is one.
#if defined(__AVX512F__) && INLAY_LANES == 16
INLAY_INLINE Lanes max(Lanes a, Lanes b) { return _mm512_max_ps(a, b); }
INLAY_INLINE Lanes min(Lanes a, Lanes b) { return _mm512_min_ps(a, b); }
#elif defined(__AVX__) && INLAY_LANES == 8
INLAY_INLINE Lanes max(Lanes a, Lanes b) { return _mm256_max_ps(a, b); }
INLAY_INLINE Lanes min(Lanes a, Lanes b) { return _mm256_min_ps(a, b); }
#elif defined(__SSE__) && INLAY_LANES == 4
INLAY_INLINE Lanes max(Lanes a, Lanes b) { return _mm_max_ps(a, b); }
INLAY_INLINE Lanes min(Lanes a, Lanes b) { return _mm_min_ps(a, b); }
#else
INLAY_INLINE Lanes max(Lanes a, Lanes b) { return a > b ? a : b; }
INLAY_INLINE Lanes min(Lanes a, Lanes b) { return a < b ? a : b; }
#endif

INLAY_INLINE std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }
INLAY_INLINE std::size_t rounded_up(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

INLAY_INLINE float sum(Lanes v) {  // pairwise, in a fixed order
  float part[lanes];
  store(part, v);
  for (std::size_t width = lanes / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) part[i] += part[i + width];
  }
  return part[0];
}

INLAY_INLINE float largest(Lanes v) {
  float part[lanes];
  store(part, v);
  float result = part[0];
  for (std::size_t i = 1; i < lanes; ++i) result = part[i] > result ? part[i] : result;
  return result;
}

// 2^t for t in [-126, 126]; relative error below 1.5e-7. 2^t = 2^n · 2^f with n the nearest integer; adding 1.5 · 2^23 rounds, and leaves n
// in the low bits, from where it is shifted into the exponent. The polynomial is the minimax one for 2^f on [-1/2, 1/2] (relative
// error 9.2e-8).
INLAY_INLINE Lanes exp2(Lanes t) {
  const Lanes magic = splat(12582912.0F);
  const Lanes shifted = t + magic;
  const Lanes f = t - (shifted - magic);
  Lanes p = splat(0.0013264727F);
  p = p * f + 0.009671513F;
  p = p * f + 0.055507336F;
  p = p * f + 0.24022242F;
  p = p * f + 0.693147F;
  p = p * f + 1.0F;
  return reinterpret_cast<Lanes>((reinterpret_cast<IntLanes>(shifted) << 23) + reinterpret_cast<IntLanes>(p));
}

constexpr float log2_e = 1.442695040888963F;

// e^x, x clamped to where the result is a normal number.
INLAY_INLINE Lanes exp(Lanes x) { return exp2(max(min(x * log2_e, splat(126.0F)), splat(-126.0F))); }

// gelu(x) = x · Φ(x) = max(x, 0) - |x| · Q(|x|), with Q(z) = erfc(z / √2) / 2, the normal distribution's upper tail, which is written as
// 2^-(1 + z · P(z)). P is the minimax polynomial for the error of |x| · Q on [0, 6.5], 8.3e-8; beyond that |x| · Q is below 3e-10.
INLAY_INLINE Lanes gelu(Lanes x) {
  const Lanes magnitude = max(x, -x);
  const Lanes z = min(splat(6.5F), magnitude);  // in this order a NaN comes through
  Lanes p = splat(-2.9924127e-05F);
  p = p * z + 0.00073987374F;
  p = p * z + -0.007977461F;
  p = p * z + 0.053238183F;
  p = p * z + 0.45891568F;
  p = p * z + 1.1511471F;
  p = p * z + 1.0F;
  return max(x, Lanes{}) - z * exp2(-p);  // z, not |x|: far out the tail stays below 3e-10
}

// x · σ(s): the logistic function, for silu (s = x) and for gelu's tanh form, ½x(1 + tanh u) = x · σ(2u).
INLAY_INLINE Lanes gated(Lanes x, Lanes s) { return x / (1.0F + exp(-s)); }

template <Activation activation>
INLAY_INLINE Lanes activate(Lanes x) {
  if constexpr (activation == Activation::gelu) return gelu(x);
  if constexpr (activation == Activation::gelu_tanh) return gated(x, 1.5957691216057308F * (x + 0.044715F * x * x * x));  // 2·√(2/π)
  if constexpr (activation == Activation::relu) return max(x, Lanes{});
  if constexpr (activation == Activation::silu) return gated(x, x);
  return x;
}

// sums[r][v] += x[r · stride + k] · packed[k · panel + v · lanes …] over k in [0, inputs).
template <std::size_t rows>
INLAY_INLINE void tile(const float* x, std::size_t stride, const float* packed, std::size_t inputs, Lanes (&sums)[rows][tile_vectors]) {
  const float* row[rows];
  for (std::size_t r = 0; r < rows; ++r) row[r] = x + r * stride;
  for (std::size_t k = 0; k < inputs; ++k) {
    Lanes weight[tile_vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < tile_vectors; ++v) weight[v] = load(packed + k * panel + v * lanes);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) {
      const Lanes factor = splat(row[r][k]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] += factor * weight[v];
    }
  }
}

// Calls body.template operator()<rows>() with the constant that equals `rows`, 1 … tile_rows.
template <std::size_t most = tile_rows, class Body>
INLAY_INLINE void with_rows(std::size_t rows, const Body& body) {
  if constexpr (most == 1) {
    body.template operator()<1>();
  } else {
    if (rows == most) return body.template operator()<most>();
    with_rows<most - 1>(rows, body);
  }
}

void pack(const float* weight, std::size_t out, std::size_t in, float* packed) {
  for (std::size_t first = 0; first < out; first += panel) {
    const std::size_t width = smaller(panel, out - first);
    for (std::size_t k0 = 0; k0 < in; k0 += 16) {  // sixteen inputs at a time: a cache line of each row
      for (std::size_t k = k0; k < smaller(in, k0 + 16); ++k) {
        for (std::size_t c = 0; c < width; ++c) packed[k * panel + c] = weight[(first + c) * in + k];
        for (std::size_t c = width; c < panel; ++c) packed[k * panel + c] = 0.0F;
      }
    }
    packed += in * panel;
  }
}

struct LinearLayer {
  const float* bias;
  const float* residual;
  std::size_t out;
  float* y;
};

// One register tile of y: rows `row` …, columns `column` … (`width` of them), over one block of inputs. Between blocks of inputs the sums
// rest in y.
template <std::size_t rows, Activation activation>
[[gnu::noinline]] void linear_tile(const float* x, std::size_t in, const float* packed, std::size_t inputs, const LinearLayer& layer,
                                   std::size_t row, std::size_t column, std::size_t width, bool first, bool last) {
  Lanes sums[rows][tile_vectors];
  float* y = layer.y + row * layer.out + column;
  const bool whole = width == panel;
#pragma GCC unroll 16
  for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = Lanes{};
  }
  if (!first) {
    for (std::size_t r = 0; r < rows; ++r) {
      float part[panel] = {};
      if (!whole) {
        for (std::size_t c = 0; c < width; ++c) part[c] = y[r * layer.out + c];
      }
      for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = load(whole ? y + r * layer.out + v * lanes : part + v * lanes);
    }
  }
  tile<rows>(x + row * in, in, packed, inputs, sums);
  if (whole) {
    const float* residual = layer.residual == nullptr ? nullptr : layer.residual + row * layer.out + column;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < tile_vectors; ++v) {
      const Lanes bias = last && layer.bias != nullptr ? load(layer.bias + column + v * lanes) : Lanes{};
#pragma GCC unroll 16
      for (std::size_t r = 0; r < rows; ++r) {
        Lanes value = sums[r][v];
        if (last) {
          value = activate<activation>(value + bias);
          if (residual != nullptr) value += load(residual + r * layer.out + v * lanes);
        }
        store(y + r * layer.out + v * lanes, value);
      }
    }
    return;
  }
  for (std::size_t r = 0; r < rows; ++r) {  // the last panel of a layer whose width is no multiple of the panel's
    float part[panel];
    for (std::size_t v = 0; v < tile_vectors; ++v) {
      Lanes value = sums[r][v];
      if (last) {
        if (layer.bias != nullptr) {
          float bias[lanes] = {};
          for (std::size_t c = v * lanes; c < smaller(width, (v + 1) * lanes); ++c) bias[c - v * lanes] = layer.bias[column + c];
          value += load(bias);
        }
        value = activate<activation>(value);
      }
      store(part + v * lanes, value);
    }
    for (std::size_t c = 0; c < width; ++c) {
      y[r * layer.out + c] = part[c] + (last && layer.residual != nullptr ? layer.residual[(row + r) * layer.out + column + c] : 0.0F);
    }
  }
}

template <Activation activation>
void linear_activated(const float* x, std::size_t rows, std::size_t in, const float* packed, const LinearLayer& layer) {
  for (std::size_t row_block = 0; row_block < rows; row_block += block_rows) {
    const std::size_t row_end = smaller(rows, row_block + block_rows);
    for (std::size_t k = 0; k < in; k += block_inputs) {
      const std::size_t inputs = smaller(block_inputs, in - k);
      for (std::size_t column = 0; column < layer.out; column += panel) {
        const float* weights = packed + column * in + k * panel;
        for (std::size_t row = row_block; row < row_end; row += tile_rows) {
          with_rows(smaller(tile_rows, row_end - row), [&]<std::size_t count>() {
            linear_tile<count, activation>(x + k, in, weights, inputs, layer, row, column, smaller(panel, layer.out - column), k == 0,
                                           k + inputs == in);
          });
        }
      }
    }
  }
}

void linear(const float* x, std::size_t rows, std::size_t in, const float* packed, const float* bias, std::size_t out,
            Activation activation, const float* residual, float* y) {
  const LinearLayer layer{bias, residual, out, y};
  switch (activation) {
    case Activation::none: return linear_activated<Activation::none>(x, rows, in, packed, layer);
    case Activation::gelu: return linear_activated<Activation::gelu>(x, rows, in, packed, layer);
    case Activation::gelu_tanh: return linear_activated<Activation::gelu_tanh>(x, rows, in, packed, layer);
    case Activation::relu: return linear_activated<Activation::relu>(x, rows, in, packed, layer);
    case Activation::silu: return linear_activated<Activation::silu>(x, rows, in, packed, layer);
  }
}

// Turns a row of scores into e^(score - largest) and returns their sum; scores beyond `count` become 0 up to the next multiple of lanes.
INLAY_INLINE float exponentials(float* scores, std::size_t count, float scale) {
  const std::size_t padded = rounded_up(count, lanes);
  for (std::size_t i = count; i < padded; ++i) scores[i] = -__builtin_inff();
  Lanes top = load(scores);
  for (std::size_t i = lanes; i < padded; i += lanes) top = max(top, load(scores + i));
  const float offset = largest(top) * scale;
  Lanes total{};
  for (std::size_t i = 0; i < padded; i += lanes) {
    const Lanes value = exp2(max(load(scores + i) * scale - offset, splat(-126.0F)));
    store(scores + i, value);
    total += value;
  }
  for (std::size_t i = count; i < padded; ++i) scores[i] = 0.0F;  // at most lanes · 2^-126 too much in the total: nothing
  return sum(total);
}

std::size_t attention_scratch(std::size_t longest, std::size_t size) {
  const std::size_t tokens = rounded_up(longest, panel);
  return tokens * size + tokens * rounded_up(size, panel) + tile_rows * tokens;
}

// A head's row of queries, keys or values is a few cache lines in a long stride, which no hardware prefetcher follows.
INLAY_INLINE void prefetch_row(const float* row, std::size_t size) {
  for (std::size_t i = 0; i < size; i += 16) __builtin_prefetch(row + i);
}
constexpr std::size_t rows_ahead = 12;

// scores[k] += bias[k] · factor
INLAY_INLINE void add_scaled(float* scores, const float* bias, float factor, std::size_t count) {
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) store(scores + i, load(scores + i) + load(bias + i) * splat(factor));
  for (; i < count; ++i) scores[i] += bias[i] * factor;
}

// One head of one sequence: keys packed as the weights of scores = q · kᵀ, values as those of y = scores · v. `bias` points to the head's
// value for distance 0, or is null.
void attention_head(const float* qkv, std::size_t length, std::size_t stride, std::size_t width, std::size_t size, const float* bias,
                    float* y, float* scratch) {
  const std::size_t tokens = rounded_up(length, panel);
  float* keys = scratch;                                      // [tokens / panel][size][panel]
  float* values = keys + tokens * size;                       // [ceil(size / panel)][length][panel]
  float* scores = values + length * rounded_up(size, panel);  // [tile_rows][tokens]

  for (std::size_t first = 0; first < length; first += panel) {
    const std::size_t count = smaller(panel, length - first);
    float* packed = keys + first * size;
    for (std::size_t t = 0; t < panel; ++t) {
      const float* key = qkv + width + (first + smaller(t, count - 1)) * stride;
      prefetch_row(qkv + width + smaller(first + t + rows_ahead, length - 1) * stride, size);
      for (std::size_t k = 0; k < size; ++k) packed[k * panel + t] = key[k];  // beyond the last token: repeated, and ignored
    }
  }
  for (std::size_t first = 0; first < size; first += panel) {
    const std::size_t count = smaller(panel, size - first);
    float* packed = values + first * length;
    for (std::size_t t = 0; t < length; ++t) {
      const float* value = qkv + 2 * width + t * stride + first;
      prefetch_row(qkv + 2 * width + smaller(t + rows_ahead, length - 1) * stride + first, count);
      for (std::size_t c = 0; c < count; ++c) packed[t * panel + c] = value[c];
      for (std::size_t c = count; c < panel; ++c) packed[t * panel + c] = 0.0F;
    }
  }

  const float root = __builtin_sqrtf(static_cast<float>(size));
  const float scale = log2_e / root;
  for (std::size_t row = 0; row < length; row += tile_rows) {
    for (std::size_t r = 0; r < tile_rows; ++r) prefetch_row(qkv + smaller(row + tile_rows + r, length - 1) * stride, size);
    with_rows(smaller(tile_rows, length - row), [&]<std::size_t rows>() {
      for (std::size_t first = 0; first < length; first += panel) {
        Lanes sums[rows][tile_vectors] = {};
        tile<rows>(qkv + row * stride, stride, keys + first * size, size, sums);
        for (std::size_t r = 0; r < rows; ++r) {
          for (std::size_t v = 0; v < tile_vectors; ++v) store(scores + r * tokens + first + v * lanes, sums[r][v]);
        }
      }
      if (bias != nullptr) {  // times sqrt(size), by which the scores are divided below
        for (std::size_t r = 0; r < rows; ++r) add_scaled(scores + r * tokens, bias - (row + r), root, length);
      }
      float inverse[rows];
      for (std::size_t r = 0; r < rows; ++r) inverse[r] = 1.0F / exponentials(scores + r * tokens, length, scale);
      for (std::size_t first = 0; first < size; first += panel) {
        Lanes sums[rows][tile_vectors] = {};
        tile<rows>(scores, tokens, values + first * length, length, sums);
        const std::size_t count = smaller(panel, size - first);
        for (std::size_t r = 0; r < rows; ++r) {
          float* out = y + (row + r) * width + first;
          if (count == panel) {
            for (std::size_t v = 0; v < tile_vectors; ++v) store(out + v * lanes, sums[r][v] * inverse[r]);
          } else {
            float part[panel];
            for (std::size_t v = 0; v < tile_vectors; ++v) store(part + v * lanes, sums[r][v] * inverse[r]);
            for (std::size_t c = 0; c < count; ++c) out[c] = part[c];
          }
        }
      }
    });
  }
}

void attention(const float* qkv, const std::int64_t* lengths, std::size_t sequences, std::size_t heads, std::size_t size, RelativeBias bias,
               float* y, float* scratch) {
  const std::size_t width = heads * size;
  for (std::size_t s = 0; s < sequences; ++s) {
    const auto length = static_cast<std::size_t>(lengths[s]);
    for (std::size_t head = 0; head < heads; ++head) {
      const float* middle = bias.values == nullptr ? nullptr : bias.values + head * (2 * bias.positions - 1) + (bias.positions - 1);
      attention_head(qkv + head * size, length, 3 * width, width, size, middle, y + head * size, scratch);
    }
    qkv += length * 3 * width;
    y += length * width;
  }
}

// Σ f(x[i]) over a row; f gets a vector. The tail is padded with a value of which f makes 0.
template <class Function>
INLAY_INLINE float row_sum(const float* x, std::size_t width, float padding, const Function& f) {
  Lanes total{};
  std::size_t i = 0;
  for (; i + lanes <= width; i += lanes) total += f(load(x + i));
  if (i < width) {
    float tail[lanes];
    for (std::size_t c = 0; c < lanes; ++c) tail[c] = i + c < width ? x[i + c] : padding;
    total += f(load(tail));
  }
  return sum(total);
}

void layer_norm(const float* x, std::size_t rows, std::size_t width, const float* gamma, const float* beta, float epsilon, float* y) {
  const float inverse_width = 1.0F / static_cast<float>(width);
  for (std::size_t r = 0; r < rows; ++r, x += width, y += width) {
    const float mean = row_sum(x, width, 0.0F, [](Lanes v) { return v; }) * inverse_width;
    const float variance = row_sum(x, width, mean, [mean](Lanes v) { return (v - mean) * (v - mean); }) * inverse_width;
    const float scale = 1.0F / __builtin_sqrtf(variance + epsilon);
    std::size_t i = 0;
    for (; i + lanes <= width; i += lanes) store(y + i, (load(x + i) - mean) * scale * load(gamma + i) + load(beta + i));
    for (; i < width; ++i) y[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
  }
}

void embed(const std::int64_t* tokens, const std::int64_t* positions, std::size_t rows, std::size_t width, const float* word,
           const float* position, const float* type, float* y) {
  for (std::size_t r = 0; r < rows; ++r, y += width) {
    const float* w = word + static_cast<std::size_t>(tokens[r]) * width;
    const float* p = position + static_cast<std::size_t>(positions[r]) * width;
    std::size_t i = 0;
    for (; i + lanes <= width; i += lanes) {
      const Lanes value = load(w + i) + load(p + i);
      store(y + i, type == nullptr ? value : value + load(type + i));
    }
    for (; i < width; ++i) y[i] = w[i] + p[i] + (type == nullptr ? 0.0F : type[i]);
  }
}

#undef INLAY_INLINE

}  // namespace

const Kernels& INLAY_KERNELS() noexcept {
  static constexpr Kernels set{INLAY_KERNELS_NAME, panel, pack, linear, attention, attention_scratch, layer_norm, embed};
  return set;
}

}  // namespace inlay::encode
