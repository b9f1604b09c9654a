#include "encode/packing.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "encode/kernels/kernels.hpp"
#include "platform/memory.hpp"
#include "platform/parallel.hpp"

namespace inlay::encode {
namespace {

constexpr std::size_t smallest_block = std::size_t{64} << 20;
constexpr std::size_t alignment = 64;  // a cache line, and the widest vector

// A tensor's float32 values: in the file itself where they can be read there, else in `buffer`.
const float* floats_of(const model::TensorView& view, std::vector<float>& buffer) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(view.bytes.data()) % alignof(float) == 0;
  if (view.type == model::DataType::float32 && view.contiguous() && aligned) return reinterpret_cast<const float*>(view.bytes.data());
  buffer = read_floats(view);
  return buffer.data();
}

}  // namespace

std::shared_ptr<float> Packing::allocate(std::size_t floats) {
  const std::size_t bytes = (floats * sizeof(float) + alignment - 1) / alignment * alignment;
  if (bytes > block_size_ - block_used_) {
    block_size_ = std::max(bytes, smallest_block);
    block_ = platform::allocate_large(block_size_);
    block_used_ = 0;
  }
  float* place = reinterpret_cast<float*>(block_.get() + block_used_);
  block_used_ += bytes;
  return {block_, place};
}

std::shared_ptr<float> Packing::add(std::vector<const model::StoredTensor*> parts, std::size_t out, std::size_t in) {
  return layers_.emplace_back(std::move(parts), out, in, allocate(packed_floats(kernels(), out, in))).packed;
}

void Packing::pack(const Layer& layer) const {
  const std::size_t rows = layer.out / layer.parts.size();
  const std::size_t floats = rows * layer.in;
  std::vector<float> buffer;
  if (rows % kernels().panel_width == 0) {  // each part fills panels of its own
    for (std::size_t i = 0; i < layer.parts.size(); ++i) {
      kernels().pack(floats_of(layer.parts[i]->view, buffer), rows, layer.in, layer.packed.get() + i * floats);
    }
  } else {
    std::vector<float> joined;
    joined.reserve(layer.out * layer.in);
    for (const model::StoredTensor* part : layer.parts) {
      const float* values = floats_of(part->view, buffer);
      joined.insert(joined.end(), values, values + floats);
    }
    kernels().pack(joined.data(), layer.out, layer.in, layer.packed.get());
  }
  for (const model::StoredTensor* part : layer.parts) {
    if (const auto& mapping = files_.file_of(*part).mapping) mapping->drop(part->view.bytes);
  }
}

void Packing::run() {
  platform::for_each_parallel(layers_.size(), [this](std::size_t i) { pack(layers_[i]); });
  layers_.clear();
}

}  // namespace inlay::encode
