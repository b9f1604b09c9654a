#include "encode/architectures/registration.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>

#include <vector>

namespace inlay::encode {

void Registration::tensor(const std::string& name, const at::Tensor& value) {
  module_.register_attribute(name, c10::TensorType::get(), value);
}

void Registration::number(const std::string& name, std::size_t value) {
  module_.register_attribute(name, c10::IntType::get(), static_cast<std::int64_t>(value));
}

void Registration::real(const std::string& name, double value) { module_.register_attribute(name, c10::FloatType::get(), value); }

void Registration::tensors(const std::string& name, std::size_t count, const std::function<at::Tensor(std::size_t)>& read) {
  c10::List<at::Tensor> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(read(i));
  module_.register_attribute(name, c10::ListType::ofTensors(), list);
}

void register_layers(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config, const LayerNames& names) {
  Registration registration(module);
  const std::size_t hidden = config.hidden_size;
  const std::size_t wide = config.intermediate_size;
  registration.number("layers", config.layers);
  registration.number("heads", config.heads);
  registration.number("activation", static_cast<std::size_t>(config.activation));
  registration.real("epsilon", config.layer_norm_epsilon);

  const auto full_name = [&](std::size_t layer, std::string_view part, const char* kind) {
    return fmt::format("{}{}.{}", fmt::format(fmt::runtime(names.layer), layer), part, kind);
  };
  // Of several parts with the same input one linear layer is made.
  const auto linear = [&](const std::string& name, const std::vector<std::string_view>& parts, std::size_t out, std::size_t in) {
    const auto full_names = [&](std::size_t layer, const char* kind) {
      std::vector<std::string> all;
      for (const std::string_view part : parts) all.push_back(full_name(layer, part, kind));
      return all;
    };
    registration.tensors(name + "_weight", config.layers, [&](std::size_t i) { return weights.linear(full_names(i, "weight"), out, in); });
    registration.tensors(name + "_bias", config.layers, [&](std::size_t i) { return weights.bias(full_names(i, "bias"), out); });
  };
  const auto norm = [&](const std::string& name, std::string_view part) {
    registration.tensors(name + "_gamma", config.layers,
                         [&](std::size_t i) { return weights.tensor(full_name(i, part, "weight"), {hidden}); });
    registration.tensors(name + "_beta", config.layers,
                         [&](std::size_t i) { return weights.tensor(full_name(i, part, "bias"), {hidden}); });
  };
  linear("qkv", {names.query, names.key, names.value}, 3 * hidden, hidden);
  linear("attention", {names.attention}, hidden, hidden);
  norm("attention", names.attention_norm);
  linear("intermediate", {names.intermediate}, wide, hidden);
  linear("output", {names.output}, hidden, wide);
  norm("output", names.output_norm);
}

void register_embeddings(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config) {
  Registration registration(module);
  const std::size_t hidden = config.hidden_size;
  registration.tensor("word_embeddings", weights.tensor("embeddings.word_embeddings.weight", {config.vocabulary_size, hidden}));
  registration.tensor("position_embeddings", weights.tensor("embeddings.position_embeddings.weight", {config.positions, hidden}));
  registration.tensor("embeddings_gamma", weights.tensor("embeddings.LayerNorm.weight", {hidden}));
  registration.tensor("embeddings_beta", weights.tensor("embeddings.LayerNorm.bias", {hidden}));
}

}  // namespace inlay::encode
