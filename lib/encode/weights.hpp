// Weights: the tensors of a model's files, checked against the shapes that an architecture expects, ready for its program.
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "encode/packing.hpp"
#include "model/tensor_files.hpp"

namespace inlay::encode {

/// How linear layers lie in memory.
enum class WeightLayout {
  row_major,  ///< [out, in]
  packed,     ///< as our kernels read them, on the CPU alone
};

class Weights {
 public:
  /// Names are looked up behind the prefix under which the word embeddings lie, if they do at all ("bert." in a model with a head); the
  /// files must outlive the object. Throws Error (invalid_model) where they lie under several.
  Weights(const model::TensorFiles& files, at::Device device, WeightLayout layout);

  /// Whether there is such a tensor. The weight and bias of a LayerNorm may also be called gamma and beta, as TensorFlow's BERT has them.
  [[nodiscard]] bool has(std::string_view name) const;

  /// The tensor, float32, on the device; on the CPU it is the file's own memory where that holds float32. Throws Error (invalid_model)
  /// naming a tensor that is missing or has another shape or an unknown type.
  [[nodiscard]] at::Tensor tensor(std::string_view name, std::initializer_list<std::size_t> shape);

  /// The weights of a linear layer, or of several with the same input as one. Packed ones are there only when pack() has run.
  [[nodiscard]] at::Tensor linear(const std::vector<std::string>& names, std::size_t out, std::size_t in);

  /// Fills what linear() returned.
  void pack() { packing_.run(); }

  /// The biases of one layer, or of several as one.
  [[nodiscard]] at::Tensor bias(const std::vector<std::string>& names, std::size_t out);

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }  ///< of all tensors that were asked for
  [[nodiscard]] std::size_t parameters() const noexcept { return parameters_; }

 private:
  [[nodiscard]] const model::StoredTensor* find(std::string_view name) const;
  [[nodiscard]] const model::StoredTensor& check(std::string_view name, std::initializer_list<std::size_t> shape) const;
  [[nodiscard]] at::Tensor read(std::string_view name, std::initializer_list<std::size_t> shape) const;  ///< float32, CPU
  void count(const at::Tensor& tensor);

  const model::TensorFiles& files_;
  std::string prefix_;
  at::Device device_;
  WeightLayout layout_;
  Packing packing_;
  std::size_t bytes_ = 0;
  std::size_t parameters_ = 0;
};

}  // namespace inlay::encode
