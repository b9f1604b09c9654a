#include "model/tensor_view.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

namespace inlay::model {
namespace {

// The elements one after the other, the last dimension's index running fastest.
template <std::size_t Size>
void gather(const TensorView& tensor, std::byte* destination) {
  const std::size_t count = element_count(tensor);
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

template <class Number>
std::vector<Number> read_numbers(const TensorView& tensor) {
  std::vector<Number> numbers(element_count(tensor));
  copy_row_major(tensor, reinterpret_cast<std::byte*>(numbers.data()));
  return numbers;
}

template <class Number, class Convert>
std::vector<float> read_converted(const TensorView& tensor, Convert convert) {
  const std::vector<Number> numbers = read_numbers<Number>(tensor);
  std::vector<float> floats(numbers.size());
  std::ranges::transform(numbers, floats.begin(), convert);
  return floats;
}

// IEEE 754 binary16: a sign, 5 bits of exponent with a bias of 15, 10 of fraction.
float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t magnitude = half & 0x7FFFU;
  // Its bits at float's place are a float of 112 less in the exponent, subnormal ones included.
  const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112F);
  const std::uint32_t infinite = magnitude >= 0x7C00 ? 0x7F800000U : 0U;
  return std::bit_cast<float>(sign | finite | infinite);
}

}  // namespace

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

std::size_t element_count(const TensorView& tensor) noexcept {
  return std::reduce(tensor.shape.begin(), tensor.shape.end(), std::size_t{1}, std::multiplies<>());
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

std::vector<float> read_floats(const TensorView& tensor) {
  switch (tensor.type) {
    case DataType::float32: return read_numbers<float>(tensor);
    case DataType::float64: return read_converted<double>(tensor, [](double x) { return static_cast<float>(x); });
    case DataType::float16: return read_converted<std::uint16_t>(tensor, float_of_half);
    case DataType::bfloat16:  // the upper half of a float32
      return read_converted<std::uint16_t>(tensor, [](std::uint16_t x) { return std::bit_cast<float>(std::uint32_t{x} << 16); });
    case DataType::other: return {};
  }
  return {};
}

}  // namespace inlay::model
