// Model folders that are damaged, incomplete, hostile or of an unknown kind: each gives an Error that names the culprit, and the process
// lives on.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

using nlohmann::json;

void check_load_error(const std::filesystem::path& folder, Status status, std::initializer_list<std::string_view> named) {
  check_error(status, named, [&] { (void)EmbeddingGenerator::load(folder, {.device = Device::cpu(), .threads = 1}); });
}

/// A whole model but for one change in one of its JSON files.
template <typename Change>
void with_changed(const std::filesystem::path& folder, const char* file, Change change) {
  write_tiny_model(folder);
  json content = json::parse(read(folder / file));
  change(content);
  write(folder / file, content.dump());
}

void check_config(const char* key, const json& value, Status status, std::initializer_list<std::string_view> named) {
  const TemporaryFolder folder;
  with_changed(folder.path(), "config.json", [&](json& config) { config[key] = value; });
  CAPTURE(key, value.dump());
  check_load_error(folder.path(), status, named);
}

bool embeds(const std::filesystem::path& folder) {
  const auto generator = EmbeddingGenerator::load(folder, {.device = Device::cpu(), .threads = 1});
  const EmbedResult result = generator.embed({"open the file"});
  return result.complete() && result.vectors.shape(0) == 1 && result.vectors.shape(1) == generator.dimension();
}

}  // namespace

TEST_CASE("the tests' own model loads and embeds", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  CHECK(embeds(folder.path()));
}

TEST_CASE("a folder that is missing, empty or a file is named", "[bad_models]") {
  const TemporaryFolder folder;
  check_load_error(folder / "nowhere", Status::not_found, {"nowhere"});
  check_load_error("", Status::not_found, {});
  check_load_error(folder.path(), Status::not_found, {folder.path().string(), "config.json"});
  write(folder / "a_file", "text");
  check_load_error(folder / "a_file", Status::invalid_model, {"a_file", "give the folder"});
}

TEST_CASE("each file that a model cannot do without is named when it is missing", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  SECTION("config.json") {
    std::filesystem::remove(folder / "config.json");
    check_load_error(folder.path(), Status::not_found, {"config.json"});
  }
  SECTION("the weights") {
    std::filesystem::remove(folder / "model.safetensors");
    check_load_error(folder.path(), Status::not_found, {"model.safetensors"});
  }
  SECTION("the tokenizer") {
    std::filesystem::remove(folder / "vocab.txt");
    check_load_error(folder.path(), Status::not_found, {"tokenizer.json", "vocab.txt"});
  }
  SECTION("the pooling that modules.json asks for") {
    std::filesystem::remove(folder / "1_Pooling" / "config.json");
    check_load_error(folder.path(), Status::not_found, {"1_Pooling"});
  }
}

TEST_CASE("files that are not needed may be missing", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  for (const char* file : {"sentence_bert_config.json", "tokenizer_config.json"}) {
    std::filesystem::remove(folder / file);
    CHECK(embeds(folder.path()));
  }
  std::filesystem::remove(folder / "modules.json");
  CHECK(embeds(folder.path()));
  std::filesystem::remove_all(folder / "1_Pooling");
  CHECK(embeds(folder.path()));
}

TEST_CASE("folders in the place of files are errors", "[bad_models]") {
  for (const char* file : {"config.json", "model.safetensors", "vocab.txt", "modules.json", "1_Pooling/config.json", "tokenizer.json"}) {
    CAPTURE(file);
    const TemporaryFolder folder;
    write_tiny_model(folder.path());
    std::filesystem::remove(folder / file);
    std::filesystem::create_directory(folder / file);
    CHECK_THROWS_AS(EmbeddingGenerator::load(folder.path()), Error);
  }
}

TEST_CASE("empty files are errors that name them", "[bad_models]") {
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.txt", "modules.json", "1_Pooling/config.json", "tokenizer.json",
        "sentence_bert_config.json", "tokenizer_config.json", "config_sentence_transformers.json", "special_tokens_map.json"}) {
    CAPTURE(file);
    const TemporaryFolder folder;
    write_tiny_model(folder.path());
    write(folder / file, "");
    check_load_error(folder.path(), Status::invalid_model, {file});
  }
}

TEST_CASE("an unknown architecture is named, and so are those that are supported", "[bad_models]") {
  check_config("model_type", "mamba", Status::unsupported, {"config.json", "mamba", "supported", "bert"});
  check_config("model_type", 7, Status::invalid_model, {"config.json", "model_type", "7"});
  check_config("model_type", nullptr, Status::invalid_model, {"config.json", "model_type"});
  check_config("hidden_act", "gulp", Status::unsupported, {"config.json", "hidden_act", "gulp", "supported"});
  check_config("position_embedding_type", "relative_key", Status::unsupported, {"config.json", "relative_key"});
  check_config("is_decoder", true, Status::unsupported, {"config.json", "is_decoder"});
}

TEST_CASE("absurd sizes in the config are errors that name the field and its value", "[bad_models]") {
  for (const char* key : {"hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size", "max_position_embeddings",
                          "type_vocab_size", "vocab_size"}) {
    check_config(key, 0, Status::invalid_model, {"config.json", key, "0"});
    check_config(key, -1, Status::invalid_model, {"config.json", key, "-1"});
    check_config(key, std::int64_t{1} << 40, Status::invalid_model, {"config.json", key, "1099511627776"});
    check_config(key, std::uint64_t{1} << 63, Status::invalid_model, {"config.json", key, "9223372036854775808"});
    check_config(key, 2.5, Status::invalid_model, {"config.json", key, "2.5"});
    check_config(key, 1e300, Status::invalid_model, {"config.json", key});
    check_config(key, "32", Status::invalid_model, {"config.json", key});
    check_config(key, json::array({32}), Status::invalid_model, {"config.json", key});
  }
  for (const char* key :
       {"hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size", "max_position_embeddings", "vocab_size"}) {
    check_config(key, nullptr, Status::invalid_model, {"config.json", key});
  }
  check_config("num_attention_heads", 5, Status::invalid_model, {"config.json", "num_attention_heads", "5", "32"});
  for (const double epsilon : {-1e-12, 1e30})
    check_config("layer_norm_eps", epsilon, Status::invalid_model, {"config.json", "layer_norm_eps"});
}

TEST_CASE("shapes that do not fit the config are errors that name the tensor", "[bad_models]") {
  struct Case {
    const char* key;
    int value;
    const char* tensor;
  };
  for (const Case& wrong :
       {Case{"hidden_size", 64, "embeddings."}, Case{"intermediate_size", 128, "encoder.layer.0.intermediate.dense"},
        Case{"max_position_embeddings", 128, "position_embeddings"}, Case{"type_vocab_size", 3, "token_type_embeddings"},
        Case{"vocab_size", 5000, "word_embeddings"}, Case{"num_hidden_layers", 3, "encoder.layer.2."}}) {
    CAPTURE(wrong.key);
    const TemporaryFolder folder;
    with_changed(folder.path(), "config.json", [&](json& config) { config[wrong.key] = wrong.value; });
    if (std::string_view(wrong.key) == "hidden_size") {  // which the pooling would contradict first
      std::filesystem::remove(folder / "modules.json");
      std::filesystem::remove_all(folder / "1_Pooling");
    }
    check_load_error(folder.path(), Status::invalid_model, {"model.safetensors", wrong.tensor});
  }
}

TEST_CASE("a missing tensor, or one of a type that weights cannot have, is named", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto complete = tiny_weights();
  for (const std::size_t index : {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{9}, complete.size() - 1}) {
    auto tensors = complete;
    const std::string name = tensors[index].name;
    CAPTURE(name);
    tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(index));
    write(folder / "model.safetensors", safetensors(tensors));
    check_load_error(folder.path(), Status::invalid_model, {"model.safetensors", name});

    tensors = complete;
    tensors[index].dtype = "I32";
    write(folder / "model.safetensors", safetensors(tensors));
    check_error(Status::unsupported, {"model.safetensors", name, "I32"}, [&] { (void)EmbeddingGenerator::load(folder.path()); });
  }
}

TEST_CASE("weights under the prefix of a model with a head load, too", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto generator = EmbeddingGenerator::load(folder.path(), {.threads = 1});
  auto tensors = tiny_weights();
  for (Tensor& tensor : tensors) tensor.name = "bert." + tensor.name;
  tensors.push_back({"cls.predictions.bias", {2}, "12345678"});
  const TemporaryFolder prefixed;
  write_tiny_model_files(prefixed.path());
  write(prefixed / "model.safetensors", safetensors(tensors));
  CHECK((EmbeddingGenerator::load(prefixed.path(), {.threads = 1}).embed({"read the file"}).vectors ==
         generator.embed({"read the file"}).vectors));
}

TEST_CASE("damaged weights are errors that name the file", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const std::string valid = read(folder / "model.safetensors");
  const auto check_weights = [&](const std::string& bytes, std::initializer_list<std::string_view> named) {
    write(folder / "model.safetensors", bytes);
    check_load_error(folder.path(), Status::invalid_model, named);
  };
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{9}, std::size_t{1000}, valid.size() / 2, valid.size() - 1}) {
    CAPTURE(size);
    check_weights(valid.substr(0, size), {"model.safetensors"});
  }
  check_weights("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90868376\n",
                {"model.safetensors", "Git LFS", "git lfs pull"});
  check_weights("<html><body>404 Not Found</body></html>" + std::string(100, ' '), {"model.safetensors"});
  check_weights(
      safetensors_head(
          "{\"embeddings.word_embeddings.weight\":{\"dtype\":\"F32\",\"shape\":[1099511627776,1099511627776],\"data_offsets\":[0,0]}}"),
      {"model.safetensors", "embeddings.word_embeddings.weight"});
}

TEST_CASE("weights that are not numbers are an error, or make vectors that are reported as failed", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  auto tensors = tiny_weights();
  for (Tensor& tensor : tensors) {
    if (tensor.name == "encoder.layer.1.output.LayerNorm.bias") std::memcpy(tensor.bytes.data(), "\x00\x00\xc0\x7f", 4);
  }
  write(folder / "model.safetensors", safetensors(tensors));
  try {
    const EmbedResult result = EmbeddingGenerator::load(folder.path()).embed({"open"});
    CHECK(result.vectors.shape(0) == 1);
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_model);
  }
}

TEST_CASE("a vocabulary with line ends of Windows is the same vocabulary", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto expected = EmbeddingGenerator::load(folder.path()).tokenizer().encode("return the passwords, open_file(日本)");
  std::string vocabulary;
  for (const char letter : tiny_vocabulary()) vocabulary += letter == '\n' ? std::string("\r\n") : std::string(1, letter);
  write(folder / "vocab.txt", vocabulary);
  const auto generator = EmbeddingGenerator::load(folder.path());
  CHECK(generator.tokenizer().encode("return the passwords, open_file(日本)").ids == expected.ids);
  CHECK(generator.embed({"return the passwords"}).complete());
}

// transformers gives a special token that is not in the vocabulary the next free id: the model must have an embedding for it.
TEST_CASE("special tokens that the vocabulary lacks are added behind it, if the model has embeddings for them", "[bad_models]") {
  for (const std::string special : {"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"}) {
    CAPTURE(special);
    const TemporaryFolder folder;
    write_tiny_model(folder.path());
    std::string vocabulary = tiny_vocabulary();
    vocabulary.replace(vocabulary.find(special), 5, "[???]");
    write(folder / "vocab.txt", vocabulary);
    check_load_error(folder.path(), Status::invalid_model, {"vocab_size", std::to_string(tiny_vocabulary_size())});

    const std::size_t size = tiny_vocabulary_size() - 1;
    vocabulary.erase(vocabulary.rfind('\n', vocabulary.size() - 2) + 1);  // makes room for it
    write(folder / "vocab.txt", vocabulary);
    const auto generator = EmbeddingGenerator::load(folder.path());
    CHECK(generator.tokenizer().token(static_cast<TokenId>(size)) == special);
    CHECK(generator.embed({"open"}).complete());
  }
}

TEST_CASE("a vocabulary with more tokens than the model has embeddings for is an error", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  write(folder / "vocab.txt", tiny_vocabulary() + "one\ntoo\nmany\n");
  check_load_error(folder.path(), Status::invalid_model, {"vocab"});
}

TEST_CASE("a tokenizer.json that is not a tokenizer is an error that names it", "[bad_models]") {
  for (const std::string_view content :
       {"{}", "[]", "null", R"({"model": null})", R"({"model": {"type": "Unigram"}})", R"({"model": {"type": "WordPiece"}})",
        R"({"model": {"type": "WordPiece", "vocab": [], "unk_token": "[UNK]"}})",
        R"({"model": {"type": "WordPiece", "vocab": {"a": -1}, "unk_token": "[UNK]"}})",
        R"({"model": {"type": "WordPiece", "vocab": {"[UNK]": 4000000000000}, "unk_token": "[UNK]"}})",
        R"({"model": {"type": "WordPiece", "vocab": {}, "unk_token": "[UNK]", "continuing_subword_prefix": 3}})",
        R"({"normalizer": {"type": "Surprise"}, "model": {"type": "WordPiece", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}})"}) {
    CAPTURE(content);
    const TemporaryFolder folder;
    write_tiny_model(folder.path());
    write(folder / "tokenizer.json", content);
    try {
      (void)EmbeddingGenerator::load(folder.path());
      FAIL_CHECK("nothing was thrown");
    } catch (const Error& error) {
      CHECK_THAT(error.what(), Catch::Contains("tokenizer.json"));
      CHECK((error.status() == Status::invalid_model || error.status() == Status::unsupported));
    }
  }
}

TEST_CASE("modules that this build does not know are named", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto check_modules = [&](const std::string& content, Status status, std::initializer_list<std::string_view> named) {
    CAPTURE(content);
    write(folder / "modules.json", content);
    check_load_error(folder.path(), status, named);
  };
  check_modules(
      R"([{"type": "sentence_transformers.models.Transformer", "path": ""}, {"type": "sentence_transformers.models.Hologram", "path": "1_Hologram"}])",
      Status::unsupported, {"modules.json", "Hologram", "supported"});
  check_modules(R"({"type": "list"})", Status::invalid_model, {"modules.json"});
  check_modules(R"([1, 2])", Status::invalid_model, {"modules.json"});
  check_modules(R"([{"path": ""}])", Status::invalid_model, {"modules.json", "type"});
  std::string many = R"([{"type": "Transformer", "path": ""})";
  for (int i = 0; i < 1500; ++i) many += R"(, {"type": "sentence_transformers.models.Dense", "path": "2_Dense"})";
  check_modules(many + "]", Status::invalid_model, {"modules.json", "more than 100 modules"});
  check_modules(R"([{"type": "sentence_transformers.models.Pooling", "path": "../../../etc"}])", Status::invalid_model,
                {"modules.json", "../../../etc"});
  check_modules(R"([{"type": "sentence_transformers.models.Pooling", "path": "/etc"}])", Status::invalid_model, {"modules.json", "/etc"});
}

TEST_CASE("pooling that this build does not know, or that contradicts the config, is named", "[bad_models]") {
  const auto check_pooling = [](const json& content, Status status, std::initializer_list<std::string_view> named) {
    const TemporaryFolder folder;
    write_tiny_model(folder.path());
    write(folder / "1_Pooling" / "config.json", content.dump());
    CAPTURE(content.dump());
    check_load_error(folder.path(), status, named);
  };
  check_pooling({{"word_embedding_dimension", 32}, {"pooling_mode", "median"}}, Status::unsupported, {"1_Pooling", "median"});
  check_pooling({{"word_embedding_dimension", 32}, {"pooling_mode", json::array({"cls", "median"})}}, Status::unsupported,
                {"1_Pooling", "median"});
  check_pooling({{"word_embedding_dimension", 32}, {"pooling_mode", json::array()}}, Status::invalid_model, {"1_Pooling", "pooling_mode"});
  check_pooling({{"word_embedding_dimension", 33}, {"pooling_mode_mean_tokens", true}}, Status::invalid_model, {"1_Pooling", "33", "32"});
  check_pooling({{"word_embedding_dimension", 32}, {"pooling_mode_mean_tokens", "yes"}}, Status::invalid_model,
                {"1_Pooling", "pooling_mode_mean_tokens"});
}

TEST_CASE("a Dense or LayerNorm module that does not fit is named, and so is what is wrong with it", "[bad_models]") {
  const auto check_module = [](const char* type, const json& config, const std::vector<Tensor>& tensors, Status status,
                               std::initializer_list<std::string_view> named) {
    const TemporaryFolder folder;
    write_tiny_model(folder.path());
    write(folder / "modules.json", fmt::format(R"([{{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}},
                          {{"type": "sentence_transformers.models.{}", "path": "2_Module"}}])",
                                               type));
    write(folder / "2_Module" / "config.json", config.dump());
    write(folder / "2_Module" / "model.safetensors", safetensors(tensors));
    CAPTURE(type, config.dump());
    check_load_error(folder.path(), status, named);
  };
  std::mt19937 random(1);
  const Tensor weight = random_tensor("linear.weight", {8, 32}, 0, 1, random);
  const Tensor bias = random_tensor("linear.bias", {8}, 0, 1, random);
  const json dense = {
      {"in_features", 32}, {"out_features", 8}, {"bias", true}, {"activation_function", "torch.nn.modules.activation.Tanh"}};
  const auto with = [&](const char* key, const json& value) {
    json changed = dense;
    changed[key] = value;
    return changed;
  };
  check_module("Dense", with("in_features", 33), {weight, bias}, Status::invalid_model,
               {"2_Module/config.json", "in_features", "33", "32"});
  check_module("Dense", with("out_features", 0), {weight, bias}, Status::invalid_model, {"2_Module/config.json", "out_features", "0"});
  check_module("Dense", with("out_features", 9), {weight, bias}, Status::invalid_model, {"2_Module", "linear.weight", "8, 32", "9, 32"});
  check_module("Dense", with("activation_function", "torch.nn.modules.activation.Softshrink"), {weight, bias}, Status::unsupported,
               {"2_Module/config.json", "Softshrink", "Tanh"});
  check_module("Dense", with("activation_function", "os.system"), {weight, bias}, Status::unsupported,
               {"2_Module/config.json", "os.system"});
  check_module("Dense", with("module_input_name", "token_embeddings"), {weight, bias}, Status::unsupported,
               {"2_Module/config.json", "module_input_name", "token_embeddings"});
  check_module("Dense", dense, {weight}, Status::invalid_model, {"2_Module", "linear.bias", "missing"});
  check_module("Dense", with("use_residual", true), {weight, bias}, Status::invalid_model, {"2_Module", "residual.weight", "missing"});
  check_module("LayerNorm", {{"dimension", 31}}, {}, Status::invalid_model, {"2_Module/config.json", "dimension", "31", "32"});
  check_module("LayerNorm", {{"dimension", 32}}, {weight}, Status::invalid_model, {"2_Module", "norm.weight", "missing"});
  check_module("WordWeights", {}, {}, Status::unsupported, {"modules.json", "WordWeights", "Dense"});
}

TEST_CASE("sentence-transformers' own do_lower_case needs a tokenizer that does so", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  write(folder / "sentence_bert_config.json", R"({"do_lower_case": true})");
  CHECK(embeds(folder.path()));
  write(folder / "tokenizer_config.json", R"({"do_lower_case": false})");
  write(folder / "vocab.txt", tiny_vocabulary().replace(tiny_vocabulary().find("\nq\n"), 3, "\nA\n"));
  check_load_error(folder.path(), Status::unsupported, {"sentence_bert_config.json", "do_lower_case"});
}

TEST_CASE("prompts and limits that make no sense are errors", "[bad_models]") {
  const auto check_file = [](const char* file, const json& content, std::initializer_list<std::string_view> named) {
    const TemporaryFolder folder;
    write_tiny_model(folder.path());
    write(folder / file, content.dump());
    CAPTURE(file, content.dump());
    check_load_error(folder.path(), Status::invalid_model, named);
  };
  check_file("sentence_bert_config.json", {{"max_seq_length", -5}}, {"sentence_bert_config.json", "max_seq_length", "-5"});
  check_file("sentence_bert_config.json", {{"max_seq_length", "long"}}, {"sentence_bert_config.json", "max_seq_length"});
  check_file("config_sentence_transformers.json", {{"prompts", {"query: "}}}, {"config_sentence_transformers.json", "prompts"});
  check_file("config_sentence_transformers.json", {{"prompts", {{"query", 3}}}}, {"config_sentence_transformers.json", "query"});
  check_file("config_sentence_transformers.json", {{"prompts", {{"query", "q: "}}}, {"default_prompt_name", "passage"}},
             {"config_sentence_transformers.json", "passage"});
}

TEST_CASE("options that do not fit the model are invalid arguments", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto check_options = [&](GeneratorOptions options, std::initializer_list<std::string_view> named) {
    check_error(Status::invalid_argument, named, [&] { (void)EmbeddingGenerator::load(folder.path(), std::move(options)); });
  };
  check_options({.max_sequence_length = 65}, {"65", "64"});
  check_options({.max_sequence_length = 1}, {"1"});
  check_options({.truncate_dim = 33}, {"33", "32"});
}

TEST_CASE("a device that is not there is an error", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  check_error(Status::unsupported, {"cuda:97"}, [&] { (void)EmbeddingGenerator::load(folder.path(), {.device = Device::cuda(97)}); });
}

TEST_CASE("every JSON file of the test suite is refused or understood in each place", "[bad_models]") {
  const auto data = data_folder();
  INLAY_SKIP_WITHOUT(data, "INLAY_DATA");
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  std::size_t files = 0;
  for (const char* place : {"config.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
                            "config_sentence_transformers.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.json"}) {
    const bool existed = std::filesystem::exists(folder / place);
    const std::string before = existed ? read(folder / place) : "";
    for (const auto& entry : std::filesystem::directory_iterator(*data / "json")) {
      const std::string name = entry.path().filename();
      CAPTURE(place, name);
      write(folder / place, read(entry.path()));
      ++files;
      try {
        const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .threads = 1});
        CHECK_FALSE(name.starts_with("n_"));
        CHECK(generator.embed({"open"}).items.size() == 1);
      } catch (const Error& error) {
        const std::string message = error.what();
        CAPTURE(message);
        CHECK(message.find(place) != std::string::npos);
        CHECK(message.find('\n') == std::string::npos);
        CHECK((error.status() == Status::invalid_model || error.status() == Status::unsupported || error.status() == Status::not_found));
      }
    }
    existed ? (void)write(folder / place, before) : (void)std::filesystem::remove(folder / place);
  }
  CHECK(files >= 8 * 300);
}

TEST_CASE("a model in memory fails like one in a folder", "[bad_models]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  std::vector<std::pair<std::string, std::string>> contents;
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json", "modules.json", "1_Pooling/config.json"}) {
    contents.emplace_back(file, read(folder / file));
  }
  const auto files = [&](std::string_view without = "") {
    std::vector<ModelFile> result;
    for (const auto& [name, content] : contents) {
      if (name != without) result.push_back({name, std::as_bytes(std::span(content.data(), content.size()))});
    }
    return result;
  };
  CHECK((EmbeddingGenerator::load(files()).embed({"open"}).vectors == EmbeddingGenerator::load(folder.path()).embed({"open"}).vectors));
  for (const char* without : {"config.json", "model.safetensors", "vocab.txt", "1_Pooling/config.json"}) {
    CAPTURE(without);
    check_error(Status::not_found, {without}, [&] { (void)EmbeddingGenerator::load(files(without)); });
  }
  check_error(Status::not_found, {"config.json"}, [] { (void)EmbeddingGenerator::load(std::span<const ModelFile>{}); });
  auto twice = files();
  twice.push_back(twice.front());
  check_error(Status::invalid_argument, {twice.front().name, "twice"}, [&] { (void)EmbeddingGenerator::load(twice); });
}

}  // namespace inlay::test
