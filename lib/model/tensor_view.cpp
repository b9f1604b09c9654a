#include "model/tensor_view.hpp"

#include <cstring>
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
