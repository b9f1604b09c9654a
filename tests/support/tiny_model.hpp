// Whole BERT models of a few kilobytes with random weights, written by hand, so that tests need neither a real model nor Python, and can
// spoil whatever they like.
//
//   TemporaryFolder folder;
//   write_tiny_model(folder.path(), {.hidden = 48, .heads = 3});
//   auto generator = EmbeddingGenerator::load(folder.path());
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/environment.hpp"

namespace inlay::test {

struct TinyBert {
  std::size_t hidden = 32;
  std::size_t heads = 2;
  std::size_t layers = 2;
  std::size_t intermediate = 64;
  std::size_t positions = 64;
  std::size_t token_types = 2;
  std::string activation = "gelu";
  std::string pooling = "mean";  ///< the part of pooling_mode_…: "cls_token", "mean_tokens" without its ending
  std::uint32_t seed = 1;
};

struct Tensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::string bytes;  ///< little-endian
  std::string dtype = "F32";
};

/// One token a line: the special ones, letters and digits alone and as continuations, punctuation, and a few words.
inline std::string tiny_vocabulary() {
  std::string lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (const char* prefix : {"", "##"}) {
    for (char letter = 'a'; letter <= 'z'; ++letter) lines += std::string(prefix) + letter + "\n";
    for (char digit = '0'; digit <= '9'; ++digit) lines += std::string(prefix) + digit + "\n";
  }
  for (const char sign : std::string_view(".,:;!?()[]{}<>=+-*/_'\"")) lines += std::string(1, sign) + "\n";
  for (const char* word : {"the", "open", "file", "read", "pass", "##word", "##ing", "return", "def", "日", "本", "\u00e9"}) {
    lines += std::string(word) + "\n";
  }
  return lines;
}

inline std::size_t tiny_vocabulary_size() {
  const std::string vocabulary = tiny_vocabulary();
  return static_cast<std::size_t>(std::count(vocabulary.begin(), vocabulary.end(), '\n'));
}

inline nlohmann::json tiny_config(const TinyBert& bert = {}) {
  return {{"architectures", {"BertModel"}},
          {"model_type", "bert"},
          {"hidden_size", bert.hidden},
          {"num_attention_heads", bert.heads},
          {"num_hidden_layers", bert.layers},
          {"intermediate_size", bert.intermediate},
          {"max_position_embeddings", bert.positions},
          {"type_vocab_size", bert.token_types},
          {"vocab_size", tiny_vocabulary_size()},
          {"hidden_act", bert.activation},
          {"layer_norm_eps", 1e-12},
          {"pad_token_id", 0},
          {"position_embedding_type", "absolute"}};
}

inline Tensor random_tensor(std::string name, std::vector<std::size_t> shape, float mean, float deviation, std::mt19937& random) {
  const std::size_t count = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return {std::move(name), std::move(shape), std::string(reinterpret_cast<const char*>(values.data()), 4 * count)};
}

/// The tensors of BertModel under the names that transformers gives them.
inline std::vector<Tensor> tiny_weights(const TinyBert& bert = {}) {
  std::mt19937 random(bert.seed);
  std::vector<Tensor> tensors;
  const auto matrix = [&](const std::string& name, std::size_t rows, std::size_t columns) {
    tensors.push_back(random_tensor(name, {rows, columns}, 0, 0.3f, random));
  };
  const auto linear = [&](const std::string& name, std::size_t outputs, std::size_t inputs) {
    tensors.push_back(random_tensor(name + ".weight", {outputs, inputs}, 0, 1.0f / std::sqrt(static_cast<float>(inputs)), random));
    tensors.push_back(random_tensor(name + ".bias", {outputs}, 0, 0.1f, random));
  };
  const auto layer_norm = [&](const std::string& name) {
    tensors.push_back(random_tensor(name + ".weight", {bert.hidden}, 1, 0.1f, random));
    tensors.push_back(random_tensor(name + ".bias", {bert.hidden}, 0, 0.1f, random));
  };
  matrix("embeddings.word_embeddings.weight", tiny_vocabulary_size(), bert.hidden);
  matrix("embeddings.position_embeddings.weight", bert.positions, bert.hidden);
  matrix("embeddings.token_type_embeddings.weight", bert.token_types, bert.hidden);
  layer_norm("embeddings.LayerNorm");
  for (std::size_t i = 0; i < bert.layers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i) + ".";
    for (const char* part : {"query", "key", "value"}) linear(layer + "attention.self." + part, bert.hidden, bert.hidden);
    linear(layer + "attention.output.dense", bert.hidden, bert.hidden);
    layer_norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", bert.intermediate, bert.hidden);
    linear(layer + "output.dense", bert.hidden, bert.intermediate);
    layer_norm(layer + "output.LayerNorm");
  }
  return tensors;
}

/// Eight bytes of length, little-endian, and the header: the beginning of a safetensors file.
inline std::string safetensors_head(std::string_view header) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(length >> (8 * i));
  return bytes.append(header);
}

inline std::string safetensors(const std::vector<Tensor>& tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::size_t offset = 0;
  std::string data;
  for (const Tensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
    data += tensor.bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // as the reference implementation aligns the data
  return safetensors_head(text).append(data);
}

/// Everything but the weights.
inline void write_tiny_model_files(const std::filesystem::path& folder, const TinyBert& bert = {}) {
  write(folder / "config.json", tiny_config(bert).dump(2));
  write(folder / "vocab.txt", tiny_vocabulary());
  write(folder / "tokenizer_config.json", R"({"do_lower_case": true, "tokenizer_class": "BertTokenizer"})");
  write(folder / "modules.json", R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])");
  write(folder / "sentence_bert_config.json", nlohmann::json({{"max_seq_length", bert.positions}, {"do_lower_case", false}}).dump());
  nlohmann::json pooling = {{"word_embedding_dimension", bert.hidden}};
  for (const char* mode : {"cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"}) {
    pooling[std::string("pooling_mode_") + mode] =
        std::string_view(mode).starts_with(bert.pooling) && (bert.pooling != "mean" || std::string_view(mode) == "mean_tokens");
  }
  write(folder / "1_Pooling" / "config.json", pooling.dump());
}

inline void write_tiny_model(const std::filesystem::path& folder, const TinyBert& bert = {}) {
  write_tiny_model_files(folder, bert);
  write(folder / "model.safetensors", safetensors(tiny_weights(bert)));
}

}  // namespace inlay::test
