// What a model's small files say: its architecture and sizes, pooling, limits, prompts.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "encode/kernels/kernels.hpp"
#include "inlay/options.hpp"
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
  std::size_t positions = 0;  ///< position embeddings: the longest sequence
  std::size_t token_types = 0;
  float layer_norm_epsilon = 1e-12F;
  encode::Activation activation = encode::Activation::gelu;

  [[nodiscard]] std::size_t head_size() const noexcept { return hidden_size / heads; }
  friend bool operator==(const TransformerConfig&, const TransformerConfig&) = default;
};

/// modules.json and the files it names, config_sentence_transformers.json: what stands around the transformer.
struct SentenceConfig {
  Pooling pooling = Pooling::mean;
  bool include_prompt = true;           ///< whether a prompt's tokens take part in pooling
  bool normalize = false;               ///< whether the model's own modules end in a normalisation
  std::size_t max_sequence_length = 0;  ///< 0: not said
  bool lower_case = false;              ///< sentence_bert_config.json's do_lower_case: the text itself is put in lower case first
  std::map<std::string, std::string> prompts;
  std::string default_prompt;  ///< a key of prompts, or empty
};

struct ModelConfig {
  TransformerConfig transformer;
  SentenceConfig sentence;
  std::size_t max_sequence_length = 0;  ///< the model's own limit: what its files say, never more than it has positions
  std::vector<std::string> files;       ///< those of the above that exist, for the fingerprint
};

/// Throws Error: not_found for a missing config.json, invalid_model for contradictions and absurd sizes, unsupported for an architecture,
/// module, pooling or activation that this build doesn't know, by name.
[[nodiscard]] ModelConfig read_model_config(const ModelSource& source);

}  // namespace inlay::model
