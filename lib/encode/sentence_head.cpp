#include "encode/sentence_head.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <variant>

#include "encode/kernels/kernels.hpp"
#include "inlay/error.hpp"
#include "model/tensor_files.hpp"

namespace inlay::encode {
namespace {

constexpr float layer_norm_epsilon = 1e-5F;  // torch.nn.LayerNorm's, which the module's files can't change
constexpr float smallest_length = 1e-12F;    // torch.nn.functional.normalize's

using Floats = std::vector<float>;

// A module's tensor, checked against what the module's own config.json says of it.
Floats read_floats(const model::TensorFiles& files, const std::string& name, const std::vector<std::size_t>& shape) {
  const model::StoredTensor* tensor = files.find(name);
  if (tensor == nullptr) throw Error(Status::invalid_model, fmt::format("{}: tensor {} is missing", files.label(), name));
  const model::TensorView& view = tensor->view;
  const std::string& label = files.file_of(*tensor).label;
  if (view.shape != shape) {
    throw Error(Status::invalid_model, fmt::format("{}: tensor {} has the shape [{}], but the module's config.json makes it [{}]", label,
                                                   name, fmt::join(view.shape, ", "), fmt::join(shape, ", ")));
  }
  if (view.type == model::DataType::other) {
    throw Error(Status::unsupported,
                fmt::format("{}: tensor {} has the dtype {}; supported: {}", label, name, view.dtype, model::weight_dtypes));
  }
  return model::read_floats(view);
}

// A linear layer with its weights packed for the kernels.
class Linear {
 public:
  Linear(const model::TensorFiles& files, const std::string& name, std::size_t in, std::size_t out, bool has_bias)
      : in_(in), out_(out), packed_(packed_floats(kernels(), out, in)) {
    const Floats weight = read_floats(files, name + ".weight", {out, in});
    kernels().pack(weight.data(), out, in, packed_.data());
    if (has_bias) bias_ = read_floats(files, name + ".bias", {out});
  }

  [[nodiscard]] Floats apply(const Floats& x, const float* residual = nullptr) const {
    const std::size_t rows = x.size() / in_;
    Floats y(rows * out_);
    kernels().linear(x.data(), rows, in_, packed_.data(), bias_.empty() ? nullptr : bias_.data(), out_, Activation::none, residual,
                     y.data());
    return y;
  }

  [[nodiscard]] std::size_t parameters() const noexcept { return in_ * out_ + bias_.size(); }

 private:
  std::size_t in_;
  std::size_t out_;
  Floats packed_;
  Floats bias_;
};

float activated(float x, model::DenseActivation activation) {
  switch (activation) {
    case model::DenseActivation::identity: return x;
    case model::DenseActivation::tanh: return std::tanh(x);
    case model::DenseActivation::relu: return std::max(x, 0.0F);
    case model::DenseActivation::gelu: return static_cast<float>(0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)));
    case model::DenseActivation::sigmoid: return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x))));
    case model::DenseActivation::silu: return static_cast<float>(x / (1 + std::exp(-static_cast<double>(x))));
  }
  return x;
}

}  // namespace

// One module at work.
class SentenceHead::Step {
 public:
  virtual ~Step() = default;
  [[nodiscard]] virtual Floats apply(Floats x) const = 0;
  [[nodiscard]] virtual std::size_t parameters() const noexcept = 0;

  class Dense;
  class LayerNorm;
  class Normalize;
};

class SentenceHead::Step::Dense final : public Step {
 public:
  Dense(const model::DenseModule& module, const model::TensorFiles& files)
      : linear_(files, "linear", module.in, module.out, module.has_bias), activation_(module.activation), adds_input_(module.has_residual) {
    if (adds_input_ && module.in != module.out) residual_.emplace_back(files, "residual", module.in, module.out, false);
  }

  [[nodiscard]] Floats apply(Floats x) const override {
    Floats y = linear_.apply(x);
    for (float& value : y) value = activated(value, activation_);
    if (!adds_input_) return y;
    if (!residual_.empty()) return residual_.front().apply(x, y.data());
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[i];
    return y;
  }

  [[nodiscard]] std::size_t parameters() const noexcept override {
    return linear_.parameters() + (residual_.empty() ? 0 : residual_.front().parameters());
  }

 private:
  Linear linear_;
  std::vector<Linear> residual_;  // none or one
  model::DenseActivation activation_;
  bool adds_input_;
};

class SentenceHead::Step::LayerNorm final : public Step {
 public:
  LayerNorm(const model::LayerNormModule& module, const model::TensorFiles& files)
      : gamma_(read_floats(files, "norm.weight", {module.width})), beta_(read_floats(files, "norm.bias", {module.width})) {}

  [[nodiscard]] Floats apply(Floats x) const override {
    kernels().layer_norm(x.data(), x.size() / gamma_.size(), gamma_.size(), gamma_.data(), beta_.data(), layer_norm_epsilon, x.data());
    return x;
  }

  [[nodiscard]] std::size_t parameters() const noexcept override { return gamma_.size() + beta_.size(); }

 private:
  Floats gamma_;
  Floats beta_;
};

class SentenceHead::Step::Normalize final : public Step {
 public:
  explicit Normalize(std::size_t width) : width_(width) {}

  [[nodiscard]] Floats apply(Floats x) const override {
    for (auto row = x.begin(); row != x.end(); row += static_cast<std::ptrdiff_t>(width_)) {
      double squares = 0;
      for (auto value = row; value != row + static_cast<std::ptrdiff_t>(width_); ++value) squares += double{*value} * *value;
      const float length = std::max(static_cast<float>(std::sqrt(squares)), smallest_length);
      for (auto value = row; value != row + static_cast<std::ptrdiff_t>(width_); ++value) *value /= length;
    }
    return x;
  }

  [[nodiscard]] std::size_t parameters() const noexcept override { return 0; }

 private:
  std::size_t width_;
};

SentenceHead::SentenceHead(const model::ModelSource& source, std::span<const model::SentenceModule> modules, std::size_t pooled_width)
    : dimension_(model::dimension_behind(modules, pooled_width, source)) {
  std::size_t width = pooled_width;
  const auto open = [&](const std::string& folder) {
    auto tensors = model::TensorFiles::open(source.below(folder));
    for (const std::string& file : tensors.file_names()) files_.push_back(fmt::format("{}/{}", folder, file));
    return tensors;
  };
  for (const model::SentenceModule& module : modules) {
    if (const auto* dense = std::get_if<model::DenseModule>(&module)) {
      steps_.push_back(std::make_unique<const Step::Dense>(*dense, open(dense->folder)));
      width = dense->out;
    } else if (const auto* norm = std::get_if<model::LayerNormModule>(&module)) {
      steps_.push_back(std::make_unique<const Step::LayerNorm>(*norm, open(norm->folder)));
    } else {
      steps_.push_back(std::make_unique<const Step::Normalize>(width));
    }
    parameters_ += steps_.back()->parameters();
  }
}

SentenceHead::~SentenceHead() = default;

std::vector<float> SentenceHead::apply(std::vector<float> pooled) const {
  for (const auto& step : steps_) pooled = step->apply(std::move(pooled));
  return pooled;
}

}  // namespace inlay::encode
