// TensorView: a tensor in a model's file, where it lies. Nothing is copied.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::model {

static_assert(std::endian::native == std::endian::little, "model files are little-endian and are used in place");

enum class DataType : std::uint8_t { float32, float16, bfloat16, float64, other };

inline constexpr std::string_view weight_dtypes = "F32, F16, BF16, F64";  ///< of all types but `other`

struct TensorView {
  std::string dtype;  ///< as safetensors spells it: "F32"
  DataType type = DataType::other;
  std::vector<std::size_t> shape;
  /// From one element to the next in each dimension, in elements; empty: row-major without gaps. Only a torch file has others. Every
  /// element that they lead to lies in `bytes`.
  std::vector<std::size_t> strides;
  std::string_view bytes;  ///< from the first element to the last, little-endian; not necessarily aligned

  [[nodiscard]] bool contiguous() const noexcept { return strides.empty(); }
};

/// How many bytes the elements of a tensor take. `type` is not `other`.
[[nodiscard]] std::size_t element_bytes(DataType type) noexcept;

[[nodiscard]] std::size_t element_count(const TensorView& tensor) noexcept;

/// Writes the elements in row-major order: their number times element_bytes. `type` is not `other`.
void copy_row_major(const TensorView& tensor, std::byte* destination);

/// The elements in row-major order, as float32. `type` is not `other`.
[[nodiscard]] std::vector<float> read_floats(const TensorView& tensor);

}  // namespace inlay::model
