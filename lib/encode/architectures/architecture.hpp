// An architecture: the TorchScript program of a family of models, and which of a file's tensors it is made of. To add one, write a file
// like distilbert.cpp, which ends in `extern const Architecture name = {...}`, and name it in registry.cpp.
#pragma once

#include <cstddef>
#include <string_view>

#include "model/model_config.hpp"

namespace torch::jit {
struct Module;
}

namespace inlay::encode {

class Weights;

/// Which row of the position embeddings a token gets.
enum class PositionScheme {
  from_zero,       ///< 0, 1, 2, ...: BERT
  behind_padding,  ///< padding_id + 1, padding_id + 2, ...; a padding token inside a text gets padding_id and isn't counted: RoBERTa
};

struct Architecture {
  std::string_view name;  ///< config.json's model_type

  /// Defines forward(self, tokens: Tensor, positions: Tensor, lengths: Tensor) -> Tensor. tokens and positions are int64 [tokens], the
  /// sequences one after the other; lengths is int64 [sequences], on the CPU; the result is the last hidden states [tokens, hidden]. The
  /// operators of operators.hpp are inlay.name, aten's are torch.name.
  std::string_view source;

  /// Registers what the source calls self.name.
  void (*register_weights)(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config);

  PositionScheme positions = PositionScheme::from_zero;

  /// Tokens of the longest sequence that there are positions for; 0 where the padding leaves none.
  [[nodiscard]] std::size_t longest_sequence(const model::TransformerConfig& config) const noexcept {
    const auto first = positions == PositionScheme::from_zero ? std::size_t{0} : static_cast<std::size_t>(config.padding_id) + 1;
    return config.positions > first ? config.positions - first : 0;
  }
};

/// One of those in registry.cpp. Throws Error (unsupported), naming those that are known, for any other name.
const Architecture& find_architecture(std::string_view name);

}  // namespace inlay::encode
