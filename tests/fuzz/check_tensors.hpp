// What holds for every tensor that a reader hands out, whatever the file.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "model/tensor_view.hpp"

namespace inlay::fuzz {

inline void require(bool condition) {
  if (!condition) std::abort();
}

/// Reads all elements, so that a sanitizer sees it.
inline void check_tensor(const model::TensorView& tensor, std::string_view file) {
  if (!tensor.bytes.empty()) {
    require(std::less_equal<>()(file.data(), tensor.bytes.data()));
    require(std::less_equal<>()(tensor.bytes.data() + tensor.bytes.size(), file.data() + file.size()));
  }
  require(tensor.contiguous() || tensor.strides.size() == tensor.shape.size());
  if (tensor.type == model::DataType::other) return;
  require(element_count(tensor) * element_bytes(tensor.type) <= file.size());
  require(read_floats(tensor).size() == element_count(tensor));
}

inline void check_tensors(const std::map<std::string, model::TensorView, std::less<>>& tensors, std::string_view file) {
  for (const auto& [name, tensor] : tensors) check_tensor(tensor, file);
}

}  // namespace inlay::fuzz
