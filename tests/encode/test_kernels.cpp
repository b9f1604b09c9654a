// Every set of kernels that this processor can run, against the same arithmetic in double.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "encode/kernels/kernels.hpp"
#include "platform/processors.hpp"
#include "support/catch.hpp"

namespace inlay::test {
namespace {

using encode::Activation;
using encode::Kernels;

std::vector<const Kernels*> runnable_kernels() {
  std::vector<const Kernels*> sets = {&encode::kernels_portable()};
#if defined(__x86_64__)
  const auto best = platform::instruction_set();
  if (best != platform::InstructionSet::portable) sets.push_back(&encode::kernels_avx2());
  if (best == platform::InstructionSet::avx512) sets.push_back(&encode::kernels_avx512());
#endif
  return sets;
}

std::vector<float> random_values(std::size_t count, float deviation, std::mt19937& random) {
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

double activated(double x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::gelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::relu: return std::max(x, 0.0);
    case Activation::silu: return x / (1 + std::exp(-x));
  }
  return x;
}

std::vector<float> packed(const Kernels& kernels, const std::vector<float>& weight, std::size_t out, std::size_t in) {
  std::vector<float> result(packed_floats(kernels, out, in), std::numeric_limits<float>::quiet_NaN());
  kernels.pack(weight.data(), out, in, result.data());
  return result;
}

/// The largest |got - expected|; a NaN is infinitely far off.
double largest_difference(const std::vector<float>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(double{got[i]} - expected[i]);
    largest = std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(largest, difference);
  }
  return largest;
}

struct LinearCase {
  std::size_t rows, in, out;
  bool bias, residual;
  Activation activation;
};

void check_linear(const Kernels& kernels, const LinearCase& c, std::mt19937& random) {
  CAPTURE(kernels.name, c.rows, c.in, c.out, c.bias, c.residual, static_cast<int>(c.activation));
  const auto x = random_values(c.rows * c.in, 1, random);
  const auto weight = random_values(c.out * c.in, 1 / std::sqrt(static_cast<float>(c.in)), random);
  const auto bias = random_values(c.out, 0.5F, random);
  const auto residual = random_values(c.rows * c.out, 1, random);
  std::vector<double> expected(c.rows * c.out);
  for (std::size_t r = 0; r < c.rows; ++r) {
    for (std::size_t o = 0; o < c.out; ++o) {
      double sum = c.bias ? bias[o] : 0.0;
      for (std::size_t k = 0; k < c.in; ++k) sum += double{x[r * c.in + k]} * weight[o * c.in + k];
      expected[r * c.out + o] = activated(sum, c.activation) + (c.residual ? residual[r * c.out + o] : 0.0);
    }
  }
  const auto panels = packed(kernels, weight, c.out, c.in);
  std::vector<float> y(c.rows * c.out, std::numeric_limits<float>::quiet_NaN());
  kernels.linear(x.data(), c.rows, c.in, panels.data(), c.bias ? bias.data() : nullptr, c.out, c.activation,
                 c.residual ? residual.data() : nullptr, y.data());
  CHECK(largest_difference(y, expected) < 1e-5);

  // A row is bit for bit the same whatever rows stand beside it.
  for (const std::size_t r : {std::size_t{0}, c.rows / 2, c.rows - 1}) {
    std::vector<float> alone(c.out);
    kernels.linear(x.data() + r * c.in, 1, c.in, panels.data(), c.bias ? bias.data() : nullptr, c.out, c.activation,
                   c.residual ? residual.data() + r * c.out : nullptr, alone.data());
    CHECK(std::equal(alone.begin(), alone.end(), y.begin() + static_cast<std::ptrdiff_t>(r * c.out)));
  }
}

}  // namespace

TEST_CASE("linear layers of any size equal the same sums in double", "[kernels]") {
  std::mt19937 random(1);
  for (const Kernels* kernels : runnable_kernels()) {
    for (const std::size_t rows : {1u, 2u, 5u, 6u, 7u, 13u, 97u, 200u}) {
      for (const std::size_t in : {1u, 3u, 40u, 384u, 385u}) {
        for (const std::size_t out : {1u, 15u, 16u, 33u, 64u})
          check_linear(*kernels, {rows, in, out, true, false, Activation::none}, random);
      }
    }
    check_linear(*kernels, {29, 1536, 384, true, true, Activation::none}, random);
    check_linear(*kernels, {11, 1000, 49, true, true, Activation::none}, random);
    check_linear(*kernels, {11, 1000, 49, false, true, Activation::gelu}, random);
    check_linear(*kernels, {11, 1000, 49, false, false, Activation::none}, random);
  }
}

TEST_CASE("every activation follows a linear layer", "[kernels]") {
  std::mt19937 random(2);
  for (const Kernels* kernels : runnable_kernels()) {
    for (const Activation activation : {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::silu}) {
      for (const std::size_t in : {7u, 800u}) check_linear(*kernels, {17, in, 65, true, true, activation}, random);
    }
  }
}

TEST_CASE("activations are right far out and at zero", "[kernels]") {
  std::vector<float> x = {0.0F, -0.0F, 1e-30F, -1e-30F, 1e-6F, -1e-6F, 100.0F, -100.0F, 1e4F, -1e4F, 1e30F, -1e30F};
  for (float value = -20; value <= 20; value += 0.001F) x.push_back(value);
  const std::vector<float> identity = {1.0F};
  for (const Kernels* kernels : runnable_kernels()) {
    const auto panels = packed(*kernels, identity, 1, 1);
    for (const Activation activation : {Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::silu}) {
      std::vector<float> y(x.size());
      kernels->linear(x.data(), x.size(), 1, panels.data(), nullptr, 1, activation, nullptr, y.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        CAPTURE(kernels->name, static_cast<int>(activation), x[i], y[i]);
        const double expected = activated(x[i], activation);
        if (!(std::abs(y[i] - expected) <= 3e-7 * std::max(1.0, std::abs(expected)))) FAIL_CHECK("expected " << expected);
      }
    }
  }
}

TEST_CASE("attention over sequences of any length and heads of any size equals the same in double", "[kernels]") {
  std::mt19937 random(3);
  const std::vector<std::vector<std::int64_t>> batches = {{1}, {2, 1, 3}, {15, 16, 17}, {33, 1, 64, 7}, {130}, {257, 5}};
  for (const Kernels* kernels : runnable_kernels()) {
    for (const auto& lengths : batches) {
      for (const auto& [heads, size] : {std::pair<std::size_t, std::size_t>{1, 1}, {2, 8}, {3, 16}, {2, 32}, {3, 40}, {2, 64}, {1, 128}}) {
        const std::size_t width = heads * size;
        std::size_t tokens = 0;
        for (const std::int64_t length : lengths) tokens += static_cast<std::size_t>(length);
        const auto qkv = random_values(tokens * 3 * width, 1.5F, random);
        std::vector<double> expected(tokens * width);
        std::size_t first = 0;
        for (const std::int64_t count : lengths) {
          const auto length = static_cast<std::size_t>(count);
          for (std::size_t head = 0; head < heads; ++head) {
            const auto at = [&](std::size_t token, std::size_t part, std::size_t c) {
              return double{qkv[(first + token) * 3 * width + part * width + head * size + c]};
            };
            for (std::size_t i = 0; i < length; ++i) {
              std::vector<double> score(length);
              for (std::size_t j = 0; j < length; ++j) {
                for (std::size_t c = 0; c < size; ++c) score[j] += at(i, 0, c) * at(j, 1, c);
                score[j] /= std::sqrt(static_cast<double>(size));
              }
              const double top = *std::max_element(score.begin(), score.end());
              double total = 0;
              for (double& s : score) total += s = std::exp(s - top);
              for (std::size_t c = 0; c < size; ++c) {
                double sum = 0;
                for (std::size_t j = 0; j < length; ++j) sum += score[j] / total * at(j, 2, c);
                expected[(first + i) * width + head * size + c] = sum;
              }
            }
          }
          first += length;
        }
        CAPTURE(kernels->name, lengths, heads, size);
        const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
        const std::size_t floats = kernels->attention_scratch(longest, size);
        std::vector<float> scratch(floats + 16, 12345.0F);
        std::vector<float> y(tokens * width, std::numeric_limits<float>::quiet_NaN());
        kernels->attention(qkv.data(), lengths.data(), lengths.size(), heads, size, y.data(), scratch.data());
        CHECK(largest_difference(y, expected) < 2e-5);
        CHECK(std::all_of(scratch.end() - 16, scratch.end(), [](float value) { return value == 12345.0F; }));  // stays inside its scratch
      }
    }
  }
}

TEST_CASE("attention with scores far apart neither overflows nor loses the largest", "[kernels]") {
  for (const Kernels* kernels : runnable_kernels()) {
    for (const float scale : {1e3F, 1e6F, 1e15F}) {
      const std::vector<std::int64_t> lengths = {3};
      // One head of size 1: queries are 1, keys -scale, 0, scale; values 10, 20, 30: all attention goes to the last.
      const std::vector<float> qkv = {1, -scale, 10, 1, 0, 20, 1, scale, 30};
      std::vector<float> scratch(kernels->attention_scratch(3, 1));
      std::vector<float> y(3);
      kernels->attention(qkv.data(), lengths.data(), 1, 1, 1, y.data(), scratch.data());
      CAPTURE(kernels->name, scale);
      for (const float value : y) CHECK(std::abs(value - 30.0F) < 1e-4F);
    }
  }
}

TEST_CASE("layer normalisation of rows of any width equals the same in double", "[kernels]") {
  std::mt19937 random(4);
  for (const Kernels* kernels : runnable_kernels()) {
    for (const std::size_t width : {2u, 7u, 8u, 17u, 32u, 40u, 384u, 1000u, 1024u}) {
      for (const float offset : {0.0F, 30.0F}) {
        constexpr std::size_t rows = 5;
        constexpr double epsilon = 1e-12;
        auto x = random_values(rows * width, 2, random);
        for (float& value : x) value += offset;
        const auto gamma = random_values(width, 1, random);
        const auto beta = random_values(width, 1, random);
        std::vector<double> expected(rows * width);
        for (std::size_t r = 0; r < rows; ++r) {
          double mean = 0;
          double variance = 0;
          for (std::size_t c = 0; c < width; ++c) mean += x[r * width + c] / static_cast<double>(width);
          for (std::size_t c = 0; c < width; ++c) variance += std::pow(x[r * width + c] - mean, 2) / static_cast<double>(width);
          for (std::size_t c = 0; c < width; ++c)
            expected[r * width + c] = (x[r * width + c] - mean) / std::sqrt(variance + epsilon) * gamma[c] + beta[c];
        }
        CAPTURE(kernels->name, width, offset);
        std::vector<float> y(rows * width);
        kernels->layer_norm(x.data(), rows, width, gamma.data(), beta.data(), static_cast<float>(epsilon), y.data());
        CHECK(largest_difference(y, expected) < (offset == 0 ? 1e-5 : 1e-4));
        kernels->layer_norm(x.data(), rows, width, gamma.data(), beta.data(), static_cast<float>(epsilon), x.data());  // in place
        CHECK(x == y);
      }
    }
  }
}

TEST_CASE("embeddings are the sum of word, position and type", "[kernels]") {
  std::mt19937 random(5);
  for (const Kernels* kernels : runnable_kernels()) {
    for (const std::size_t width : {1u, 8u, 33u, 384u}) {
      const auto word = random_values(11 * width, 1, random);
      const auto position = random_values(5 * width, 1, random);
      const auto type = random_values(width, 1, random);
      const std::vector<std::int64_t> tokens = {10, 0, 3, 3};
      const std::vector<std::int64_t> positions = {0, 1, 4, 0};
      std::vector<double> expected;
      for (std::size_t r = 0; r < tokens.size(); ++r) {
        for (std::size_t c = 0; c < width; ++c) {
          expected.push_back(double{word[static_cast<std::size_t>(tokens[r]) * width + c]} +
                             position[static_cast<std::size_t>(positions[r]) * width + c] + type[c]);
        }
      }
      std::vector<float> y(tokens.size() * width);
      kernels->embed(tokens.data(), positions.data(), tokens.size(), width, word.data(), position.data(), type.data(), y.data());
      CAPTURE(kernels->name, width);
      CHECK(largest_difference(y, expected) < 1e-6);
    }
  }
}

}  // namespace inlay::test
