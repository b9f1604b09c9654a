// MPNet (Song et al., 2020): RoBERTa's layers and positions, no token types, and T5's relative position bias, which all layers share.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "encode/architectures/architecture.hpp"
#include "encode/architectures/registration.hpp"
#include "inlay/error.hpp"

namespace inlay::encode {
namespace {

constexpr std::string_view source = R"(
def forward(self, tokens: Tensor, positions: Tensor, lengths: Tensor) -> Tensor:
    x = inlay.embed(tokens, positions, self.word_embeddings, self.position_embeddings, None)
    x = inlay.layer_norm(x, self.embeddings_gamma, self.embeddings_beta, self.epsilon)
    for i in range(self.layers):
        qkv = inlay.linear(x, self.qkv_weight[i], self.qkv_bias[i], 0)
        context = inlay.attention(qkv, lengths, self.heads, self.relative_bias)
        x = inlay.linear_add_norm(context, self.attention_weight[i], self.attention_bias[i], x,
                                  self.attention_gamma[i], self.attention_beta[i], self.epsilon)
        wide = inlay.linear(x, self.intermediate_weight[i], self.intermediate_bias[i], self.activation)
        x = inlay.linear_add_norm(wide, self.output_weight[i], self.output_bias[i], x,
                                  self.output_gamma[i], self.output_beta[i], self.epsilon)
    return x
)";

constexpr LayerNames names = {.layer = "encoder.layer.{}.",
                              .query = "attention.attn.q",
                              .key = "attention.attn.k",
                              .value = "attention.attn.v",
                              .attention = "attention.attn.o",
                              .attention_norm = "attention.LayerNorm",
                              .intermediate = "intermediate.dense",
                              .output = "output.dense",
                              .output_norm = "output.LayerNorm"};

// T5's buckets (Raffel et al., 2019): half of them for keys before the query, half for those behind; of each half one for each of the
// nearest distances, and logarithmically wider ones up to 128, beyond which all share the last. In float32 and in the reference's order of
// operations, so that the bounds fall where they fell in training.
at::Tensor bucket_of(const at::Tensor& distance, std::int64_t buckets) {
  constexpr double farthest = 128;
  const std::int64_t half = buckets / 2;
  const std::int64_t exact = half / 2;
  const at::Tensor away = distance.abs();
  const at::Tensor logarithm = at::log(away.to(at::kFloat) / static_cast<double>(exact)) / std::log(farthest / static_cast<double>(exact));
  const at::Tensor wide = ((logarithm * (half - exact)).to(at::kLong) + exact).clamp_max(half - 1);
  return (distance > 0).to(at::kLong) * half + at::where(away < exact, away, wide);
}

// [heads, 2 * positions - 1]: the bias by the distance from query to key, computed once for all lengths.
at::Tensor relative_bias(Weights& weights, const model::TransformerConfig& config) {
  if (config.relative_buckets < 4) {
    throw Error(Status::invalid_model,
                fmt::format("config.json: relative_attention_num_buckets is {}, not 4 or more", config.relative_buckets));
  }
  const at::Tensor by_bucket = weights.tensor("encoder.relative_attention_bias.weight", {config.relative_buckets, config.heads});
  const auto last = static_cast<std::int64_t>(config.positions) - 1;
  const at::Tensor bucket = bucket_of(at::arange(-last, last + 1, at::kLong), static_cast<std::int64_t>(config.relative_buckets));
  return by_bucket.index_select(0, bucket.to(by_bucket.device())).t().contiguous();
}

void register_weights(torch::jit::Module& module, Weights& weights, const model::TransformerConfig& config) {
  register_embeddings(module, weights, config);
  Registration(module).tensor("relative_bias", relative_bias(weights, config));
  register_layers(module, weights, config, names);
}

}  // namespace

extern const Architecture mpnet = {"mpnet", source, register_weights, PositionScheme::behind_padding};

}  // namespace inlay::encode
