// A TorchScript program that somebody else traced or scripted, (input_ids, attention_mask) to hidden states or vectors. It gets groups of
// texts of equal length, so its mask is all ones and nothing is padded.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <caffe2/serialize/in_memory_adapter.h>
#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/script.h>

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "encode/encoder.hpp"
#include "encode/shared_encoders.hpp"
#include "encode/torch_support.hpp"
#include "inlay/error.hpp"
#include "model/file_errors.hpp"

namespace inlay::encode {
namespace {

// The keys of a dictionary that are understood; the first that is there counts.
using Keys = std::array<const char*, 4>;
constexpr Keys hidden_states_first = {"last_hidden_state", "token_embeddings", "sentence_embedding", "pooler_output"};
constexpr Keys vector_first = {"sentence_embedding", "last_hidden_state", "token_embeddings", "pooler_output"};

constexpr std::string_view how_to_trace =
    "use torch.jit.script, or write the program with `inlay export`, or trace code that takes every size from its input";

// Calls visit for every node, those of inner blocks included; it may destroy the node.
void for_each_node(torch::jit::Block* block, const std::function<void(torch::jit::Node*)>& visit) {
  for (auto node = block->nodes().begin(); node != block->nodes().end();) {
    torch::jit::Node* current = *node++;
    for (torch::jit::Block* inner : current->blocks()) for_each_node(inner, visit);
    visit(current);
  }
}

// Whether the node changes what the module holds, or calls what can't be looked into.
bool keeps_state(const torch::jit::Node* node) {
  if (node->kind() == torch::jit::prim::SetAttr || node->kind() == torch::jit::prim::CallMethod) return true;
  const c10::FunctionSchema* schema = node->maybeSchema();
  return schema != nullptr && schema->is_mutable() && !node->inputs().empty() &&
         node->input(0)->node()->kind() == torch::jit::prim::GetAttr;
}

// libtorch's compiler goes down a level for every bracket, without limit.
void check_nesting(const std::shared_ptr<caffe2::serialize::ReadAdapterInterface>& file, const std::string& label) {
  constexpr std::size_t most_bytes = std::size_t{64} << 20;  // of a file of code
  constexpr int deepest = 200;
  caffe2::serialize::PyTorchStreamReader reader(file);
  for (const std::string& name : reader.getAllRecords()) {
    if (!name.starts_with("code/") || !name.ends_with(".py")) continue;
    if (reader.getRecordSize(name) > most_bytes) throw Error(Status::invalid_model, fmt::format("{}: {} is too long", label, name));
    const auto [bytes, size] = reader.getRecord(name);
    int depth = 0;
    for (const char c : std::string_view(static_cast<const char*>(bytes.get()), size)) {
      depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
      if (depth > deepest) throw Error(Status::invalid_model, fmt::format("{}: {} is nested too deep", label, name));
    }
  }
}

class ScriptEncoder final : public Encoder {
 public:
  ScriptEncoder(const model::FileBytes& file, std::span<const std::int64_t> sample, ScriptOutput preferred, Device device)
      : label_(file.label),
        file_(file),
        device_(torch_device(device)),
        keys_(preferred == ScriptOutput::vector ? vector_first : hidden_states_first) {
    const c10::InferenceMode inference;
    guarded(
        label_ + " is not a valid TorchScript program",
        [&] {
          const auto size = static_cast<off_t>(file.bytes.size());
          const auto bytes = std::make_shared<caffe2::serialize::MemoryReadAdapter>(file.bytes.data(), size);
          check_nesting(bytes, label_);
          module_ = torch::jit::load(bytes, device_);
          module_.eval();
          file_.mapping->drop(file_.bytes);  // the module has copies
        },
        Status::invalid_model);
    compile();
    probe(sample);
    for (const at::Tensor& parameter : module_.parameters()) {
      parameters_ += static_cast<std::size_t>(parameter.numel());
      bytes_ += parameter.nbytes();
    }
    for (const at::Tensor& buffer : module_.buffers()) bytes_ += buffer.nbytes();
  }

  void encode(const TokenBatch& batch, std::span<const Pooling> poolings, float* vectors) const override {
    guarded(
        label_,
        [&] {
          const c10::InferenceMode inference;
          std::vector<at::Tensor> outputs;
          for_each_equal_run(batch.lengths, [&](std::size_t, std::size_t texts, std::size_t first, std::size_t tokens) {
            const at::Tensor ids = tensor_of(batch.tokens.subspan(first, tokens)).view({static_cast<std::int64_t>(texts), -1});
            const at::Tensor output = run(ids);
            check_shape(output, ids);
            outputs.push_back(pools_ ? output : output.flatten(0, 1));
          });
          const at::Tensor rows = outputs.size() == 1 ? outputs.front() : at::cat(outputs);
          if (!pools_) return write_pooled(rows, batch, poolings, vectors);
          at::from_blob(vectors, rows.sizes(), at::TensorOptions(at::kFloat)).copy_(rows);
        },
        Status::invalid_model);
  }

  std::size_t width() const noexcept override { return static_cast<std::size_t>(width_); }
  bool pools() const noexcept override { return pools_; }
  std::size_t longest_sequence() const noexcept override { return std::numeric_limits<std::size_t>::max(); }

  const std::string& weights_hash() const override {
    std::call_once(hash_once_, [this] { hash_ = hash_of({&file_, 1}); });
    return hash_;
  }

  std::size_t bytes() const noexcept override { return bytes_; }
  std::size_t parameters() const noexcept override { return parameters_; }

 private:
  [[noreturn]] void refuse(const std::string& reason, Status status = Status::unsupported) const {
    throw Error(status, fmt::format("{}: {}", label_, model::one_line(reason)));
  }

  void compile() {
    const auto method = module_.find_method("forward");
    if (!method) refuse("the program has no method forward");
    const c10::FunctionSchema& schema = method->function().getSchema();
    const auto& arguments = schema.arguments();  // the first is the module itself
    std::vector<std::string> described;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      described.push_back(fmt::format("{}: {}", arguments[i].name(), arguments[i].type()->annotation_str()));
      if (i > 2 && arguments[i].default_value().has_value()) defaults_.push_back(*arguments[i].default_value());
    }
    const auto takes = [&](std::size_t i, const std::initializer_list<std::string_view> others) {
      return arguments.size() > i && arguments[i].type()->isSubtypeOf(*c10::TensorType::get()) &&
             std::ranges::find(others, arguments[i].name()) == others.end();
    };
    if (!takes(1, {"attention_mask", "mask"}) || !takes(2, {"input_ids", "token_type_ids", "segment_ids", "position_ids"}) ||
        defaults_.size() + 3 != arguments.size()) {
      refuse(
          fmt::format("its forward takes ({}), not (input_ids: Tensor, attention_mask: Tensor); trace or script a module around it "
                      "whose forward takes these two",
                      fmt::join(described, ", ")));
    }

    // The interpreter alone, as for our own programs; calls are inlined, so that one graph shows every device.
    const auto graph = method->graph()->copy();
    torch::jit::Inline(*graph);
    std::vector<at::Device> devices;  // that constants name: a tensor that is made there does not meet the others elsewhere
    for_each_node(graph->block(), [&](torch::jit::Node* node) {
      if (node->kind() == torch::jit::prim::Constant && node->output()->type()->kind() == c10::TypeKind::DeviceObjType) {
        devices.push_back(torch::jit::toIValue(node->output())->toDevice());
      }
      if (keeps_state(node)) keeps_state_ = true;
      if (node->kind() == torch::jit::prim::Print || node->kind() == torch::jit::aten::warn) node->destroy();  // a library prints nothing
    });
    for (const at::Device& named : devices) {
      if (named.type() == device_.type() && (!named.has_index() || named.index() == device_.index() || device_.is_cpu())) continue;
      refuse(fmt::format("the program itself names the device {}, and can't run on {}: load it with device {}, or trace it on {}",
                         named.str(), device_.str(), named.is_cpu() ? "cpu" : named.str(), device_.str()));
    }
    code_.emplace(graph, "forward");
  }

  // The tensor that counts in what the program gives, float32.
  at::Tensor run(const at::Tensor& ids) const {
    const c10::OptionalDeviceGuard guard(device_);
    const at::Tensor tokens = ids.to(device_);
    torch::jit::Stack stack{module_._ivalue(), tokens, at::ones_like(tokens)};
    stack.insert(stack.end(), defaults_.begin(), defaults_.end());
    const auto lock = keeps_state_ ? std::unique_lock(running_) : std::unique_lock<std::mutex>();
    torch::jit::InterpreterState(*code_).run(stack);
    if (stack.size() != 1) refuse("the program gives nothing back");
    return select(stack.back()).to(at::kFloat).contiguous();
  }

  at::Tensor select(const c10::IValue& output) const {
    if (output.isTensor()) return output.toTensor();
    if (output.isTuple() && !output.toTupleRef().elements().empty() && output.toTupleRef().elements()[0].isTensor()) {
      return output.toTupleRef().elements()[0].toTensor();
    }
    if (output.isGenericDict()) {
      const auto dictionary = output.toGenericDict();
      std::vector<std::string> keys;
      for (const auto& entry : dictionary) keys.push_back(entry.key().isString() ? entry.key().toStringRef() : entry.key().tagKind());
      for (const char* key : keys_) {
        for (const auto& entry : dictionary) {
          if (entry.key().isString() && entry.key().toStringRef() == key && entry.value().isTensor()) return entry.value().toTensor();
        }
      }
      refuse(fmt::format("the program gives a dictionary with none of the tensors {}; its keys are {}", fmt::join(keys_, ", "),
                         fmt::join(keys, ", ")));
    }
    refuse(fmt::format("the program gives a {}, not a tensor, a tuple that begins with one, or a dictionary", output.tagKind()));
  }

  // [batch, length, width] or [batch, width], as the probe found it.
  void check_shape(const at::Tensor& output, const at::Tensor& ids) const {
    const bool fits = pools_ ? output.dim() == 2 && output.size(0) == ids.size(0)
                             : output.dim() == 3 && output.size(0) == ids.size(0) && output.size(1) == ids.size(1);
    if (fits && output.size(-1) == width_) return;
    refuse(fmt::format("for {} texts of {} tokens the program gives a tensor of the shape [{}], not [{}]", ids.size(0), ids.size(1),
                       fmt::join(output.sizes(), ", "),
                       pools_ ? fmt::format("{}, {}", ids.size(0), width_) : fmt::format("{}, {}, {}", ids.size(0), ids.size(1), width_)),
           Status::invalid_model);
  }

  struct Shape {
    std::int64_t texts, tokens;
  };

  // Texts of the sample's tokens over and over, each beginning elsewhere.
  static at::Tensor sample_of(std::span<const std::int64_t> sample, Shape shape) {
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < shape.texts; ++i) {
      for (std::int64_t j = 0; j < shape.tokens; ++j) ids.push_back(sample[static_cast<std::size_t>(i + j) % sample.size()]);
    }
    return tensor_of(ids).view({shape.texts, shape.tokens}).clone();  // the values go
  }

  // Why the program cannot do a batch of this shape, if it can't. What it is rather than does wrong is thrown.
  std::optional<std::string> failure_of(std::span<const std::int64_t> sample, Shape shape) const {
    try {
      const at::Tensor ids = sample_of(sample, shape);
      guarded(
          label_, [&] { check_shape(run(ids), ids); }, Status::invalid_model);
    } catch (const Error& error) {
      if (error.status() != Status::invalid_model) throw;
      return std::string(error.what()).substr(label_.size() + 2);
    }
    return std::nullopt;
  }

  // Batches of several sizes and lengths: a program that was traced for one of them fails for the others.
  void probe(std::span<const std::int64_t> sample) {
    constexpr std::array<Shape, 4> shapes = {{{1, 7}, {3, 7}, {1, 5}, {2, 10}}};
    if (const auto failure = learn_shape(sample, shapes.front())) refuse_fixed_size(sample, *failure);
    for (const Shape shape : shapes) {
      if (const auto failure = failure_of(sample, shape)) refuse_fixed_size(sample, *failure);
    }
    check_independence(sample);
  }

  // What the program gives, by a first batch; or why that failed.
  std::optional<std::string> learn_shape(std::span<const std::int64_t> sample, Shape shape) {
    try {
      const at::Tensor output = guarded(
          label_, [&] { return run(sample_of(sample, shape)); }, Status::invalid_model);
      if (output.dim() < 2 || output.dim() > 3 || output.size(-1) == 0) {
        refuse(fmt::format(
            "for {} text of {} tokens the program gives a tensor of the shape [{}], neither [batch, length, width] nor [batch, width]",
            shape.texts, shape.tokens, fmt::join(output.sizes(), ", ")));
      }
      pools_ = output.dim() == 2;
      width_ = output.size(-1);
    } catch (const Error& error) {
      if (error.status() != Status::invalid_model) throw;
      return std::string(error.what()).substr(label_.size() + 2);
    }
    return std::nullopt;
  }

  // A text's vectors are the same each time, and don't depend on the texts beside it.
  void check_independence(std::span<const std::int64_t> sample) const {
    const auto first_text = [&](std::int64_t texts) { return guarded(label_, [&] { return run(sample_of(sample, {texts, 5}))[0]; }); };
    const at::Tensor expected = first_text(1);
    const auto check = [&](const at::Tensor& got, std::string_view cause) {
      constexpr double most = 1e-3;
      const double scale = std::max(1.0, expected.abs().max().item<double>());
      const double difference = (got - expected).abs().max().item<double>();
      if (!(difference <= most * scale)) refuse(fmt::format("a text's vectors change by {:.2g} {}", difference, cause));
    };
    check(first_text(1), "from one call to the next: call the module's eval() before it is traced or scripted");
    check(first_text(2), "with the texts beside it: the first dimension must be the batch's, and texts must not mix");
  }

  [[noreturn]] void refuse_fixed_size(std::span<const std::int64_t> sample, const std::string& failure) {
    constexpr std::array<std::int64_t, 20> lengths = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 32, 64, 128, 256, 512};
    for (const std::int64_t texts : {1, 2}) {
      for (const std::int64_t tokens : lengths) {
        if (learn_shape(sample, {texts, tokens}) || failure_of(sample, {texts, tokens})) continue;
        refuse(fmt::format("it was traced for a fixed size: it runs for {} text{} of {} tokens, but not for all batches ({}); {}", texts,
                           texts == 1 ? "" : "s", tokens, failure, how_to_trace));
      }
    }
    refuse(fmt::format("it fails on batches of every size ({}); {}", failure, how_to_trace));
  }

  std::string label_;
  model::FileBytes file_;
  at::Device device_;
  const Keys& keys_;
  torch::jit::Module module_;
  std::optional<torch::jit::Code> code_;
  torch::jit::Stack defaults_;  // of further arguments
  bool keeps_state_ = false;    // from call to call, so that they must not overlap
  mutable std::mutex running_;
  bool pools_ = false;
  std::int64_t width_ = 0;
  std::size_t bytes_ = 0;
  std::size_t parameters_ = 0;
  mutable std::once_flag hash_once_;
  mutable std::string hash_;
};

}  // namespace

std::shared_ptr<const Encoder> Encoder::load_script(const model::FileBytes& file, std::span<const std::int64_t> sample,
                                                    ScriptOutput preferred, Device device) {
  struct Key {
    platform::FileIdentity file;
    ScriptOutput preferred;
    Device device;
    bool operator==(const Key&) const = default;
  };
  static SharedEncoders<Key> loaded;
  return loaded.find_or_make({file.mapping->identity(), preferred, device}, [&] {
    return guarded(
        file.label, [&] { return std::make_shared<const ScriptEncoder>(file, sample, preferred, device); }, Status::invalid_model);
  });
}

}  // namespace inlay::encode
