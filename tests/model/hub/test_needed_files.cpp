#include <algorithm>
#include <map>

#include "model/hub/needed_files.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::model::hub;

namespace {

using Files = std::map<std::string, std::string>;  // name and text; the text of those that are read

std::vector<std::string> needed(const Files& files) {
  FileList listed;
  for (const auto& [name, text] : files) listed.insert(name);
  return needed_files(
      listed, [&files](const std::string& name) { return files.at(name); }, "the/model");
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

constexpr const char* modules = R"([
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Dense/", "type": "sentence_transformers.models.Dense"}])";

}  // namespace

TEST_CASE("of a repository with everything, only one form of weights and what goes with it is needed") {
  // The file list of sentence-transformers/all-MiniLM-L6-v2, with a Dense module.
  const auto files = needed({{".gitattributes", ""},
                             {"1_Pooling/config.json", ""},
                             {"2_Dense/config.json", ""},
                             {"2_Dense/model.safetensors", ""},
                             {"2_Dense/pytorch_model.bin", ""},
                             {"README.md", ""},
                             {"config.json", ""},
                             {"config_sentence_transformers.json", ""},
                             {"data_config.json", ""},
                             {"model.safetensors", ""},
                             {"modules.json", modules},
                             {"onnx/model.onnx", ""},
                             {"openvino/openvino_model.bin", ""},
                             {"pytorch_model.bin", ""},
                             {"rust_model.ot", ""},
                             {"sentence_bert_config.json", ""},
                             {"special_tokens_map.json", ""},
                             {"tf_model.h5", ""},
                             {"flax_model.msgpack", ""},
                             {"tokenizer.json", ""},
                             {"tokenizer_config.json", ""},
                             {"train_script.py", ""},
                             {"vocab.txt", ""}});
  CHECK(sorted(files) == std::vector<std::string>{"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                                                  "config.json", "config_sentence_transformers.json", "model.safetensors", "modules.json",
                                                  "sentence_bert_config.json", "special_tokens_map.json", "tokenizer.json",
                                                  "tokenizer_config.json"});
  REQUIRE(files.size() == 11);
  CHECK(files[9] == "model.safetensors");  // weights last: a snapshot that has them is whole
  CHECK(files[10] == "2_Dense/model.safetensors");
}

TEST_CASE("without tokenizer.json the older files, without safetensors pytorch_model.bin") {
  CHECK(sorted(
            needed({{"config.json", ""}, {"merges.txt", ""}, {"vocab.json", ""}, {"pytorch_model.bin", ""}, {"flax_model.msgpack", ""}})) ==
        std::vector<std::string>{"config.json", "merges.txt", "pytorch_model.bin", "vocab.json"});
}

TEST_CASE("sharded weights are those that the index names") {
  const Files files = {
      {"config.json", ""},
      {"tokenizer.json", ""},
      {"model.safetensors.index.json", R"({"weight_map": {"a": "w-1.safetensors", "b": "w-2.safetensors", "c": "w-1.safetensors"}})"},
      {"w-1.safetensors", ""},
      {"w-2.safetensors", ""},
      {"w-3.safetensors", ""},
      {"pytorch_model.bin", ""}};
  CHECK(needed(files) ==
        std::vector<std::string>{"config.json", "tokenizer.json", "model.safetensors.index.json", "w-1.safetensors", "w-2.safetensors"});
}

TEST_CASE("an older layout keeps the transformer in a folder of its own") {
  CHECK(sorted(needed({{"modules.json", R"([{"path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}])"},
                       {"0_Transformer/config.json", ""},
                       {"0_Transformer/vocab.txt", ""},
                       {"0_Transformer/pytorch_model.bin", ""},
                       {"0_Transformer/tf_model.h5", ""},
                       {"0_Transformer/sentence_bert_config.json", ""}})) ==
        std::vector<std::string>{"0_Transformer/config.json", "0_Transformer/pytorch_model.bin", "0_Transformer/sentence_bert_config.json",
                                 "0_Transformer/vocab.txt", "modules.json"});
}

TEST_CASE("what is missing is named") {
  const auto fails = [](Status status, std::initializer_list<std::string_view> named, const Files& files) {
    test::check_error(status, named, [&] { static_cast<void>(needed(files)); });
  };
  fails(Status::unsupported, {"the/model", "config.json"}, {{"model.safetensors", ""}, {"tokenizer.json", ""}});
  fails(Status::unsupported, {"the/model", "no weights"}, {{"config.json", ""}, {"tokenizer.json", ""}, {"onnx/model.onnx", ""}});
  fails(Status::unsupported, {"the/model", "no tokenizer"}, {{"config.json", ""}, {"model.safetensors", ""}});
  fails(Status::unsupported, {"the/model", "no tokenizer", "vocab.json with merges.txt"},
        {{"config.json", ""}, {"model.safetensors", ""}, {"vocab.json", ""}});
  for (const char* file : {"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors"}) {
    Files files = {{"config.json", ""},           {"tokenizer.json", ""},      {"model.safetensors", ""},        {"modules.json", modules},
                   {"1_Pooling/config.json", ""}, {"2_Dense/config.json", ""}, {"2_Dense/model.safetensors", ""}};
    CHECK(needed(files).size() == 7);
    files.erase(file);
    fails(Status::invalid_model, {"the/model", "modules.json", file[0] == '1' ? "1_Pooling" : "2_Dense", "missing"}, files);
  }
  const auto with_index = [](const std::string& text) {
    return Files{{"config.json", ""}, {"tokenizer.json", ""}, {"model.safetensors.index.json", text}, {"w.safetensors", ""}};
  };
  fails(Status::invalid_model, {"index.json", "v.safetensors"}, with_index(R"({"weight_map": {"a": "v.safetensors"}})"));
  fails(Status::invalid_model, {"index.json", "\"a\""}, with_index(R"({"weight_map": {"a": "../w.safetensors"}})"));
  fails(Status::invalid_model, {"index.json", "weight_map"}, with_index(R"({"weight_map": []})"));
  fails(Status::invalid_model, {"index.json", "weight_map"}, with_index("[]"));
  fails(Status::invalid_model, {"index.json", "names no weights"}, with_index(R"({"weight_map": {}})"));
  fails(Status::invalid_model, {"index.json", "JSON"}, with_index("{"));
  const auto with_modules = [](const std::string& text) {
    return Files{{"config.json", ""}, {"tokenizer.json", ""}, {"model.safetensors", ""}, {"modules.json", text}};
  };
  fails(Status::invalid_model, {"modules.json", "../../x"}, with_modules(R"([{"path": "../../x", "type": "a.Pooling"}])"));
  fails(Status::invalid_model, {"modules.json", "a.Pooling", "no path"}, with_modules(R"([{"path": 1, "type": "a.Pooling"}])"));
  fails(Status::invalid_model, {"modules.json", "array"}, with_modules("{}"));
  fails(Status::invalid_model, {"modules.json", "JSON"}, with_modules(""));
}
