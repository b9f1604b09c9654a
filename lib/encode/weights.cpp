#include "encode/weights.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "encode/kernels/kernels.hpp"
#include "inlay/error.hpp"

namespace inlay::encode {
namespace {

// What every architecture begins with.
constexpr std::string_view word_embeddings = "embeddings.word_embeddings.weight";

at::ScalarType scalar_type(model::DataType type) {
  switch (type) {
    case model::DataType::float16: return at::kHalf;
    case model::DataType::bfloat16: return at::kBFloat16;
    case model::DataType::float64: return at::kDouble;
    default: return at::kFloat;
  }
}

}  // namespace

Weights::Weights(const model::TensorFiles& files, at::Device device, WeightLayout layout)
    : files_(files), prefix_(files.prefix_of(word_embeddings)), device_(device), layout_(layout), packing_(files) {}

const model::StoredTensor* Weights::find(std::string_view name) const {
  if (const auto* found = files_.find(prefix_ + std::string(name))) return found;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> old_names = {
      {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}}};
  for (const auto& [now, before] : old_names) {
    if (name.ends_with(now)) return files_.find(fmt::format("{}{}{}", prefix_, name.substr(0, name.size() - now.size()), before));
  }
  return nullptr;
}

bool Weights::has(std::string_view name) const { return find(name) != nullptr; }

const model::StoredTensor& Weights::check(std::string_view name, std::initializer_list<std::size_t> shape) const {
  const model::StoredTensor* stored = find(name);
  if (stored == nullptr) throw Error(Status::invalid_model, fmt::format("{}: tensor {} is missing", files_.label(), name));
  const model::TensorView& view = stored->view;
  const std::string& label = files_.file_of(*stored).label;
  if (!std::ranges::equal(view.shape, shape)) {
    throw Error(Status::invalid_model, fmt::format("{}: tensor {} has the shape [{}], but config.json makes it [{}]", label, name,
                                                   fmt::join(view.shape, ", "), fmt::join(shape, ", ")));
  }
  if (view.type == model::DataType::other) {
    throw Error(Status::unsupported,
                fmt::format("{}: tensor {} has the dtype {}; supported: {}", label, name, view.dtype, model::weight_dtypes));
  }
  return *stored;
}

at::Tensor Weights::read(std::string_view name, std::initializer_list<std::size_t> shape) const {
  const model::StoredTensor& stored = check(name, shape);
  const model::TensorView& view = stored.view;
  const auto& mapping = files_.file_of(stored).mapping;
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  const at::ScalarType type = scalar_type(view.type);
  const bool aligned = reinterpret_cast<std::uintptr_t>(view.bytes.data()) % sizeof(float) == 0;
  if (mapping != nullptr && aligned && view.contiguous() && type == at::kFloat) {  // in place: the tensor keeps the mapping
    return at::from_blob(
        const_cast<char*>(view.bytes.data()), sizes, [mapping](void*) {}, at::TensorOptions(type));
  }
  at::Tensor copy = at::empty(sizes, at::TensorOptions(type));
  model::copy_row_major(view, static_cast<std::byte*>(copy.mutable_data_ptr()));
  if (mapping != nullptr) mapping->drop(view.bytes);
  return copy.to(at::kFloat);
}

void Weights::count(const at::Tensor& tensor) { bytes_ += tensor.nbytes(); }

at::Tensor Weights::tensor(std::string_view name, std::initializer_list<std::size_t> shape) {
  at::Tensor result = read(name, shape).to(device_);
  parameters_ += static_cast<std::size_t>(result.numel());
  count(result);
  return result;
}

at::Tensor Weights::linear(const std::vector<std::string>& names, std::size_t out, std::size_t in) {
  parameters_ += out * in;
  at::Tensor weight;
  if (layout_ == WeightLayout::packed) {
    std::vector<const model::StoredTensor*> parts;
    for (const std::string& name : names) parts.push_back(&check(name, {out / names.size(), in}));
    const std::shared_ptr<float> packed = packing_.add(std::move(parts), out, in);
    const auto panel = static_cast<std::int64_t>(kernels().panel_width);
    const std::int64_t panels = (static_cast<std::int64_t>(out) + panel - 1) / panel;
    weight = at::from_blob(
        packed.get(), {panels, static_cast<std::int64_t>(in), panel}, [packed](void*) {}, at::TensorOptions(at::kFloat));
  } else {
    std::vector<at::Tensor> parts;
    for (const std::string& name : names) parts.push_back(read(name, {out / names.size(), in}));
    weight = (parts.size() == 1 ? parts.front() : at::cat(parts)).to(device_);
  }
  count(weight);
  return weight;
}

at::Tensor Weights::bias(const std::vector<std::string>& names, std::size_t out) {
  std::vector<at::Tensor> parts;
  for (const std::string& name : names) parts.push_back(tensor(name, {out / names.size()}));
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

}  // namespace inlay::encode
