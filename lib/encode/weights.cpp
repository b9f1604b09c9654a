#include "encode/weights.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "encode/operators.hpp"
#include "inlay/error.hpp"

namespace inlay::encode {
namespace {

constexpr std::array<std::string_view, 2> prefixes = {"", "bert."};

at::ScalarType scalar_type(model::DataType type) {
  switch (type) {
    case model::DataType::float16: return at::kHalf;
    case model::DataType::bfloat16: return at::kBFloat16;
    default: return at::kFloat;
  }
}

}  // namespace

Weights::Weights(model::FileBytes file, at::Device device) : file_(std::move(file)), tensors_(file_.bytes, file_.label), device_(device) {}

const model::TensorView* Weights::find(std::string_view name) const {
  for (const std::string_view prefix : prefixes) {
    const auto found = tensors_.tensors().find(std::string(prefix).append(name));
    if (found != tensors_.tensors().end()) return &found->second;
  }
  return nullptr;
}

bool Weights::has(std::string_view name) const { return find(name) != nullptr; }

at::Tensor Weights::read(std::string_view name, std::initializer_list<std::size_t> shape) {
  const model::TensorView* view = find(name);
  if (view == nullptr) throw Error(Status::invalid_model, fmt::format("{}: tensor {} is missing", file_.label, name));
  if (!std::ranges::equal(view->shape, shape)) {
    throw Error(Status::invalid_model, fmt::format("{}: tensor {} has the shape [{}], but config.json makes it [{}]", file_.label, name,
                                                   fmt::join(view->shape, ", "), fmt::join(shape, ", ")));
  }
  if (view->type == model::DataType::other) {
    throw Error(Status::unsupported,
                fmt::format("{}: tensor {} has the dtype {}; supported: F32, F16, BF16", file_.label, name, view->dtype));
  }
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  const at::ScalarType type = scalar_type(view->type);
  const bool aligned = reinterpret_cast<std::uintptr_t>(view->bytes.data()) % sizeof(float) == 0;
  if (file_.mapping != nullptr && aligned && type == at::kFloat) {  // in place: the tensor keeps the mapping
    return at::from_blob(
        const_cast<char*>(view->bytes.data()), sizes, [mapping = file_.mapping](void*) {}, at::TensorOptions(type));
  }
  at::Tensor copy = at::empty(sizes, at::TensorOptions(type));
  std::copy(view->bytes.begin(), view->bytes.end(), static_cast<char*>(copy.mutable_data_ptr()));
  if (file_.mapping != nullptr) file_.mapping->drop(view->bytes);
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
  std::vector<at::Tensor> parts;
  for (const std::string& name : names) parts.push_back(read(name, {out / names.size(), in}));
  at::Tensor weight = parts.size() == 1 ? parts.front() : at::cat(parts);
  parameters_ += static_cast<std::size_t>(weight.numel());
  weight = device_.is_cpu() ? pack_linear(weight) : weight.to(device_);
  if (file_.mapping != nullptr) {
    for (const std::string& name : names) file_.mapping->drop(find(name)->bytes);
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
