// What the architectures' files share: registering a module's attributes, and the weights of the layer that BERT and most of its
// descendants consist of.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "encode/weights.hpp"
#include "model/model_config.hpp"

namespace torch::jit {
struct Module;
}

namespace inlay::encode {

/// Gives a module the attributes that its source calls self.name.
class Registration {
 public:
  explicit Registration(torch::jit::Module& module) : module_(module) {}

  void tensor(const std::string& name, const at::Tensor& value);
  void number(const std::string& name, std::size_t value);
  void real(const std::string& name, double value);
  /// A list of tensors: read(0), ..., read(count - 1).
  void tensors(const std::string& name, std::size_t count, const std::function<at::Tensor(std::size_t)>& read);

 private:
  torch::jit::Module& module_;
};

/// A layer's parts by the names of their tensors, each without ".weight" and ".bias" and behind the layer's own.
struct LayerNames {
  std::string_view layer;  ///< with {} for its number: "encoder.layer.{}."
  std::string_view query;
  std::string_view key;
  std::string_view value;
  std::string_view attention;  ///< the linear layer behind the heads
  std::string_view attention_norm;
  std::string_view intermediate;
  std::string_view output;
  std::string_view output_norm;
};

/// Registers, for all layers: qkv, attention, intermediate and output, each as name_weight[i] and name_bias[i]; attention_gamma,
/// attention_beta, output_gamma and output_beta; layers, heads, activation, epsilon.
void register_layers(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config, const LayerNames& names);

/// Registers word_embeddings, position_embeddings, embeddings_gamma and embeddings_beta, which all have under the same names.
void register_embeddings(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config);

}  // namespace inlay::encode
