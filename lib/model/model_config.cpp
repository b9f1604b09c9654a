#include "model/model_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "inlay/error.hpp"
#include "model/file_errors.hpp"
#include "model/json.hpp"
#include "model/modules_file.hpp"
#include "text/utf8.hpp"

namespace inlay::model {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

[[noreturn]] void refuse(Status status, const std::string& label, const std::string& reason) {
  throw Error(status, fmt::format("{}: {}", label, one_line(reason)));
}

// One of the model's JSON files, whose root must be an object; its typed fields by name.
class JsonObject {
 public:
  JsonObject(const ModelSource& source, std::string_view file) : JsonObject(source.read(file)) {}

  [[nodiscard]] bool has(const char* name) const {
    const auto field = root_[name];
    return field.error() == simdjson::SUCCESS && !field.value_unsafe().is_null();
  }

  /// The first of these that the file has; where it has none, the first, which a message will then call missing.
  [[nodiscard]] const char* first_of(std::initializer_list<const char*> names) const {
    const auto* const found = std::ranges::find_if(names, [this](const char* name) { return has(name); });
    return found == names.end() ? *names.begin() : *found;
  }

  /// A whole number in [1, most].
  [[nodiscard]] std::size_t size(const char* name, std::size_t most) const {
    if (!has(name)) refuse(Status::invalid_model, label_, fmt::format("{} is missing", name));
    std::uint64_t value = 0;
    if (root_[name].get(value) || value == 0 || value > most) {
      refuse(Status::invalid_model, label_, fmt::format("{} is {}, not a whole number from 1 to {}", name, text_of(root_[name]), most));
    }
    return value;
  }

  [[nodiscard]] std::string string(const char* name) const {
    std::string_view value;
    if (!has(name)) refuse(Status::invalid_model, label_, fmt::format("{} is missing", name));
    if (root_[name].get(value)) refuse(Status::invalid_model, label_, fmt::format("{} is {}, not a string", name, text_of(root_[name])));
    return std::string(value);
  }

  [[nodiscard]] bool boolean(const char* name, bool otherwise) const {
    if (!has(name)) return otherwise;
    bool value = false;
    if (root_[name].get(value))
      refuse(Status::invalid_model, label_, fmt::format("{} is {}, not true or false", name, text_of(root_[name])));
    return value;
  }

  [[nodiscard]] double number(const char* name, double otherwise) const {
    if (!has(name)) return otherwise;
    double value = 0;
    if (root_[name].get(value)) refuse(Status::invalid_model, label_, fmt::format("{} is {}, not a number", name, text_of(root_[name])));
    return value;
  }

  [[nodiscard]] const object& fields() const noexcept { return root_; }
  [[nodiscard]] const std::string& label() const noexcept { return label_; }

 private:
  explicit JsonObject(const FileBytes& file) : label_(file.label), document_(file.bytes, file.label) {
    if (document_.root().get(root_)) refuse(Status::invalid_model, label_, "it does not hold a JSON object");
  }

  static std::string text_of(simdjson::simdjson_result<element> value) {
    constexpr std::size_t longest = 40;
    std::string text = simdjson::minify(value.value());
    return text.size() <= longest ? text : text::repair_utf8(text.substr(0, longest)).text + "…";
  }

  std::string label_;
  JsonDocument document_;
  object root_;
};

constexpr std::size_t most_layers = 1'000;
constexpr std::size_t most_width = 1 << 16;    // of a hidden state
constexpr std::size_t most_entries = 1 << 24;  // of a vocabulary
constexpr std::size_t most_positions = 1 << 20;
constexpr std::size_t most_poolings = 16;

constexpr std::array<std::pair<std::string_view, Activation>, 7> activations = {{{"gelu", Activation::gelu},
                                                                                 {"gelu_python", Activation::gelu},
                                                                                 {"gelu_new", Activation::gelu_tanh},
                                                                                 {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                                                                 {"relu", Activation::relu},
                                                                                 {"silu", Activation::silu},
                                                                                 {"swish", Activation::silu}}};

std::int64_t read_padding_id(const JsonObject& config, std::size_t vocabulary_size) {
  const double id = config.number("pad_token_id", 0);
  if (!(id >= 0 && id < static_cast<double>(vocabulary_size)) || id != std::floor(id)) {
    refuse(Status::invalid_model, config.label(), fmt::format("pad_token_id is {}, not one of {} ids", id, vocabulary_size));
  }
  return static_cast<std::int64_t>(id);
}

// Architectures name the same sizes differently: DistilBERT's names stand behind BERT's.
TransformerConfig read_transformer(const ModelSource& source, std::span<const std::string_view> architectures) {
  const JsonObject config(source, "config.json");
  TransformerConfig result;
  result.architecture = config.string("model_type");
  if (std::ranges::find(architectures, result.architecture) == architectures.end()) {
    refuse(Status::unsupported, config.label(),
           fmt::format("unsupported architecture \"{}\"; supported: {}", result.architecture, fmt::join(architectures, ", ")));
  }
  result.vocabulary_size = config.size("vocab_size", most_entries);
  result.hidden_size = config.size(config.first_of({"hidden_size", "dim"}), most_width);
  result.layers = config.size(config.first_of({"num_hidden_layers", "n_layers"}), most_layers);
  result.heads = config.size(config.first_of({"num_attention_heads", "n_heads"}), most_width);
  result.intermediate_size = config.size(config.first_of({"intermediate_size", "hidden_dim"}), most_width * 8);
  result.positions = config.size("max_position_embeddings", most_positions);
  result.token_types = config.has("type_vocab_size") ? config.size("type_vocab_size", most_width) : 2;
  result.relative_buckets = config.has("relative_attention_num_buckets") ? config.size("relative_attention_num_buckets", most_width) : 32;
  if (config.has("pad_token_id")) result.padding_id = read_padding_id(config, result.vocabulary_size);
  if (result.hidden_size % result.heads != 0) {
    refuse(Status::invalid_model, config.label(),
           fmt::format("{} {} is not a multiple of {} {}", config.first_of({"hidden_size", "dim"}), result.hidden_size,
                       config.first_of({"num_attention_heads", "n_heads"}), result.heads));
  }
  const double epsilon = config.number("layer_norm_eps", 1e-12);
  if (!(epsilon >= 0 && epsilon < 1))
    refuse(Status::invalid_model, config.label(), fmt::format("layer_norm_eps is {}, not in [0, 1)", epsilon));
  result.layer_norm_epsilon = static_cast<float>(epsilon);

  const char* activation_name = config.first_of({"hidden_act", "activation"});
  const std::string activation = config.has(activation_name) ? config.string(activation_name) : "gelu";
  const auto known = std::ranges::find(activations, activation, &std::pair<std::string_view, Activation>::first);
  if (known == activations.end()) {
    refuse(Status::unsupported, config.label(),
           fmt::format("unsupported {} \"{}\"; supported: gelu, gelu_new, relu, silu", activation_name, activation));
  }
  result.activation = known->second;

  if (config.has("position_embedding_type") && config.string("position_embedding_type") != "absolute") {
    refuse(Status::unsupported, config.label(),
           fmt::format("unsupported position_embedding_type \"{}\"; supported: absolute", config.string("position_embedding_type")));
  }
  if (config.boolean("is_decoder", false)) refuse(Status::unsupported, config.label(), "is_decoder is true; only encoders are supported");
  return result;
}

// 1_Pooling/config.json, in its older form (a flag for each mode) and its newer one (pooling_mode).
void read_pooling(const ModelSource& source, const std::string& file, std::size_t hidden_size, SentenceConfig& result) {
  const JsonObject config(source, file);
  std::vector<std::string> modes;
  simdjson::dom::array list;
  if (config.has("pooling_mode") && config.fields()["pooling_mode"].get(list) == simdjson::SUCCESS) {
    for (const element mode : list) {
      std::string_view name;
      if (mode.get(name)) refuse(Status::invalid_model, config.label(), "pooling_mode is not made of strings");
      modes.emplace_back(name);
    }
  } else if (config.has("pooling_mode")) {
    modes.push_back(config.string("pooling_mode"));
  } else {
    constexpr std::array<std::pair<const char*, const char*>, 6> flags = {{{"pooling_mode_cls_token", "cls"},
                                                                           {"pooling_mode_max_tokens", "max"},
                                                                           {"pooling_mode_mean_tokens", "mean"},
                                                                           {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
                                                                           {"pooling_mode_weightedmean_tokens", "weightedmean"},
                                                                           {"pooling_mode_lasttoken", "lasttoken"}}};
    for (const auto& [flag, mode] : flags) {
      if (config.boolean(flag, false)) modes.emplace_back(mode);
    }
    if (modes.empty()) modes.emplace_back("mean");
  }
  if (modes.empty() || modes.size() > most_poolings)
    refuse(Status::invalid_model, config.label(), fmt::format("pooling_mode names {} modes, not 1 to {}", modes.size(), most_poolings));
  result.poolings.clear();
  try {
    for (const std::string& mode : modes) result.poolings.push_back(parse_pooling(mode));
  } catch (const Error& error) {
    refuse(Status::unsupported, config.label(), error.what());
  }
  result.include_prompt = config.boolean("include_prompt", true);
  for (const char* name : {"word_embedding_dimension", "embedding_dimension"}) {
    if (config.has(name) && config.size(name, most_width) != hidden_size) {
      refuse(Status::invalid_model, config.label(),
             fmt::format("{} is {}, but the hidden states have {} components", name, config.size(name, most_width), hidden_size));
    }
  }
}

std::vector<Module> read_modules(const ModelSource& source) {
  const FileBytes file = source.read("modules.json");
  return parse_modules(file.bytes, file.label);
}

void read_prompts(const ModelSource& source, SentenceConfig& result) {
  const JsonObject config(source, "config_sentence_transformers.json");
  object prompts;
  if (config.has("prompts")) {
    if (config.fields()["prompts"].get(prompts)) refuse(Status::invalid_model, config.label(), "prompts is not an object");
    for (const auto& [name, value] : prompts) {
      std::string_view text;
      if (value.is_null()) continue;
      if (value.get(text)) refuse(Status::invalid_model, config.label(), fmt::format("the prompt \"{}\" is not a string", name));
      result.prompts.emplace(name, text);
    }
  }
  if (config.has("default_prompt_name")) {
    result.default_prompt = config.string("default_prompt_name");
    if (!result.prompts.contains(result.default_prompt)) {
      refuse(Status::invalid_model, config.label(),
             fmt::format("default_prompt_name \"{}\" is none of the prompts", result.default_prompt));
    }
  }
}

DenseActivation dense_activation(const JsonObject& config) {
  if (!config.has("activation_function")) return DenseActivation::tanh;
  const std::string name = config.string("activation_function");  // "torch.nn.modules.activation.Tanh"
  constexpr std::array<std::pair<std::string_view, DenseActivation>, 6> known = {{{"Identity", DenseActivation::identity},
                                                                                  {"Tanh", DenseActivation::tanh},
                                                                                  {"ReLU", DenseActivation::relu},
                                                                                  {"GELU", DenseActivation::gelu},
                                                                                  {"Sigmoid", DenseActivation::sigmoid},
                                                                                  {"SiLU", DenseActivation::silu}}};
  const auto* const found =
      std::ranges::find(known, std::string_view(name).substr(name.rfind('.') + 1), [](const auto& each) { return each.first; });
  if (!name.starts_with("torch.nn.") || found == known.end()) {
    refuse(Status::unsupported, config.label(),
           fmt::format("unsupported activation_function \"{}\"; supported: torch.nn's Identity, Tanh, ReLU, GELU, Sigmoid, SiLU", name));
  }
  return found->second;
}

DenseModule read_dense(const ModelSource& source, const std::string& folder) {
  const JsonObject config(source, folder + "/config.json");
  for (const char* name : {"module_input_name", "module_output_name"}) {
    if (config.has(name) && config.string(name) != "sentence_embedding") {
      refuse(Status::unsupported, config.label(),
             fmt::format("unsupported {} \"{}\"; supported: sentence_embedding", name, config.string(name)));
    }
  }
  return {.folder = folder,
          .in = config.size("in_features", most_width * most_poolings),
          .out = config.size("out_features", most_width),
          .has_bias = config.boolean("bias", true),
          .has_residual = config.boolean("use_residual", false),
          .activation = dense_activation(config)};
}

// The modules of modules.json, in order: the transformer, its pooling, and what becomes of the pooled vector.
void read_modules_into(SentenceConfig& result, const ModelSource& source, std::size_t hidden_size, std::vector<std::string>& files) {
  const std::string label = source.label("modules.json");
  bool pooled = false;
  for (const Module& module : read_modules(source)) {
    const std::string config = module.path.empty() ? "config.json" : module.path + "/config.json";
    if (module.type == "Transformer") continue;
    if (module.type == "Pooling") {
      if (pooled) refuse(Status::unsupported, label, "it has two Pooling modules");
      files.push_back(config);
      read_pooling(source, config, hidden_size, result);
      pooled = true;
      continue;
    }
    if (module.type == "Dropout") continue;  // does nothing but in training
    if (module.type != "Normalize" && module.type != "Dense" && module.type != "LayerNorm") {
      refuse(Status::unsupported, label,
             fmt::format("unsupported module \"{}\"; supported: Transformer, Pooling, Dense, LayerNorm, Normalize, Dropout", module.type));
    }
    if (!pooled) refuse(Status::unsupported, label, fmt::format("{} stands before the Pooling module", module.type));
    if (module.type == "Normalize") {
      result.modules.emplace_back(NormalizeModule{});
    } else if (module.type == "Dense") {
      files.push_back(config);
      result.modules.emplace_back(read_dense(source, module.path));
    } else {
      files.push_back(config);
      result.modules.emplace_back(LayerNormModule{module.path, JsonObject(source, config).size("dimension", most_width * most_poolings)});
    }
  }
  if (!pooled) refuse(Status::unsupported, label, "it has no Pooling module");
  while (!result.modules.empty() && std::holds_alternative<NormalizeModule>(result.modules.back())) {
    result.modules.pop_back();
    result.normalize = true;
  }
}

// How the hidden states become a vector.
void read_sentence_modules(SentenceConfig& result, const ModelSource& source, std::size_t hidden_size, std::vector<std::string>& files) {
  if (source.has("modules.json")) {
    files.emplace_back("modules.json");
    read_modules_into(result, source, hidden_size, files);
  } else if (source.has("1_Pooling/config.json")) {
    files.emplace_back("1_Pooling/config.json");
    read_pooling(source, "1_Pooling/config.json", hidden_size, result);
  }
}

// What becomes of the text before: the limit, the case, the prompts.
void read_sentence_files(SentenceConfig& result, const ModelSource& source, const ModelSource& transformer,
                         std::vector<std::string>& files) {
  // Versions before 1.0 named the file after the architecture.
  for (const char* kind : {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"}) {
    const std::string file = fmt::format("sentence_{}_config.json", kind);
    if (!transformer.has(file)) continue;
    files.push_back(transformer.path(file));
    const JsonObject config(transformer, file);
    if (config.has("max_seq_length")) result.max_sequence_length = config.size("max_seq_length", most_positions);
    result.lower_case = config.boolean("do_lower_case", false);
    break;
  }
  if (source.has("config_sentence_transformers.json")) {
    files.emplace_back("config_sentence_transformers.json");
    read_prompts(source, result);
  }
}

// tokenizer_config.json's model_max_length; 0 where it is not said, or "very large" as transformers writes it for no limit.
std::size_t tokenizer_limit(const ModelSource& source) {
  if (!source.has("tokenizer_config.json")) return 0;
  const double limit = JsonObject(source, "tokenizer_config.json").number("model_max_length", 0);
  return limit >= 1 && limit <= static_cast<double>(most_positions) ? static_cast<std::size_t>(limit) : 0;
}

}  // namespace

ModelSource transformer_source(const ModelSource& source) {
  if (!source.has("modules.json")) return source;
  for (const Module& module : read_modules(source)) {
    if (module.type == "Transformer" && !module.path.empty()) return source.below(module.path);
  }
  return source;
}

ModelConfig read_model_config(const ModelSource& source, std::span<const std::string_view> architectures) {
  const ModelSource transformer = transformer_source(source);
  ModelConfig config;
  config.files.push_back(transformer.path("config.json"));
  config.transformer = read_transformer(transformer, architectures);
  read_sentence_modules(config.sentence, source, config.transformer.hidden_size, config.files);
  read_sentence_files(config.sentence, source, transformer, config.files);
  config.max_sequence_length = config.sentence.max_sequence_length;
  if (config.max_sequence_length == 0) config.max_sequence_length = tokenizer_limit(transformer);
  return config;
}

ModelSource script_tokenizer_source(const ModelSource& source) {
  ModelSource own = source.below("tokenizer");
  for (const char* file : {"tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model"}) {
    if (own.has(file)) return own;
  }
  return transformer_source(source);
}

ModelConfig read_script_config(const ModelSource& source, std::size_t hidden_size) {
  const ModelSource transformer = transformer_source(source);
  ModelConfig config;
  if (transformer.has("config.json")) {
    config.files.push_back(transformer.path("config.json"));
    const JsonObject file(transformer, "config.json");
    TransformerConfig& transformer_config = config.transformer;
    if (file.has("model_type")) transformer_config.architecture = file.string("model_type");
    if (file.has("vocab_size")) transformer_config.vocabulary_size = file.size("vocab_size", most_entries);
    if (file.number("max_position_embeddings", -1) > 0) {  // -1 where positions are without limit
      transformer_config.positions = file.size("max_position_embeddings", most_positions);
    }
    if (file.has("pad_token_id") && transformer_config.vocabulary_size != 0) {
      transformer_config.padding_id = read_padding_id(file, transformer_config.vocabulary_size);
    }
    const char* width = file.first_of({"hidden_size", "dim"});
    if (hidden_size != 0 && file.has(width) && file.size(width, most_width) != hidden_size) {
      refuse(Status::invalid_model, file.label(),
             fmt::format("{} is {}, but the program's hidden states have {} components: is it one with a head, for another task?", width,
                         file.size(width, most_width), hidden_size));
    }
  }
  config.transformer.hidden_size = hidden_size;
  if (hidden_size != 0) read_sentence_modules(config.sentence, source, hidden_size, config.files);
  read_sentence_files(config.sentence, source, transformer, config.files);
  config.max_sequence_length = config.sentence.max_sequence_length;
  if (config.max_sequence_length == 0) config.max_sequence_length = tokenizer_limit(script_tokenizer_source(source));
  return config;
}

std::size_t dimension_behind(std::span<const SentenceModule> modules, std::size_t pooled_width, const ModelSource& source) {
  std::size_t width = pooled_width;
  const auto check = [&](const std::string& folder, const char* name, std::size_t wanted) {
    if (wanted == width) return;
    refuse(Status::invalid_model, source.label(folder + "/config.json"),
           fmt::format("{} is {}, but the vectors that the module gets have {} components", name, wanted, width));
  };
  for (const SentenceModule& module : modules) {
    if (const auto* dense = std::get_if<DenseModule>(&module)) {
      check(dense->folder, "in_features", dense->in);
      width = dense->out;
    } else if (const auto* norm = std::get_if<LayerNormModule>(&module)) {
      check(norm->folder, "dimension", norm->width);
    }
  }
  return width;
}

}  // namespace inlay::model
