
// The CPU kernels of every instruction set that this processor has, against the same formulas in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "encode/kernels/kernels.hpp"
#include "platform/processors.hpp"
#include "support/catch.hpp"

using namespace inlay;
using namespace inlay::encode;

namespace {

using Floats = std::vector<float>;

Floats random_floats(std::size_t count, unsigned seed, float width = 1.0F) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-width, width);
  Floats values(count);
  for (float& value : values) value = uniform(engine);
  return values;
}

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> sets = {&kernels_portable()};
#if defined(__x86_64__)
  if (platform::instruction_set() != platform::InstructionSet::portable) sets.push_back(&kernels_avx2());
  if (platform::instruction_set() == platform::InstructionSet::avx512) sets.push_back(&kernels_avx512());
#endif
  return sets;
}

double activated(double x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::gelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case Activation::relu: return x > 0 ? x : 0;
    case Activation::silu: return x / (1 + std::exp(-x));
  }
  return x;
}

Floats packed(const Kernels& set, const Floats& weight, std::size_t out, std::size_t in) {
  Floats result(packed_floats(set, out, in));
  set.pack(weight.data(), out, in, result.data());
  return result;
}

Floats attention(const Kernels& set, const Floats& qkv, const std::vector<std::int64_t>& lengths, std::size_t heads, std::size_t size,
                 inlay::encode::RelativeBias bias = {}) {
  std::size_t longest = 0;
  for (const auto length : lengths) longest = std::max(longest, static_cast<std::size_t>(length));
  Floats scratch(set.attention_scratch(longest, size));
  Floats y(qkv.size() / 3);
  set.attention(qkv.data(), lengths.data(), lengths.size(), heads, size, bias, y.data(), scratch.data());
  return y;
}

}  // namespace

TEST_CASE("linear is x times the weight, plus bias, activated, plus residual, for any shape") {
  for (const Kernels* set : available_kernels()) {
    for (const auto& [rows, in, out] :
         std::vector<std::array<std::size_t, 3>>{{1, 1, 1}, {7, 40, 24}, {13, 384, 100}, {5, 2500, 37}, {100, 16, 64}}) {
      const Floats x = random_floats(rows * in, 1);
      const Floats weight = random_floats(out * in, 2);
      const Floats bias = random_floats(out, 3);
      const Floats residual = random_floats(rows * out, 4);
      const Floats panels = packed(*set, weight, out, in);
      for (const Activation activation : {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::silu}) {
        Floats y(rows * out);
        set->linear(x.data(), rows, in, panels.data(), bias.data(), out, activation, residual.data(), y.data());
        Floats plain(rows * out);
        set->linear(x.data(), rows, in, panels.data(), nullptr, out, activation, nullptr, plain.data());
        double worst = 0;
        for (std::size_t r = 0; r < rows; ++r) {
          for (std::size_t o = 0; o < out; ++o) {
            double sum = 0;
            for (std::size_t k = 0; k < in; ++k) sum += static_cast<double>(x[r * in + k]) * weight[o * in + k];
            worst = std::max(worst, std::abs(activated(sum + bias[o], activation) + residual[r * out + o] - y[r * out + o]));
            worst = std::max(worst, std::abs(activated(sum, activation) - plain[r * out + o]));
          }
        }
        INFO(set->name << " " << rows << "x" << in << "x" << out << " activation " << static_cast<int>(activation));
        CHECK(worst < 1e-7 * static_cast<double>(in) + 1e-6);
      }
    }
  }
}

TEST_CASE("gelu keeps its accuracy over the whole range, infinities and not-a-number included") {
  for (const Kernels* set : available_kernels()) {
    const Floats one = {1.0F};
    const Floats panels = packed(*set, one, 1, 1);
    double worst = 0;
    for (double x = -40; x < 40; x += 0.00037) {
      const auto input = static_cast<float>(x);
      float y = 0;
      set->linear(&input, 1, 1, panels.data(), nullptr, 1, Activation::gelu, nullptr, &y);
      const double expected = activated(static_cast<double>(input), Activation::gelu);
      worst = std::max(worst, std::abs(y - expected) / std::max(1.0, std::abs(expected)));
    }
    INFO(set->name);
    CHECK(worst < 2.5e-7);
    for (const float x : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      float y = 0;
      set->linear(&x, 1, 1, panels.data(), nullptr, 1, Activation::gelu, nullptr, &y);
      CHECK_FALSE(std::isfinite(y));
    }
  }
}

TEST_CASE("attention is softmax(q k / sqrt(size) + bias) v for each sequence and head") {
  const std::size_t positions = GENERATE(0U, 65U, 80U);  // that the relative bias is made for; 0: none
  for (const Kernels* set : available_kernels()) {
    for (const std::size_t size : {8U, 32U, 40U, 64U}) {
      const std::vector<std::int64_t> lengths = {1, 3, 17, 64, 65, 5};
      const std::size_t heads = 3;
      const std::size_t width = heads * size;
      const Floats bias = random_floats(positions == 0 ? 0 : heads * (2 * positions - 1), 8, 2.0F);
      const auto bias_of = [&](std::size_t head, std::size_t query, std::size_t key) {
        return positions == 0 ? 0.0F : bias[head * (2 * positions - 1) + positions - 1 + key - query];
      };
      const Floats qkv = random_floats(155 * 3 * width, 7, 3.0F);
      const Floats y = attention(*set, qkv, lengths, heads, size, {bias.empty() ? nullptr : bias.data(), positions});
      double worst = 0;
      std::size_t first = 0;
      for (const auto count : lengths) {
        const auto length = static_cast<std::size_t>(count);
        const auto at = [&](std::size_t token, std::size_t part, std::size_t column) {
          return static_cast<double>(qkv[(first + token) * 3 * width + part * width + column]);
        };
        for (std::size_t head = 0; head < heads; ++head) {
          for (std::size_t q = 0; q < length; ++q) {
            std::vector<double> weights(length);
            double top = -1e300;
            double total = 0;
            for (std::size_t k = 0; k < length; ++k) {
              for (std::size_t c = 0; c < size; ++c) weights[k] += at(q, 0, head * size + c) * at(k, 1, head * size + c);
              weights[k] = weights[k] / std::sqrt(static_cast<double>(size)) + bias_of(head, q, k);
              top = std::max(top, weights[k]);
            }
            for (double& weight : weights) total += weight = std::exp(weight - top);
            for (std::size_t c = 0; c < size; ++c) {
              double expected = 0;
              for (std::size_t k = 0; k < length; ++k) expected += weights[k] / total * at(k, 2, head * size + c);
              worst = std::max(worst, std::abs(expected - y[(first + q) * width + head * size + c]));
            }
          }
        }
        first += length;
      }
      INFO(set->name << " size " << size);
      CHECK(worst < 2e-5);
    }
  }
}

TEST_CASE("attention stands scores of any size") {
  for (const Kernels* set : available_kernels()) {
    Floats qkv = random_floats(std::size_t{9} * 3 * 16, 11, 1e4F);  // scores up to 1e9: all weight on one token
    const Floats y = attention(*set, qkv, {9}, 1, 16);
    for (const float value : y) CHECK(std::isfinite(value));
  }
}

TEST_CASE("attention stays inside its scratch") {
  for (const Kernels* set : available_kernels()) {
    for (const std::size_t size : {1U, 16U, 40U, 128U}) {
      for (const std::int64_t length : {1, 15, 16, 17, 130}) {
        const Floats qkv = random_floats(static_cast<std::size_t>(length) * 3 * size, 9);
        const std::size_t needed = set->attention_scratch(static_cast<std::size_t>(length), size);
        Floats scratch(needed + 32, 12345.0F);
        Floats y(static_cast<std::size_t>(length) * size);
        set->attention(qkv.data(), &length, 1, 1, size, {}, y.data(), scratch.data());
        INFO(set->name << " size " << size << " length " << length);
        CHECK(std::all_of(scratch.begin() + static_cast<std::ptrdiff_t>(needed), scratch.end(), [](float x) { return x == 12345.0F; }));
      }
    }
  }
}

TEST_CASE("embed is the sum of a word's, a position's and a type's row") {
  for (const Kernels* set : available_kernels()) {
    for (const std::size_t width : {1U, 8U, 33U, 384U}) {
      const Floats word = random_floats(11 * width, 1);
      const Floats position = random_floats(5 * width, 2);
      const Floats type = random_floats(width, 3);
      const std::vector<std::int64_t> tokens = {10, 0, 3, 3};
      const std::vector<std::int64_t> positions = {0, 1, 4, 0};
      Floats y(tokens.size() * width);
      set->embed(tokens.data(), positions.data(), tokens.size(), width, word.data(), position.data(), type.data(), y.data());
      double worst = 0;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto token = static_cast<std::size_t>(tokens[i / width]);
        const auto place = static_cast<std::size_t>(positions[i / width]);
        const double expected = double{word[token * width + i % width]} + position[place * width + i % width] + type[i % width];
        worst = std::max(worst, std::abs(expected - y[i]));
      }
      INFO(set->name << " width " << width);
      CHECK(worst < 1e-6);
    }
  }
}

TEST_CASE("layer_norm has mean 0 and variance 1 before gamma and beta") {
  for (const Kernels* set : available_kernels()) {
    for (const std::size_t width : {1U, 5U, 16U, 384U, 770U}) {
      const Floats x = random_floats(3 * width, 5, 10.0F);
      const Floats gamma = random_floats(width, 6);
      const Floats beta = random_floats(width, 7);
      Floats y(x.size());
      set->layer_norm(x.data(), 3, width, gamma.data(), beta.data(), 1e-5F, y.data());
      double worst = 0;
      for (std::size_t r = 0; r < 3; ++r) {
        double mean = 0;
        double variance = 0;
        for (std::size_t c = 0; c < width; ++c) mean += x[r * width + c] / static_cast<double>(width);
        for (std::size_t c = 0; c < width; ++c)
          variance += (x[r * width + c] - mean) * (x[r * width + c] - mean) / static_cast<double>(width);
        for (std::size_t c = 0; c < width; ++c) {
          worst = std::max(worst, std::abs((x[r * width + c] - mean) / std::sqrt(variance + 1e-5) * gamma[c] + beta[c] - y[r * width + c]));
        }
      }
      INFO(set->name << " width " << width);
      CHECK(worst < 5e-6);
    }
  }
}

TEST_CASE("a row's result is bit for bit the same whatever rows stand beside it") {
  constexpr std::size_t in = 72;
  constexpr std::size_t out = 52;
  for (const Kernels* set : available_kernels()) {
    const Floats x = random_floats(130 * in, 1);
    const Floats bias = random_floats(out, 3);
    const Floats panels = packed(*set, random_floats(out * in, 2), out, in);
    Floats together(130 * out);
    set->linear(x.data(), 130, in, panels.data(), bias.data(), out, Activation::gelu, nullptr, together.data());
    for (std::size_t row = 0; row < 130; ++row) {
      Floats alone(out);
      set->linear(x.data() + row * in, 1, in, panels.data(), bias.data(), out, Activation::gelu, nullptr, alone.data());
      CHECK(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(row * out)));
    }
    const Floats qkv = random_floats(40 * 3 * 64, 9);
    const Floats both = attention(*set, qkv, {23, 17}, 2, 32);
    const Floats second = attention(*set, Floats(qkv.begin() + 23 * 3 * 64, qkv.end()), {17}, 2, 32);
    CHECK(std::equal(second.begin(), second.end(), both.begin() + 23 * 64));
  }
}

TEST_CASE("embed adds a token's word, its position and the type") {
  constexpr std::size_t width = 21;
  const Floats word = random_floats(5 * width, 1);
  const Floats position = random_floats(4 * width, 2);
  const Floats type = random_floats(width, 3);
  const std::vector<std::int64_t> tokens = {4, 0, 2};
  const std::vector<std::int64_t> positions = {0, 3, 1};
  for (const Kernels* set : available_kernels()) {
    Floats y(3 * width);
    set->embed(tokens.data(), positions.data(), 3, width, word.data(), position.data(), type.data(), y.data());
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t c = 0; c < width; ++c) {
        const auto w = static_cast<std::size_t>(tokens[r]) * width + c;
        const auto p = static_cast<std::size_t>(positions[r]) * width + c;
        CHECK(y[r * width + c] == (word[w] + position[p]) + type[c]);
      }
    }
  }
}
