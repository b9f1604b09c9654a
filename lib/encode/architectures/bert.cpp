// BERT (Devlin et al., 2018), the encoder of MiniLM, BGE, E5 and GTE: embeddings, then layers of self-attention and a feed-forward network,
// each followed by a residual connection and a layer normalisation.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>

#include "encode/architectures/architecture.hpp"
#include "encode/weights.hpp"

namespace inlay::encode {
namespace {

constexpr std::string_view source = R"(
def forward(self, tokens: Tensor, positions: Tensor, lengths: Tensor) -> Tensor:
    x = inlay.embed(tokens, positions, self.word_embeddings, self.position_embeddings, self.token_type_embedding)
    x = inlay.layer_norm(x, self.embeddings_gamma, self.embeddings_beta, self.epsilon)
    for i in range(self.layers):
        qkv = inlay.linear(x, self.qkv_weight[i], self.qkv_bias[i], 0)
        context = inlay.attention(qkv, lengths, self.heads)
        x = inlay.linear_add_norm(context, self.attention_weight[i], self.attention_bias[i], x,
                                  self.attention_gamma[i], self.attention_beta[i], self.epsilon)
        wide = inlay.linear(x, self.intermediate_weight[i], self.intermediate_bias[i], self.activation)
        x = inlay.linear_add_norm(wide, self.output_weight[i], self.output_bias[i], x,
                                  self.output_gamma[i], self.output_beta[i], self.epsilon)
    return x
)";

void register_weights(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config) {
  const std::size_t hidden = config.hidden_size;
  const std::size_t wide = config.intermediate_size;
  const auto attribute = [&module](const char* name, const at::Tensor& value) {
    module.register_attribute(name, c10::TensorType::get(), value);
  };
  const auto number = [&module](const char* name, std::size_t value) {
    module.register_attribute(name, c10::IntType::get(), static_cast<std::int64_t>(value));
  };
  number("layers", config.layers);
  number("heads", config.heads);
  number("activation", static_cast<std::size_t>(config.activation));
  module.register_attribute("epsilon", c10::FloatType::get(), static_cast<double>(config.layer_norm_epsilon));

  attribute("word_embeddings", weights.tensor("embeddings.word_embeddings.weight", {config.vocabulary_size, hidden}));
  attribute("position_embeddings", weights.tensor("embeddings.position_embeddings.weight", {config.positions, hidden}));
  // A text alone is all of type 0.
  attribute("token_type_embedding",
            weights.tensor("embeddings.token_type_embeddings.weight", {config.token_types, hidden})[0].contiguous());
  attribute("embeddings_gamma", weights.tensor("embeddings.LayerNorm.weight", {hidden}));
  attribute("embeddings_beta", weights.tensor("embeddings.LayerNorm.bias", {hidden}));

  // One list of tensors per attribute, an element per layer.
  const auto per_layer = [&](const char* name, const auto& read) {
    c10::List<at::Tensor> list;
    for (std::size_t i = 0; i < config.layers; ++i) list.push_back(read(fmt::format("encoder.layer.{}.", i)));
    module.register_attribute(name, c10::ListType::ofTensors(), list);
  };
  const auto linear = [&](const std::string& name, const char* layer, std::size_t out, std::size_t in) {
    per_layer((name + "_weight").c_str(), [&](const std::string& at) { return weights.linear({at + layer + ".weight"}, out, in); });
    per_layer((name + "_bias").c_str(), [&](const std::string& at) { return weights.bias({at + layer + ".bias"}, out); });
  };
  const auto norm = [&](const std::string& name, const char* layer) {
    per_layer((name + "_gamma").c_str(), [&](const std::string& at) { return weights.tensor(at + layer + ".weight", {hidden}); });
    per_layer((name + "_beta").c_str(), [&](const std::string& at) { return weights.tensor(at + layer + ".bias", {hidden}); });
  };
  const auto qkv = [](const std::string& at, const char* kind) {
    return std::vector<std::string>{at + "attention.self.query." + kind, at + "attention.self.key." + kind,
                                    at + "attention.self.value." + kind};
  };
  per_layer("qkv_weight", [&](const std::string& at) { return weights.linear(qkv(at, "weight"), 3 * hidden, hidden); });
  per_layer("qkv_bias", [&](const std::string& at) { return weights.bias(qkv(at, "bias"), 3 * hidden); });
  linear("attention", "attention.output.dense", hidden, hidden);
  norm("attention", "attention.output.LayerNorm");
  linear("intermediate", "intermediate.dense", wide, hidden);
  linear("output", "output.dense", hidden, wide);
  norm("output", "output.LayerNorm");
}

}  // namespace

const Architecture bert = {"bert", source, register_weights};

}  // namespace inlay::encode
