#include "model/tensor_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace inlay::model {
namespace {

// The elements one after the other, the last dimension's index running fastest.
template <std::size_t Size>
void gather(const TensorView& tensor, std::byte* destination) {
  const std::size_t count = std::reduce(tensor.shape.begin(), tensor.shape.end(), std::size_t{1}, std::multiplies<>());
  std::vector<std::size_t> index(tensor.shape.size(), 0);
  std::size_t position = 0;  // of the current element, in elements
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(destination + i * Size, tensor.bytes.data() + position * Size, Size);
    for (std::size_t d = index.size(); d-- > 0;) {
      position += tensor.strides[d];
      if (++index[d] < tensor.shape[d]) break;
      position -= tensor.strides[d] * tensor.shape[d];
      index[d] = 0;
    }
  }
}

// IEEE 754 binary16.
float from_float16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1F;
  const int fraction = bits & 0x3FF;
  float magnitude = std::ldexp(static_cast<float>(fraction), -24);  // subnormal
  if (exponent == 0x1F) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent != 0) {
    magnitude = std::ldexp(static_cast<float>(fraction | 0x400), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

template <typename Element, typename Convert>
std::vector<float> converted(const TensorView& tensor, const Convert& convert) {
  const std::size_t count = std::reduce(tensor.shape.begin(), tensor.shape.end(), std::size_t{1}, std::multiplies<>());
  std::vector<Element> elements(count);
  copy_row_major(tensor, reinterpret_cast<std::byte*>(elements.data()));
  std::vector<float> floats(count);
  std::transform(elements.begin(), elements.end(), floats.begin(), convert);
  return floats;
}

}  // namespace

std::vector<float> read_floats(const TensorView& tensor) {
  switch (tensor.type) {
    case DataType::float32: return converted<float>(tensor, [](float value) { return value; });
    case DataType::float16: return converted<std::uint16_t>(tensor, from_float16);
    case DataType::bfloat16: return converted<std::uint16_t>(tensor, from_bfloat16);
    case DataType::float64: return converted<double>(tensor, [](double value) { return static_cast<float>(value); });
    case DataType::other: break;
  }
  return {};
}

std::size_t element_bytes(DataType type) noexcept {
  switch (type) {
    case DataType::float32: return 4;
    case DataType::float16:
    case DataType::bfloat16: return 2;
    case DataType::float64: return 8;
    case DataType::other: return 0;
  }
  return 0;
}

void copy_row_major(const TensorView& tensor, std::byte* destination) {
  if (tensor.contiguous()) {
    if (!tensor.bytes.empty()) std::memcpy(destination, tensor.bytes.data(), tensor.bytes.size());
    return;
  }
  switch (element_bytes(tensor.type)) {
    case 2: gather<2>(tensor, destination); break;
    case 4: gather<4>(tensor, destination); break;
    case 8: gather<8>(tensor, destination); break;
    default: break;
  }
}

}  // namespace inlay::model
