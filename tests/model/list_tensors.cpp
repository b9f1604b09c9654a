// The tests' bridge to other languages. Reads pairs of lines, a model's folder and a module's (empty: none), and answers each with a line of
// JSON: the tensors that the files there hold, with their elements in row-major order as hexadecimal bytes (nothing for a dtype that weights
// cannot have), or the error's status and message.
#include <fmt/format.h>

#include <cstddef>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inlay/error.hpp"
#include "model/tensor_files.hpp"

namespace {

std::string elements_of(const inlay::model::TensorView& tensor) {
  if (tensor.type == inlay::model::DataType::other) return {};
  std::vector<std::byte> bytes(element_count(tensor) * element_bytes(tensor.type));
  copy_row_major(tensor, bytes.data());
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<int>(byte));
  return text;
}

nlohmann::json list(const std::string& folder, const std::string& module) {
  const auto files = inlay::model::TensorFiles::open(inlay::model::ModelSource::from_folder(folder).below(module));
  nlohmann::json tensors = nlohmann::json::array();
  for (const auto& [name, tensor] : files.tensors()) {
    tensors.push_back({{"name", name},
                       {"dtype", tensor.view.dtype},
                       {"shape", tensor.view.shape},
                       {"in_place", tensor.view.contiguous()},
                       {"file", files.file_of(tensor).label},
                       {"elements", elements_of(tensor.view)}});
  }
  return {{"tensors", tensors}};
}

}  // namespace

int main() {
  std::string folder;
  std::string module;
  while (std::getline(std::cin, folder) && std::getline(std::cin, module)) {
    nlohmann::json answer;
    try {
      answer = list(folder, module);
    } catch (const inlay::Error& error) {
      answer = {{"status", to_string(error.status())}, {"message", error.what()}};
    }
    std::cout << answer.dump(-1, ' ', true) << std::endl;
  }
}
