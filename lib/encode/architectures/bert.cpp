// BERT (Devlin et al., 2018), the encoder of MiniLM, BGE, E5 and GTE: embeddings, then layers of self-attention and a feed-forward network,
// each followed by a residual connection and a layer normalisation. RoBERTa (Liu et al., 2019), the encoder of CodeBERT and GraphCodeBERT,
// and its descendants XLM-R and CamemBERT run the same program on positions that are counted otherwise.
#include <ATen/ATen.h>

#include "encode/architectures/architecture.hpp"
#include "encode/architectures/registration.hpp"

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

constexpr LayerNames names = {.layer = "encoder.layer.{}.",
                              .query = "attention.self.query",
                              .key = "attention.self.key",
                              .value = "attention.self.value",
                              .attention = "attention.output.dense",
                              .attention_norm = "attention.output.LayerNorm",
                              .intermediate = "intermediate.dense",
                              .output = "output.dense",
                              .output_norm = "output.LayerNorm"};

void register_weights(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config) {
  register_embeddings(module, weights, config);
  const at::Tensor types = weights.tensor("embeddings.token_type_embeddings.weight", {config.token_types, config.hidden_size});
  Registration(module).tensor("token_type_embedding", types[0].contiguous());  // a text alone is all of type 0
  register_layers(module, weights, config, names);
}

}  // namespace

extern const Architecture bert = {"bert", source, register_weights};
extern const Architecture roberta = {"roberta", source, register_weights, PositionScheme::behind_padding};
extern const Architecture xlm_roberta = {"xlm-roberta", source, register_weights, PositionScheme::behind_padding};
extern const Architecture camembert = {"camembert", source, register_weights, PositionScheme::behind_padding};

}  // namespace inlay::encode
