// An architecture: the TorchScript program of a family of models, and which of a file's tensors it is made of. To add one, write a file
// like bert.cpp and name it in registry.cpp.
#pragma once

#include <string_view>

#include "model/model_config.hpp"

namespace torch::jit {
struct Module;
}

namespace inlay::encode {

class Weights;

struct Architecture {
  std::string_view name;  ///< config.json's model_type

  /// Defines forward(self, tokens: Tensor, positions: Tensor, lengths: Tensor) -> Tensor. tokens and positions are int64 [tokens], the
  /// sequences one after the other; lengths is int64 [sequences], on the CPU; the result is the last hidden states [tokens, hidden]. The
  /// operators of operators.hpp are inlay.name, aten's are torch.name.
  std::string_view source;

  /// Registers what the source calls self.name.
  void (*register_weights)(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config);
};

extern const Architecture bert;

/// Null for a name that is not known.
const Architecture* find_architecture(std::string_view name) noexcept;

}  // namespace inlay::encode
