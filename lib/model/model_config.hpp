// What a model's small files say: its architecture and sizes, pooling, limits, prompts.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "inlay/options.hpp"
#include "model/activation.hpp"
#include "model/model_source.hpp"

namespace inlay::model {

/// config.json, as far as an encoder needs it. Every size is checked to be sane.
struct TransformerConfig {
  std::string architecture;  ///< model_type: "bert"
  std::size_t vocabulary_size = 0;
  std::size_t hidden_size = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t intermediate_size = 0;
  std::size_t positions = 0;  ///< rows of the position embeddings
  std::size_t token_types = 0;
  std::size_t relative_buckets = 0;  ///< rows of MPNet's relative attention bias
  std::int64_t padding_id = 1;       ///< of the padding token, behind which RoBERTa and its kin count positions
  float layer_norm_epsilon = 1e-12F;
  Activation activation = Activation::gelu;

  [[nodiscard]] std::size_t head_size() const noexcept { return hidden_size / heads; }
  friend bool operator==(const TransformerConfig&, const TransformerConfig&) = default;
};

/// What a Dense module applies after its linear layer.
enum class DenseActivation { identity, tanh, relu, gelu, sigmoid, silu };

/// y = activation(x * transposed weight + bias), plus x where there is a residual; the weights lie in the module's folder.
struct DenseModule {
  std::string folder;
  std::size_t in = 0;
  std::size_t out = 0;
  bool has_bias = true;
  bool has_residual = false;  ///< x goes through a linear layer of its own where `in` isn't `out`
  DenseActivation activation = DenseActivation::tanh;
};

struct LayerNormModule {
  std::string folder;
  std::size_t width = 0;
};

/// Scales a vector to length 1.
struct NormalizeModule {};

/// What a sentence-transformers model does with a pooled vector.
using SentenceModule = std::variant<DenseModule, LayerNormModule, NormalizeModule>;

/// modules.json and the files it names, config_sentence_transformers.json: what stands around the transformer.
struct SentenceConfig {
  std::vector<Pooling> poolings = {Pooling::mean};  ///< their vectors one behind the other
  bool include_prompt = true;                       ///< whether a prompt's tokens take part in pooling
  std::vector<SentenceModule> modules;              ///< behind the pooling, in order, without a Normalize at the very end
  bool normalize = false;                           ///< whether the model's own modules end in a Normalize
  std::size_t max_sequence_length = 0;              ///< 0: not said
  bool lower_case = false;  ///< sentence_bert_config.json's do_lower_case: the text itself is put in lower case first
  std::map<std::string, std::string> prompts;
  std::string default_prompt;  ///< a key of prompts, or empty
};

struct ModelConfig {
  TransformerConfig transformer;
  SentenceConfig sentence;
  std::size_t max_sequence_length = 0;  ///< what the files say, special tokens included; 0: nothing
  std::vector<std::string> files;       ///< those of the above that exist, for the fingerprint
};

/// Where the transformer's own files lie (config.json, weights, tokenizer): the source itself, or a folder below that modules.json names.
[[nodiscard]] ModelSource transformer_source(const ModelSource& source);

/// `architectures` are the model_types that can be encoded. Throws Error: not_found for a missing config.json, invalid_model for
/// contradictions and absurd sizes, unsupported for an architecture, module, pooling or activation that this build doesn't know, by name.
[[nodiscard]] ModelConfig read_model_config(const ModelSource& source, std::span<const std::string_view> architectures);

/// Where the tokenizer's files lie that belong to a TorchScript program in `source`: beside it, or in the folder "tokenizer" there.
[[nodiscard]] ModelSource script_tokenizer_source(const ModelSource& source);

/// The same for a TorchScript program whose hidden states are so wide; 0: it gives vectors, and neither pooling nor modules are read. Its
/// config.json may be missing, and is read only for what it says of the vocabulary and the positions (0 where it doesn't) and of the
/// padding; the architecture may be any.
[[nodiscard]] ModelConfig read_script_config(const ModelSource& source, std::size_t hidden_size);

/// The width of the pooled vectors behind all modules. Throws Error (invalid_model), naming the module, where widths don't fit.
[[nodiscard]] std::size_t dimension_behind(std::span<const SentenceModule> modules, std::size_t pooled_width, const ModelSource& source);

}  // namespace inlay::model
