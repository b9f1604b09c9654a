#include "encode/encoder.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <omp.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/cuda.h>

#include <mutex>
#include <optional>
#include <utility>

#include "encode/architectures/architecture.hpp"
#include "encode/kernels/kernels.hpp"
#include "encode/operators.hpp"
#include "encode/shared_encoders.hpp"
#include "encode/torch_support.hpp"
#include "encode/weights.hpp"
#include "inlay/error.hpp"
#include "model/tensor_files.hpp"

namespace inlay::encode {
namespace {

bool are_mapped(const model::TensorFiles& files) { return files.files().empty() || files.files().front().mapping != nullptr; }

class TorchEncoder final : public Encoder {
 public:
  TorchEncoder(const model::TensorFiles& files, const model::TransformerConfig& config, Device device)
      : label_(files.label()),
        device_(torch_device(device)),
        hidden_size_(config.hidden_size),
        padding_id_(config.padding_id),
        architecture_(find_architecture(config.architecture)),
        longest_sequence_(architecture_.longest_sequence(config)),
        module_("inlay_encoder") {
    const c10::InferenceMode inference;
    Weights weights(files, device_, device_.is_cpu() ? WeightLayout::packed : WeightLayout::row_major);
    architecture_.register_weights(module_, weights, config);
    weights.pack();
    module_.define(std::string(architecture_.source), operator_names({{"torch", "aten"}, {"inlay", register_operators()}}));
    // The interpreter alone, not the profiling executor: nothing is optimised behind our back, and no process-wide setting matters.
    auto graph = module_.get_method("forward").graph()->copy();
    code_.emplace(graph, "forward");
    bytes_ = weights.bytes();
    parameters_ = weights.parameters();
    if (are_mapped(files)) {
      files_.assign(files.files().begin(), files.files().end());
    } else {
      hash_ = hash_of(files.files());  // the caller's memory goes when loading ends
    }
  }

  void encode(const TokenBatch& batch, std::span<const Pooling> poolings, float* vectors) const override {
    guarded(label_, [&] {
      const c10::InferenceMode inference;
      const c10::OptionalDeviceGuard guard(device_);
      const std::vector<std::int64_t> positions = positions_of(batch);
      torch::jit::Stack stack{module_._ivalue(), tensor_of(batch.tokens).to(device_), tensor_of(positions).to(device_),
                              tensor_of(batch.lengths)};
      torch::jit::InterpreterState(*code_).run(stack);
      write_pooled(stack.back().toTensor(), batch, poolings, vectors);
    });
  }

  std::size_t width() const noexcept override { return hidden_size_; }
  std::size_t longest_sequence() const noexcept override { return longest_sequence_; }

  const std::string& weights_hash() const override {
    std::call_once(hash_once_, [this] {
      if (hash_.empty()) hash_ = hash_of(files_);
    });
    return hash_;
  }

  std::size_t bytes() const noexcept override { return bytes_; }
  std::size_t parameters() const noexcept override { return parameters_; }

 private:
  [[nodiscard]] std::vector<std::int64_t> positions_of(const TokenBatch& batch) const {
    std::vector<std::int64_t> positions;
    positions.reserve(batch.tokens.size());
    const std::int64_t* token = batch.tokens.data();
    for (const std::int64_t length : batch.lengths) {
      if (architecture_.positions == PositionScheme::from_zero) {
        for (std::int64_t i = 0; i < length; ++i) positions.push_back(i);
      } else {
        std::int64_t position = padding_id_;
        for (std::int64_t i = 0; i < length; ++i) positions.push_back(token[i] == padding_id_ ? padding_id_ : ++position);
      }
      token += length;
    }
    return positions;
  }

  std::string label_;
  std::vector<model::FileBytes> files_;  // mapped; none where the weights came from memory
  at::Device device_;
  std::size_t hidden_size_;
  std::int64_t padding_id_;
  const Architecture& architecture_;
  std::size_t longest_sequence_;
  torch::jit::Module module_;
  std::optional<torch::jit::Code> code_;
  std::size_t bytes_ = 0;
  std::size_t parameters_ = 0;
  mutable std::once_flag hash_once_;
  mutable std::string hash_;
};

}  // namespace

std::shared_ptr<const Encoder> Encoder::load(const model::ModelSource& source, const model::TransformerConfig& config, Device device) {
  const auto files = model::TensorFiles::open(source);
  const auto make = [&] { return guarded(files.label(), [&] { return std::make_shared<const TorchEncoder>(files, config, device); }); };
  if (!are_mapped(files)) return make();

  struct Key {
    std::vector<platform::FileIdentity> files;
    model::TransformerConfig config;
    Device device;
    bool operator==(const Key&) const = default;
  };
  static SharedEncoders<Key> loaded;
  Key key{.files = {}, .config = config, .device = device};
  for (const model::FileBytes& file : files.files()) key.files.push_back(file.mapping->identity());
  return loaded.find_or_make(std::move(key), make);
}

Device resolve(Device device) {
  const bool cuda = device.type != DeviceType::cpu && torch::cuda::is_available();
  if (device.type == DeviceType::automatic) return cuda ? Device::cuda(0) : Device::cpu();
  if (device.type == DeviceType::cuda) {
    if (!cuda)
      throw Error(Status::unsupported,
                  fmt::format("no device {}: this libtorch or this machine has no CUDA; use cpu or auto", to_string(device)));
    const auto count = static_cast<int>(torch::cuda::device_count());
    if (device.index >= count) throw Error(Status::unsupported, fmt::format("no device {}: this machine has {}", to_string(device), count));
  }
  return device;
}

std::string kernels_name(Device device) { return device.type == DeviceType::cuda ? "aten" : kernels().name; }

std::size_t device_cached_bytes(Device device) {
  if (device.type != DeviceType::cuda) return 0;
  auto* allocator = c10::getDeviceAllocator(c10::kCUDA);
  const auto statistics = allocator->getDeviceStats(static_cast<c10::DeviceIndex>(device.index));
  constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return static_cast<std::size_t>(statistics.reserved_bytes[all].current - statistics.allocated_bytes[all].current);
}

void release_device_cache(Device device) {
  if (device.type == DeviceType::cuda) c10::getDeviceAllocator(c10::kCUDA)->emptyCache();
}

void compute_alone() {
  at::get_num_threads();   // libtorch's own initialisation of this thread, which would otherwise come later and undo the next line
  omp_set_num_threads(1);  // OpenMP keeps it per thread, and MKL follows it
}

}  // namespace inlay::encode
