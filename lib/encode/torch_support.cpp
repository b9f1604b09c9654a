#include "encode/torch_support.hpp"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/frontend/sugared_value.h>
#include <xxhash.h>

#include <map>

#include "encode/operators.hpp"

namespace inlay::encode {

at::Device torch_device(Device device) {
  return device.type == DeviceType::cuda ? at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index)) : at::Device(at::kCPU);
}

std::string reason_of(std::string_view message) {
  // The interpreter's message is the program's stack, behind which the error itself stands: "RuntimeError: ", "builtins.ValueError: ".
  constexpr std::string_view mark = "Error: ";
  if (const std::size_t place = message.rfind(mark); place != std::string_view::npos) message.remove_prefix(place + mark.size());
  while (message.starts_with('\n')) message.remove_prefix(1);
  std::string reason(message.substr(0, message.find('\n')));
  while (reason.ends_with('.') || reason.ends_with(':')) reason.pop_back();
  return reason;
}

void throw_torch_error(const std::string& what, std::string_view message, Status status) {
  const bool memory =
      message.find("out of memory") != std::string_view::npos || message.find("can't allocate memory") != std::string_view::npos;
  throw Error(memory ? Status::out_of_memory : status, fmt::format("{}: {}", what, reason_of(message)));
}

std::shared_ptr<torch::jit::Resolver> operator_names(std::initializer_list<std::pair<const std::string, std::string>> names) {
  class Names : public torch::jit::Resolver {
   public:
    explicit Names(std::initializer_list<std::pair<const std::string, std::string>> names) : names_(names) {}
    std::shared_ptr<torch::jit::SugaredValue> resolveValue(const std::string& name, torch::jit::GraphFunction&,
                                                           const torch::jit::SourceRange&) override {
      const auto found = names_.find(name);
      return found == names_.end() ? nullptr : std::make_shared<torch::jit::BuiltinModule>(found->second);
    }

   private:
    std::map<std::string, std::string> names_;
  };
  return std::make_shared<Names>(names);
}

at::Tensor tensor_of(std::span<const std::int64_t> values) {
  return at::from_blob(const_cast<std::int64_t*>(values.data()), {static_cast<std::int64_t>(values.size())}, at::TensorOptions(at::kLong));
}

void write_pooled(const at::Tensor& hidden, const TokenBatch& batch, std::span<const Pooling> poolings, float* vectors) {
  static const auto pool = c10::Dispatcher::singleton()
                               .findSchemaOrThrow((register_operators() + "::pool").c_str(), "")
                               .typed<at::Tensor(const at::Tensor&, const at::Tensor&, std::int64_t, const at::Tensor&)>();
  const std::int64_t width = hidden.size(1);
  const at::Tensor result =
      at::from_blob(vectors, {static_cast<std::int64_t>(batch.lengths.size()), width * static_cast<std::int64_t>(poolings.size())},
                    at::TensorOptions(at::kFloat));
  std::int64_t column = 0;
  for (const Pooling pooling : poolings) {
    result.narrow(1, column, width)
        .copy_(pool.call(hidden, tensor_of(batch.lengths), static_cast<std::int64_t>(pooling), tensor_of(batch.skip)));
    column += width;
  }
}

std::string hash_of(std::span<const model::FileBytes> files) {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  const std::unique_ptr<XXH3_state_t, Free> state(XXH3_createState());
  XXH3_128bits_reset(state.get());
  constexpr std::size_t step = std::size_t{8} << 20;
  for (const model::FileBytes& file : files) {
    for (std::size_t first = 0; first < file.bytes.size(); first += step) {
      const std::string_view part = file.bytes.substr(first, step);
      XXH3_128bits_update(state.get(), part.data(), part.size());
      if (file.mapping != nullptr) file.mapping->drop(part);
    }
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace inlay::encode
