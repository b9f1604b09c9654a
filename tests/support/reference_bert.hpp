// BERT and its poolings in double precision, written from the paper's formulas and sentence-transformers' definitions: slow, plain, and
// sharing nothing with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "inlay/options.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {

class ReferenceBert {
 public:
  using Rows = std::vector<std::vector<double>>;

  explicit ReferenceBert(const TinyBert& bert) : bert_(bert) {
    for (const Tensor& tensor : tiny_weights(bert)) {
      std::vector<float> values(tensor.bytes.size() / 4);
      std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
      weights_[tensor.name].assign(values.begin(), values.end());
    }
  }

  /// The hidden states of the last layer.
  [[nodiscard]] Rows hidden_states(const std::vector<std::int32_t>& ids) const {
    Rows x;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      auto& row = x.emplace_back(bert_.hidden);
      for (std::size_t c = 0; c < bert_.hidden; ++c) {
        row[c] = weights_.at("embeddings.word_embeddings.weight")[static_cast<std::size_t>(ids[i]) * bert_.hidden + c] +
                 weights_.at("embeddings.position_embeddings.weight")[i * bert_.hidden + c] +
                 weights_.at("embeddings.token_type_embeddings.weight")[c];
      }
    }
    normalize(x, "embeddings.LayerNorm");
    for (std::size_t layer = 0; layer < bert_.layers; ++layer) {
      const std::string name = "encoder.layer." + std::to_string(layer) + ".";
      Rows attended = linear(attention(x, name + "attention.self."), name + "attention.output.dense");
      add(attended, x);
      normalize(attended, name + "attention.output.LayerNorm");
      Rows wide = linear(attended, name + "intermediate.dense");
      for (auto& row : wide) {
        for (double& value : row) value = activated(value);
      }
      x = linear(wide, name + "output.dense");
      add(x, attended);
      normalize(x, name + "output.LayerNorm");
    }
    return x;
  }

  [[nodiscard]] std::vector<double> embed(const std::vector<std::int32_t>& ids, Pooling pooling, bool scaled_to_one,
                                          std::size_t dimension = 0) const {
    const Rows x = hidden_states(ids);
    std::vector<double> result(bert_.hidden);
    for (std::size_t c = 0; c < bert_.hidden; ++c) result[c] = pooled(x, c, pooling);
    if (dimension != 0) result.resize(dimension);
    if (!scaled_to_one) return result;
    double length = 0;
    for (const double value : result) length += value * value;
    for (double& value : result) value /= std::sqrt(length);
    return result;
  }

 private:
  static double pooled(const Rows& x, std::size_t c, Pooling pooling) {
    double sum = 0;
    double weighted = 0;
    double weights = 0;
    double top = x[0][c];
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += x[i][c];
      weighted += static_cast<double>(i + 1) * x[i][c];
      weights += static_cast<double>(i + 1);
      top = std::max(top, x[i][c]);
    }
    switch (pooling) {
      case Pooling::mean: return sum / static_cast<double>(x.size());
      case Pooling::cls: return x.front()[c];
      case Pooling::max: return top;
      case Pooling::mean_sqrt_len: return sum / std::sqrt(static_cast<double>(x.size()));
      case Pooling::weighted_mean: return weighted / weights;
      case Pooling::last_token: return x.back()[c];
    }
    return 0;
  }

  [[nodiscard]] double activated(double x) const {
    if (bert_.activation == "gelu") return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    if (bert_.activation == "gelu_new") return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    if (bert_.activation == "relu") return std::max(x, 0.0);
    return x / (1 + std::exp(-x));  // silu
  }

  static void add(Rows& x, const Rows& y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t c = 0; c < x[i].size(); ++c) x[i][c] += y[i][c];
    }
  }

  void normalize(Rows& x, const std::string& name) const {
    const auto& gamma = weights_.at(name + ".weight");
    const auto& beta = weights_.at(name + ".bias");
    for (auto& row : x) {
      double mean = 0;
      double variance = 0;
      for (const double value : row) mean += value / static_cast<double>(row.size());
      for (const double value : row) variance += (value - mean) * (value - mean) / static_cast<double>(row.size());
      for (std::size_t c = 0; c < row.size(); ++c) row[c] = (row[c] - mean) / std::sqrt(variance + 1e-12) * gamma[c] + beta[c];
    }
  }

  [[nodiscard]] Rows linear(const Rows& x, const std::string& name) const {
    const auto& weight = weights_.at(name + ".weight");
    Rows y;
    for (const auto& row : x) {
      auto& out = y.emplace_back(weights_.at(name + ".bias"));
      for (std::size_t o = 0; o < out.size(); ++o) {
        for (std::size_t k = 0; k < row.size(); ++k) out[o] += weight[o * row.size() + k] * row[k];
      }
    }
    return y;
  }

  [[nodiscard]] Rows attention(const Rows& x, const std::string& name) const {
    const Rows q = linear(x, name + "query");
    const Rows k = linear(x, name + "key");
    const Rows v = linear(x, name + "value");
    const std::size_t size = bert_.hidden / bert_.heads;
    Rows y(x.size(), std::vector<double>(bert_.hidden));
    for (std::size_t first = 0; first < bert_.hidden; first += size) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        std::vector<double> weight(x.size());
        double total = 0;
        for (std::size_t j = 0; j < x.size(); ++j) {
          for (std::size_t c = first; c < first + size; ++c) weight[j] += q[i][c] * k[j][c];
          total += weight[j] = std::exp(weight[j] / std::sqrt(static_cast<double>(size)));
        }
        for (std::size_t j = 0; j < x.size(); ++j) {
          for (std::size_t c = first; c < first + size; ++c) y[i][c] += weight[j] / total * v[j][c];
        }
      }
    }
    return y;
  }

  TinyBert bert_;
  std::map<std::string, std::vector<double>> weights_;
};

}  // namespace inlay::test
