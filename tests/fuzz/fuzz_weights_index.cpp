// Any bytes as the index of shards: tensors from the files that are there, or an Error. Two shards of a tensor each stand beside it.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "check_tensors.hpp"
#include "inlay/error.hpp"
#include "inlay/generator.hpp"
#include "model/tensor_files.hpp"

namespace {

/// A safetensors file of one float.
std::string shard_of(std::string_view tensor) {
  const std::string header = R"({")" + std::string(tensor) + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  return static_cast<char>(header.size()) + std::string(7, '\0') + header + "1234";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string one = shard_of("a");
  static const std::string two = shard_of("b.c");
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  const std::string_view index(reinterpret_cast<const char*>(data), size);
  const inlay::ModelFile files[] = {{"model.safetensors.index.json", bytes(index)}, {"one", bytes(one)}, {"x/two", bytes(two)}};
  try {
    const auto tensors = inlay::model::TensorFiles::open(inlay::model::ModelSource::from_memory(files, "fuzz"));
    for (const auto& [name, tensor] : tensors.tensors()) {
      inlay::fuzz::check_tensor(tensor.view, tensors.file_of(tensor).bytes);
      static_cast<void>(tensors.prefix_of(name));
    }
  } catch (const inlay::Error&) {
  }
  return 0;
}
