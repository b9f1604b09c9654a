#include "encode/script_program.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/export.h>
#include <torch/script.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "encode/architectures/architecture.hpp"
#include "encode/torch_support.hpp"
#include "encode/weights.hpp"
#include "inlay/error.hpp"
#include "model/tensor_files.hpp"
#include "platform/files.hpp"

namespace inlay::encode {
namespace {

// The operators of operators.hpp as methods of the program. Where those get the sequences' lengths, these get the mask [batch, length] that
// the tokens were chosen by: attention goes back to it, since a dense batch is what aten's attention wants.
constexpr std::string_view operators = R"(
def embed(self, tokens: Tensor, positions: Tensor, word: Tensor, position: Tensor, type: Optional[Tensor]) -> Tensor:
    x = torch.index_select(word, 0, tokens) + torch.index_select(position, 0, positions)
    if type is not None:
        x = x + type
    return x

def layer_norm(self, x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    return torch.layer_norm(x, [x.size(-1)], gamma, beta, epsilon)

def linear(self, x: Tensor, weight: Tensor, bias: Tensor, activation: int) -> Tensor:
    y = torch.linear(x, weight, bias)
    if activation == {gelu}:
        y = torch.gelu(y)
    elif activation == {gelu_tanh}:
        y = torch.gelu(y, approximate="tanh")
    elif activation == {relu}:
        y = torch.relu(y)
    elif activation == {silu}:
        y = torch.silu(y)
    return y

def linear_add_norm(self, x: Tensor, weight: Tensor, bias: Tensor, residual: Tensor, gamma: Tensor, beta: Tensor,
                    epsilon: float) -> Tensor:
    return self.layer_norm(torch.linear(x, weight, bias) + residual, gamma, beta, epsilon)

def scatter(self, x: Tensor, mask: Tensor) -> Tensor:
    padded = torch.zeros([mask.size(0), mask.size(1), x.size(1)], dtype=x.dtype, device=x.device)
    return torch.masked_scatter(padded, torch.unsqueeze(mask, 2), x)

def attention(self, qkv: Tensor, mask: Tensor, heads: int, relative_bias: Optional[Tensor]=None) -> Tensor:
    batch = mask.size(0)
    length = mask.size(1)
    parts = self.scatter(qkv, mask).view([batch, length, 3, heads, qkv.size(1) // (3 * heads)]).permute([2, 0, 3, 1, 4])
    bias = torch.zeros([batch, 1, 1, length], dtype=qkv.dtype, device=qkv.device)
    bias = torch.masked_fill(bias, torch.logical_not(mask).view([batch, 1, 1, length]), -1e30)
    if relative_bias is not None:
        places = torch.arange(length, device=qkv.device)
        distance = torch.unsqueeze(places, 0) - torch.unsqueeze(places, 1) + relative_bias.size(1) // 2
        bias = bias + torch.index_select(relative_bias, 1, torch.flatten(distance)).view([1, heads, length, length])
    else:
        bias = torch.expand(bias, [batch, 1, length, length])
    context = torch.scaled_dot_product_attention(parts[0], parts[1], parts[2], bias)
    return torch.flatten(torch.transpose(context, 1, 2), 2)[mask]
)";

constexpr std::string_view forward = R"(
def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Dict[str, Tensor]:
    mask = attention_mask != 0
    {positions}
    states = self.scatter(self.encode(input_ids[mask], positions[mask], mask), mask)
    weight = torch.unsqueeze(mask, 2).to(states.dtype)
    places = torch.cumsum(mask, 1) * mask
{pooling}    x = {pooled}
{modules}    return {{"last_hidden_state": states, "sentence_embedding": x}}
)";

// Row i, column j: the position of token j of text i.
constexpr std::string_view positions_from_zero = "positions = torch.expand_as(torch.arange(mask.size(1), device=mask.device), mask)";
constexpr std::string_view positions_behind_padding = R"(counted = (input_ids != {0}).to(input_ids.dtype)
    positions = torch.cumsum(counted, 1) * counted + {0})";

// The pooled vectors [batch, hidden] of hidden states that are 0 outside of the mask. The terms are those of sentence-transformers'
// Pooling; a text without a token has the vector that it has there.
std::string_view pooling_source(Pooling pooling) {
  switch (pooling) {
    case Pooling::mean: return "torch.sum(states, 1) / torch.clamp(torch.sum(weight, 1), 1e-9)";
    case Pooling::cls: return "states[torch.arange(states.size(0), device=mask.device), torch.argmax(mask.to(places.dtype), 1)]";
    case Pooling::max: return "torch.amax(torch.masked_fill(states, torch.unsqueeze(mask == 0, 2), -float(\"inf\")), [1])";
    case Pooling::mean_sqrt_len: return "torch.sum(states, 1) / torch.sqrt(torch.clamp(torch.sum(weight, 1), 1e-9))";
    case Pooling::weighted_mean:
      return "torch.sum(states * torch.unsqueeze(places, 2), 1) / torch.clamp(torch.sum(places, [1], True).to(states.dtype), 1e-9)";
    case Pooling::last_token: return "states[torch.arange(states.size(0), device=mask.device), torch.argmax(places, 1)]";
  }
  throw Error(Status::internal, "a pooling without a source");
}

std::string_view activation_source(model::DenseActivation activation) {
  switch (activation) {
    case model::DenseActivation::identity: return "y";
    case model::DenseActivation::tanh: return "torch.tanh(y)";
    case model::DenseActivation::relu: return "torch.relu(y)";
    case model::DenseActivation::gelu: return "torch.gelu(y)";
    case model::DenseActivation::sigmoid: return "torch.sigmoid(y)";
    case model::DenseActivation::silu: return "torch.silu(y)";
  }
  throw Error(Status::internal, "an activation without a source");
}

constexpr std::string_view normalize = "    x = x / torch.clamp(torch.norm(x, 2, [1], True), 1e-12)\n";

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t place = 0; (place = text.find(what, place)) != std::string::npos; place += with.size()) {
    text.replace(place, what.size(), with);
  }
}

class Program {
 public:
  Program(const model::ModelSource& source, const model::ModelConfig& config) : source_(source), module_("InlayModel") {
    const Architecture& architecture = find_architecture(config.transformer.architecture);
    const std::string encode = define_encode(architecture, config.transformer);
    const auto resolver = operator_names({{"torch", "aten"}});
    using model::Activation;
    module_.define(fmt::format(fmt::runtime(operators), fmt::arg("gelu", static_cast<int>(Activation::gelu)),
                               fmt::arg("gelu_tanh", static_cast<int>(Activation::gelu_tanh)),
                               fmt::arg("relu", static_cast<int>(Activation::relu)), fmt::arg("silu", static_cast<int>(Activation::silu))),
                   resolver);
    module_.define(encode, resolver);
    module_.define(forward_source(architecture, config), resolver);
    module_.eval();
  }

  // libtorch's writer ends the process when a write fails while it cleans up after one that failed: it never hears of a failure.
  void save(const std::filesystem::path& path) const {
    platform::AppendedFile file(path);
    std::exception_ptr failure;
    const auto write = [&](const void* bytes, std::size_t size) {
      try {
        if (!failure) file.append({static_cast<const char*>(bytes), size});
      } catch (...) {
        failure = std::current_exception();
      }
      return size;
    };
    torch::jit::ExportModule(module_, write);
    if (failure) std::rethrow_exception(failure);
    file.flush_to_disk();
  }

 private:
  // The architecture's source with our operators' names turned into methods'. Its tensors become parameters of the program, those of a list
  // one each, so that Python's .to and .parameters know them.
  std::string define_encode(const Architecture& architecture, const model::TransformerConfig& config) {
    const auto files = model::TensorFiles::open(model::transformer_source(source_));
    Weights weights(files, at::kCPU, WeightLayout::row_major);
    torch::jit::Module registered("registered");
    architecture.register_weights(registered, weights, config);

    std::string source(architecture.source);
    replace_all(source, "def forward(", "def encode(");
    replace_all(source, "inlay.", "self.");
    std::string lists;
    for (const auto& attribute : registered.named_attributes(/*recurse=*/false)) {
      if (attribute.value.isTensor()) {
        add(attribute.name, attribute.value.toTensor());
      } else if (attribute.value.isTensorList()) {
        std::string items;
        std::size_t i = 0;
        for (const at::Tensor& tensor : attribute.value.toTensorVector()) {
          const std::string name = fmt::format("{}_{}", attribute.name, i++);
          add(name, tensor);
          items += fmt::format("self.{}, ", name);
        }
        lists += fmt::format("    {} = [{}]\n", attribute.name, items);
        replace_all(source, fmt::format("self.{}[", attribute.name), fmt::format("{}[", attribute.name));
      } else if (attribute.name != "training") {
        module_.register_attribute(attribute.name, attribute.value.type(), attribute.value);
      }
    }
    constexpr std::string_view signature_end = "-> Tensor:\n";
    source.insert(source.find(signature_end) + signature_end.size(), lists);
    return source;
  }

  std::string forward_source(const Architecture& architecture, const model::ModelConfig& config) {
    const std::string positions = architecture.positions == PositionScheme::from_zero
                                      ? std::string(positions_from_zero)
                                      : fmt::format(fmt::runtime(positions_behind_padding), config.transformer.padding_id);
    std::string pooling;
    std::string pooled;
    for (std::size_t i = 0; i < config.sentence.poolings.size(); ++i) {
      pooling += fmt::format("    pooled_{} = {}\n", i, pooling_source(config.sentence.poolings[i]));
      pooled += fmt::format("{}pooled_{}", i == 0 ? "" : ", ", i);
    }
    if (config.sentence.poolings.size() > 1) pooled = fmt::format("torch.cat([{}], 1)", pooled);
    std::string modules;
    for (const model::SentenceModule& module : config.sentence.modules) modules += std::visit(*this, module);
    if (config.sentence.normalize) modules += normalize;
    return fmt::format(fmt::runtime(forward), fmt::arg("positions", positions), fmt::arg("pooling", pooling), fmt::arg("pooled", pooled),
                       fmt::arg("modules", modules));
  }

  void add(const std::string& name, const at::Tensor& tensor) { module_.register_parameter(name, tensor, /*is_buffer=*/false); }

 public:
  // A module's lines, for std::visit; its tensors are added as module_0_weight and so on.
  std::string operator()(const model::DenseModule& dense) {
    const auto files = model::TensorFiles::open(source_.below(dense.folder));
    Weights weights(files, at::kCPU, WeightLayout::row_major);
    const std::string name = next_module();
    add(name + "_weight", weights.tensor("linear.weight", {dense.out, dense.in}));
    if (dense.has_bias) add(name + "_bias", weights.tensor("linear.bias", {dense.out}));
    std::string lines =
        fmt::format("    y = torch.linear(x, self.{}_weight, {})\n", name, dense.has_bias ? fmt::format("self.{}_bias", name) : "None");
    std::string_view residual;
    if (dense.has_residual && dense.in != dense.out) {
      add(name + "_residual", weights.tensor("residual.weight", {dense.out, dense.in}));
      lines += fmt::format("    x = torch.linear(x, self.{}_residual)\n", name);
    }
    if (dense.has_residual) residual = " + x";
    return lines + fmt::format("    x = {}{}\n", activation_source(dense.activation), residual);
  }

  std::string operator()(const model::LayerNormModule& norm) {
    const auto files = model::TensorFiles::open(source_.below(norm.folder));
    Weights weights(files, at::kCPU, WeightLayout::row_major);
    const std::string name = next_module();
    add(name + "_gamma", weights.tensor("norm.weight", {norm.width}));
    add(name + "_beta", weights.tensor("norm.bias", {norm.width}));
    return fmt::format("    x = self.layer_norm(x, self.{0}_gamma, self.{0}_beta, 1e-5)\n", name);
  }

  std::string operator()(const model::NormalizeModule&) { return std::string(normalize); }

 private:
  std::string next_module() { return fmt::format("module_{}", modules_++); }

  const model::ModelSource& source_;
  torch::jit::Module module_;
  std::size_t modules_ = 0;
};

}  // namespace

void write_script_program(const model::ModelSource& source, const model::ModelConfig& config, const std::filesystem::path& path) {
  guarded(source.name(), [&] {
    const c10::InferenceMode inference;
    const Program program(source, config);
    guarded(
        path.string(), [&] { program.save(path); }, Status::io_error);
  });
}

}  // namespace inlay::encode
