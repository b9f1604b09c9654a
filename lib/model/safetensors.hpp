// safetensors files: named tensors over bytes that are already in memory, usually mapped. Format: 8 bytes header length (little-endian), a
// JSON header {name: {dtype, shape, data_offsets}}, the data. Nothing is copied.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "model/tensor_view.hpp"

namespace inlay::model {

class Safetensors {
 public:
  /// Checks the whole header before any data is looked at: every tensor lies inside the file, its size is that of its shape and type, and
  /// no two overlap. Throws Error (invalid_model) naming `label` and the tensor.
  Safetensors(std::string_view file, const std::string& label);

  [[nodiscard]] const std::map<std::string, TensorView, std::less<>>& tensors() const noexcept { return tensors_; }

 private:
  std::map<std::string, TensorView, std::less<>> tensors_;
};

}  // namespace inlay::model
