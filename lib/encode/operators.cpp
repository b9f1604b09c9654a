#include "encode/operators.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/library.h>

#include <memory>
#include <mutex>
#include <vector>

#include "encode/kernels/kernels.hpp"
#include "encode/torch_support.hpp"
#include "inlay/options.hpp"

namespace inlay::encode {
namespace {

using at::Tensor;

bool is_packed(const Tensor& weight) { return weight.dim() == 3; }

bool uses_kernels(const Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

std::size_t rows(const Tensor& x) { return static_cast<std::size_t>(x.size(0)); }
std::size_t columns(const Tensor& x) { return static_cast<std::size_t>(x.size(1)); }

Tensor embed(const Tensor& tokens, const Tensor& positions, const Tensor& word, const Tensor& position, const std::optional<Tensor>& type) {
  if (!uses_kernels(word)) {
    const Tensor sum = word.index_select(0, tokens) + position.index_select(0, positions);
    return type ? sum + *type : sum;
  }
  Tensor y = at::empty({tokens.size(0), word.size(1)}, word.options());
  kernels().embed(tokens.const_data_ptr<std::int64_t>(), positions.const_data_ptr<std::int64_t>(), rows(tokens), columns(word),
                  word.const_data_ptr<float>(), position.const_data_ptr<float>(), type ? type->const_data_ptr<float>() : nullptr,
                  y.mutable_data_ptr<float>());
  return y;
}

void normalize_rows(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon, Tensor& y) {
  kernels().layer_norm(x.const_data_ptr<float>(), rows(x), columns(x), gamma.const_data_ptr<float>(), beta.const_data_ptr<float>(),
                       static_cast<float>(epsilon), y.mutable_data_ptr<float>());
}

Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon) {
  if (!uses_kernels(x)) return at::layer_norm(x, gamma.sizes(), gamma, beta, epsilon);
  Tensor y = at::empty_like(x);
  normalize_rows(x, gamma, beta, epsilon, y);
  return y;
}

Tensor packed_linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation, const float* residual) {
  Tensor y = at::empty({x.size(0), bias.size(0)}, x.options());
  kernels().linear(x.const_data_ptr<float>(), rows(x), columns(x), weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), columns(y),
                   activation, residual, y.mutable_data_ptr<float>());
  return y;
}

Tensor activated(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::gelu: return at::gelu(x);
    case Activation::gelu_tanh: return at::gelu(x, "tanh");
    case Activation::relu: return at::relu(x);
    case Activation::silu: return at::silu(x);
  }
  return x;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t activation) {
  const auto kind = static_cast<Activation>(activation);
  return is_packed(weight) ? packed_linear(x, weight, bias, kind, nullptr) : activated(at::linear(x, weight, bias), kind);
}

Tensor linear_add_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& residual, const Tensor& gamma,
                       const Tensor& beta, double epsilon) {
  if (!is_packed(weight)) return at::layer_norm(at::linear(x, weight, bias) + residual, gamma.sizes(), gamma, beta, epsilon);
  Tensor y = packed_linear(x, weight, bias, Activation::none, residual.const_data_ptr<float>());
  normalize_rows(y, gamma, beta, epsilon, y);
  return y;
}

// relative_bias [heads, 2 * positions - 1] as a matrix [heads, length, length] that is added to the scores.
Tensor bias_of_length(const Tensor& relative_bias, std::int64_t length) {
  const std::int64_t positions = (relative_bias.size(1) + 1) / 2;
  const Tensor range = at::arange(length, at::TensorOptions(at::kLong).device(relative_bias.device()));
  const Tensor distance = range.unsqueeze(0) - range.unsqueeze(1) + (positions - 1);  // key - query
  return relative_bias.index_select(1, distance.flatten()).view({relative_bias.size(0), length, length});
}

// Runs of equal lengths as one dense batch each: a sorted batch has few.
Tensor attention_by_length(const Tensor& qkv, at::ArrayRef<std::int64_t> lengths, std::int64_t heads,
                           const std::optional<Tensor>& relative_bias) {
  const std::int64_t width = qkv.size(1) / 3;
  Tensor y = at::empty({qkv.size(0), width}, qkv.options());
  for_each_equal_run(lengths, [&](std::size_t first, std::size_t sequences, std::size_t first_token, std::size_t all_tokens) {
    const auto count = static_cast<std::int64_t>(sequences);
    const auto begin = static_cast<std::int64_t>(first_token);
    const auto tokens = static_cast<std::int64_t>(all_tokens);
    const std::int64_t length = lengths[first];
    const Tensor parts = qkv.narrow(0, begin, tokens).view({count, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
    std::optional<Tensor> bias;
    if (relative_bias) bias = bias_of_length(*relative_bias, length).unsqueeze(0).expand({count, -1, -1, -1});
    const Tensor context = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], bias);  // [count, heads, length, size]
    y.narrow(0, begin, tokens).view({count, length, heads, width / heads}).copy_(context.transpose(1, 2));
  });
  return y;
}

at::ArrayRef<std::int64_t> values_of(const Tensor& lengths) { return {lengths.const_data_ptr<std::int64_t>(), rows(lengths)}; }

Tensor attention(const Tensor& qkv, const Tensor& lengths, std::int64_t heads, const std::optional<Tensor>& relative_bias) {
  const at::ArrayRef<std::int64_t> counts = values_of(lengths);
  if (!uses_kernels(qkv)) return attention_by_length(qkv, counts, heads, relative_bias);
  const std::int64_t width = qkv.size(1) / 3;
  const auto size = static_cast<std::size_t>(width / heads);
  std::int64_t longest = 0;
  for (const std::int64_t count : counts) longest = std::max(longest, count);
  RelativeBias bias;
  if (relative_bias) bias = {relative_bias->const_data_ptr<float>(), (columns(*relative_bias) + 1) / 2};
  const std::size_t floats = kernels().attention_scratch(static_cast<std::size_t>(longest), size);
  Tensor scratch = at::empty({static_cast<std::int64_t>(floats)}, qkv.options());
  Tensor y = at::empty({qkv.size(0), width}, qkv.options());
  kernels().attention(qkv.const_data_ptr<float>(), counts.data(), counts.size(), static_cast<std::size_t>(heads), size, bias,
                      y.mutable_data_ptr<float>(), scratch.mutable_data_ptr<float>());
  return y;
}

// On the CPU: one pass over each sequence's rows, in order.
void pool_sequence(const float* hidden, std::int64_t length, std::int64_t skip, std::int64_t width, Pooling pooling, float* y) {
  const auto row = [&](std::int64_t token) { return hidden + token * width; };
  if (pooling == Pooling::cls || pooling == Pooling::last_token) {
    std::copy_n(row(pooling == Pooling::cls ? skip : length - 1), width, y);
    return;
  }
  std::copy_n(row(skip), width, y);
  double weights = pooling == Pooling::weighted_mean ? static_cast<double>(skip + 1) : 1.0;
  if (pooling == Pooling::weighted_mean) {
    for (std::int64_t c = 0; c < width; ++c) y[c] *= static_cast<float>(skip + 1);
  }
  for (std::int64_t token = skip + 1; token < length; ++token) {
    const float* x = row(token);
    if (pooling == Pooling::max) {
      for (std::int64_t c = 0; c < width; ++c) y[c] = std::max(y[c], x[c]);
      continue;
    }
    const float weight = pooling == Pooling::weighted_mean ? static_cast<float>(token + 1) : 1.0F;
    for (std::int64_t c = 0; c < width; ++c) y[c] += weight * x[c];
    weights += weight;
  }
  if (pooling == Pooling::max) return;
  const auto divisor = static_cast<float>(pooling == Pooling::mean_sqrt_len ? std::sqrt(weights) : weights);
  for (std::int64_t c = 0; c < width; ++c) y[c] /= divisor;
}

Tensor pool_by_index(const Tensor& hidden, const Tensor& lengths, const Tensor& skip, Pooling pooling) {
  const at::ArrayRef<std::int64_t> counts = values_of(lengths);
  const at::ArrayRef<std::int64_t> skipped = values_of(skip);
  std::vector<std::int64_t> rows_used;
  std::vector<std::int64_t> owners;
  std::vector<float> weights;
  std::int64_t first = 0;
  for (std::size_t s = 0; s < counts.size(); first += counts[s++]) {
    const std::int64_t begin = pooling == Pooling::last_token ? counts[s] - 1 : skipped[s];
    const std::int64_t end = pooling == Pooling::cls ? begin + 1 : counts[s];
    for (std::int64_t token = begin; token < end; ++token) {
      rows_used.push_back(first + token);
      owners.push_back(static_cast<std::int64_t>(s));
      weights.push_back(pooling == Pooling::weighted_mean ? static_cast<float>(token + 1) : 1.0F);
    }
  }
  const Tensor owner = at::tensor(owners, at::kLong).to(hidden.device());
  const Tensor used = hidden.index_select(0, at::tensor(rows_used, at::kLong).to(hidden.device()));
  const auto sequences = static_cast<std::int64_t>(counts.size());
  if (pooling == Pooling::cls || pooling == Pooling::last_token) return used;
  if (pooling == Pooling::max) {
    const Tensor none = at::full({sequences, hidden.size(1)}, -std::numeric_limits<float>::infinity(), hidden.options());
    return none.index_reduce(0, owner, used, "amax");
  }
  const Tensor weight = at::tensor(weights).to(hidden.device()).unsqueeze(1);
  const Tensor sums = at::zeros({sequences, hidden.size(1)}, hidden.options()).index_add(0, owner, used * weight);
  const Tensor totals = at::zeros({sequences, 1}, hidden.options()).index_add(0, owner, weight);
  return sums / (pooling == Pooling::mean_sqrt_len ? totals.sqrt() : totals);
}

Tensor pool(const Tensor& hidden, const Tensor& lengths, std::int64_t pooling, const Tensor& skip) {
  const auto kind = static_cast<Pooling>(pooling);
  if (!uses_kernels(hidden)) return pool_by_index(hidden, lengths, skip, kind);
  const at::ArrayRef<std::int64_t> counts = values_of(lengths);
  const at::ArrayRef<std::int64_t> skipped = values_of(skip);
  Tensor y = at::empty({lengths.size(0), hidden.size(1)}, hidden.options());
  const float* x = hidden.const_data_ptr<float>();
  float* out = y.mutable_data_ptr<float>();
  for (std::size_t s = 0; s < counts.size(); ++s) {
    pool_sequence(x, counts[s], skipped[s], hidden.size(1), kind, out);
    x += counts[s] * hidden.size(1);
    out += hidden.size(1);
  }
  return y;
}

}  // namespace

const std::string& register_operators() {
  static std::once_flag once;
  static std::string name = "inlay";
  std::call_once(once, [] {
    for (int copy = 2; c10::Dispatcher::singleton().findSchema({name + "::linear", ""}); ++copy) name = fmt::format("inlay_{}", copy);
    // Never freed: libtorch may be unloaded before us at exit, and the operators with it.
    static auto* const library = new torch::Library(torch::Library::FRAGMENT, name, std::nullopt, __FILE__, __LINE__);
    const auto define = [](const char* schema, auto function) {
      library->def(schema, torch::dispatch(c10::DispatchKey::CompositeExplicitAutograd, function));
    };
    define("embed(Tensor tokens, Tensor positions, Tensor word, Tensor position, Tensor? type) -> Tensor", TORCH_FN(embed));
    define("layer_norm(Tensor x, Tensor gamma, Tensor beta, float epsilon) -> Tensor", TORCH_FN(layer_norm));
    define("linear(Tensor x, Tensor weight, Tensor bias, int activation) -> Tensor", TORCH_FN(linear));
    define("linear_add_norm(Tensor x, Tensor weight, Tensor bias, Tensor residual, Tensor gamma, Tensor beta, float epsilon) -> Tensor",
           TORCH_FN(linear_add_norm));
    define("attention(Tensor qkv, Tensor lengths, int heads, Tensor? relative_bias=None) -> Tensor", TORCH_FN(attention));
    define("pool(Tensor hidden, Tensor lengths, int pooling, Tensor skip) -> Tensor", TORCH_FN(pool));
  });
  return name;
}

}  // namespace inlay::encode
