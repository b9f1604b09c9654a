// A model's tensors by name, whichever files and prefixes they come in: through the folder of a tiny model, and its vectors.
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inlay/inlay.hpp"
#include "model/tensor_files.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/tiny_model.hpp"
#include "support/torch_archive.hpp"

namespace inlay::test {
namespace {

using model::ModelSource;
using model::TensorFiles;

Matrix embed(const std::filesystem::path& folder) {
  const auto generator = EmbeddingGenerator::load(folder, {.device = Device::cpu(), .threads = 1});
  return generator.embed({"open the file", "return the passwords"}).vectors;
}

/// A tiny model's folder with its weights written by `write_weights`.
Matrix embed_with(const std::function<void(const std::filesystem::path& folder)>& write_weights) {
  const TemporaryFolder folder;
  write_tiny_model_files(folder.path());
  write_weights(folder.path());
  return embed(folder.path());
}

Matrix embed_renamed(const std::function<std::string(const std::string&)>& rename) {
  auto tensors = tiny_weights();
  for (Tensor& tensor : tensors) tensor.name = rename(tensor.name);
  return embed_with([&](const auto& folder) { write(folder / "model.safetensors", safetensors(tensors)); });
}

std::string torch_checkpoint(const std::vector<Tensor>& tensors) {
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<std::pair<std::string, std::string>> members{{"pytorch_model/data.pkl", ""}};
  for (const Tensor& tensor : tensors) {
    const std::string key = std::to_string(values.size());
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    std::vector<std::int64_t> strides(shape.size(), 1);
    for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
    values.emplace_back(tensor.name, tensor_of(storage(key, static_cast<std::int64_t>(tensor.bytes.size() / 4)), 0, shape, strides));
    members.emplace_back("pytorch_model/data/" + key, tensor.bytes);
  }
  members.front().second = dictionary(values);
  return torch_archive(members);
}

}  // namespace

TEST_CASE("the same weights give the same vectors from every form of file", "[tensor_files]") {
  const auto tensors = tiny_weights();
  const Matrix expected = embed_with([&](const auto& folder) { write(folder / "model.safetensors", safetensors(tensors)); });
  CHECK((embed_with([&](const auto& folder) { write(folder / "pytorch_model.bin", torch_checkpoint(tensors)); }) == expected));

  for (const bool torch : {false, true}) {
    CHECK((embed_with([&](const auto& folder) {
             const std::string form = torch ? "pytorch_model.bin" : "model.safetensors";
             nlohmann::json index;
             for (std::size_t shard = 0; shard < 3; ++shard) {
               std::vector<Tensor> part;
               const std::string name = "shards/" + std::to_string(shard) + "-of-3";
               for (std::size_t i = shard; i < tensors.size(); i += 3) {
                 part.push_back(tensors[i]);
                 index["weight_map"][tensors[i].name] = name;
               }
               write(folder / name, torch ? torch_checkpoint(part) : safetensors(part));
             }
             write(folder / (form + ".index.json"), index.dump());
           }) == expected));
  }
}

TEST_CASE("weights are found behind whatever prefix the word embeddings have", "[tensor_files]") {
  const Matrix expected = embed_renamed([](const std::string& name) { return name; });
  for (const char* prefix :
       {"bert.", "roberta.", "0.auto_model.", "model.", "encoder.", "0.auto_model.roberta.", "module.bert.", "a.b.c.d."}) {
    CAPTURE(prefix);
    CHECK((embed_renamed([prefix](const std::string& name) { return prefix + name; }) == expected));
  }
}

TEST_CASE("a file of two models is refused, and both are named", "[tensor_files]") {
  const TemporaryFolder folder;
  write_tiny_model_files(folder.path());
  auto tensors = tiny_weights();
  const std::size_t count = tensors.size();
  for (std::size_t i = 0; i < count; ++i) {
    tensors.push_back(tensors[i]);
    tensors[i].name = "query." + tensors[i].name;
    tensors.back().name = "passage." + tensors.back().name;
  }
  write(folder / "model.safetensors", safetensors(tensors));
  check_error(Status::invalid_model,
              {"model.safetensors", "query.embeddings.word_embeddings.weight", "passage.embeddings.word_embeddings.weight"},
              [&] { (void)embed(folder.path()); });
}

TEST_CASE("a name that only ends like the word embeddings is not a prefix", "[tensor_files]") {
  const Matrix expected = embed_renamed([](const std::string& name) { return name; });
  CHECK((embed_with([&](const auto& folder) {
           auto tensors = tiny_weights();
           tensors.push_back({"other_embeddings.word_embeddings.weight", {1}, "1234"});
           write(folder / "model.safetensors", safetensors(tensors));
         }) == expected));
}

TEST_CASE("gamma and beta are the old names of a LayerNorm's weight and bias", "[tensor_files]") {
  const Matrix expected = embed_renamed([](const std::string& name) { return name; });
  const auto old_name = [](std::string name) {
    for (const auto& [now, before] : {std::pair{"LayerNorm.weight", "LayerNorm.gamma"}, std::pair{"LayerNorm.bias", "LayerNorm.beta"}}) {
      if (name.ends_with(now)) name.replace(name.size() - std::string_view(now).size(), std::string::npos, before);
    }
    return name;
  };
  CHECK((embed_renamed(old_name) == expected));
}

TEST_CASE("a misshapen tensor is named with the shard that has it", "[tensor_files]") {
  const TemporaryFolder folder;
  write_tiny_model_files(folder.path());
  auto tensors = tiny_weights();
  const std::string culprit = "encoder.layer.1.intermediate.dense.weight";
  nlohmann::json index;
  std::vector<Tensor> first;
  std::vector<Tensor> second;
  for (Tensor& tensor : tensors) {
    const bool there = tensor.name == culprit;
    if (there) std::swap(tensor.shape[0], tensor.shape[1]);
    (there ? second : first).push_back(tensor);
    index["weight_map"][tensor.name] = there ? "two.bin" : "one.bin";
  }
  write(folder / "one.bin", torch_checkpoint(first));
  write(folder / "two.bin", torch_checkpoint(second));
  write(folder / "pytorch_model.bin.index.json", index.dump());
  check_error(Status::invalid_model, {"two.bin", culprit, "[32, 64]", "[64, 32]"}, [&] { (void)embed(folder.path()); });
  index["weight_map"].erase(culprit);
  write(folder / "pytorch_model.bin.index.json", index.dump());
  check_error(Status::invalid_model, {"pytorch_model.bin.index.json", culprit, "missing"}, [&] { (void)embed(folder.path()); });
}

TEST_CASE("shards in memory are read like those in a folder", "[tensor_files]") {
  const std::string one = safetensors({{"a", {2}, "12345678"}});
  const std::string two = safetensors({{"b", {1}, "abcd"}});
  const std::string index = R"({"weight_map": {"a": "one", "b": "x/two"}})";
  const auto bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  const std::vector<ModelFile> files = {{"model.safetensors.index.json", bytes(index)},
                                        {"one", bytes(one)},
                                        {"x/two", bytes(two)},
                                        {"2_Dense/model.safetensors", bytes(two)}};
  const ModelSource source = ModelSource::from_memory(files, "memory");
  const TensorFiles tensors = TensorFiles::open(source);
  REQUIRE(tensors.find("b") != nullptr);
  CHECK(tensors.find("a")->view.bytes == "12345678");
  CHECK(tensors.file_of(*tensors.find("b")).label == "memory:x/two");
  CHECK(tensors.find("c") == nullptr);
  CHECK(tensors.label() == "memory:model.safetensors.index.json");
  CHECK(TensorFiles::open(source.below("2_Dense")).find("b")->view.bytes == "abcd");
  check_error(Status::not_found, {"memory:3_Dense/model.safetensors"}, [&] { (void)TensorFiles::open(source.below("3_Dense")); });
}

TEST_CASE("generators of the same shards share their weights", "[tensor_files]") {
  const TemporaryFolder folder;
  write_tiny_model_files(folder.path());
  nlohmann::json index;
  const auto tensors = tiny_weights();
  for (const Tensor& tensor : tensors) index["weight_map"][tensor.name] = "shard.bin";
  write(folder / "shard.bin", torch_checkpoint(tensors));
  write(folder / "pytorch_model.bin.index.json", index.dump());
  const auto first = EmbeddingGenerator::load(folder.path(), {.threads = 1});
  const std::string before = first.info().fingerprint;
  const auto second = EmbeddingGenerator::load(folder.path(), {.threads = 1});
  CHECK(second.info().fingerprint == before);

  auto changed = tensors;
  changed.back().bytes[0] ^= 1;
  std::filesystem::remove(folder / "shard.bin");
  write(folder / "shard.bin", torch_checkpoint(changed));
  CHECK(EmbeddingGenerator::load(folder.path(), {.threads = 1}).info().fingerprint != before);
}

}  // namespace inlay::test
