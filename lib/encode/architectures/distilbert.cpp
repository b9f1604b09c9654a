// DistilBERT (Sanh et al., 2019): BERT's layers under other names, and no token types.
#include "encode/architectures/architecture.hpp"
#include "encode/architectures/registration.hpp"

namespace inlay::encode {
namespace {

constexpr std::string_view source = R"(
def forward(self, tokens: Tensor, positions: Tensor, lengths: Tensor) -> Tensor:
    x = inlay.embed(tokens, positions, self.word_embeddings, self.position_embeddings, None)
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

constexpr LayerNames names = {.layer = "transformer.layer.{}.",
                              .query = "attention.q_lin",
                              .key = "attention.k_lin",
                              .value = "attention.v_lin",
                              .attention = "attention.out_lin",
                              .attention_norm = "sa_layer_norm",
                              .intermediate = "ffn.lin1",
                              .output = "ffn.lin2",
                              .output_norm = "output_layer_norm"};

void register_weights(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config) {
  register_embeddings(module, weights, config);
  register_layers(module, weights, config, names);
}

}  // namespace

extern const Architecture distilbert = {"distilbert", source, register_weights};

}  // namespace inlay::encode
