// Weights: the tensors of a model's file, checked against the shapes that an architecture expects, ready for its program.
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_source.hpp"
#include "model/safetensors.hpp"

namespace inlay::encode {

class Weights {
 public:
  /// Throws Error as Safetensors does.
  Weights(model::FileBytes file, at::Device device);

  /// Whether there is such a tensor, under its own name or behind one of the prefixes that training code leaves ("bert.").
  [[nodiscard]] bool has(std::string_view name) const;

  /// The tensor, float32, on the device; on the CPU it is the file's own memory where that holds float32. Throws Error (invalid_model)
  /// naming a tensor that is missing or has another shape or an unknown type.
  [[nodiscard]] at::Tensor tensor(std::string_view name, std::initializer_list<std::size_t> shape);

  /// The weights of a linear layer, or of several with the same input as one, as the operators expect them: packed on the CPU. What was
  /// copied leaves the mapped file's resident pages.
  [[nodiscard]] at::Tensor linear(const std::vector<std::string>& names, std::size_t out, std::size_t in);

  /// The biases of one layer, or of several as one.
  [[nodiscard]] at::Tensor bias(const std::vector<std::string>& names, std::size_t out);

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }  ///< of all tensors that were asked for
  [[nodiscard]] std::size_t parameters() const noexcept { return parameters_; }

 private:
  [[nodiscard]] const model::TensorView* find(std::string_view name) const;
  [[nodiscard]] at::Tensor read(std::string_view name, std::initializer_list<std::size_t> shape);  ///< float32, CPU
  void count(const at::Tensor& tensor);

  model::FileBytes file_;
  model::Safetensors tensors_;
  at::Device device_;
  std::size_t bytes_ = 0;
  std::size_t parameters_ = 0;
};

}  // namespace inlay::encode
