// SentenceHead: what a sentence-transformers model does with pooled vectors: Dense, LayerNorm, Normalize. Without libtorch: the vectors are
// few and short, and our kernels compute a row the same way whatever rows stand beside it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/model_config.hpp"
#include "model/model_source.hpp"

namespace inlay::encode {

/// Immutable: any number of threads may call one.
class SentenceHead {
 public:
  /// Reads the modules' weights from their folders in `source`. Throws Error (invalid_model) where widths don't fit or a tensor is missing.
  SentenceHead(const model::ModelSource& source, std::span<const model::SentenceModule> modules, std::size_t pooled_width);
  ~SentenceHead();
  SentenceHead(const SentenceHead&) = delete;
  SentenceHead& operator=(const SentenceHead&) = delete;

  /// Rows of pooled vectors [rows, pooled width] in, rows [rows, dimension] out.
  [[nodiscard]] std::vector<float> apply(std::vector<float> pooled) const;

  [[nodiscard]] std::size_t dimension() const noexcept { return dimension_; }
  [[nodiscard]] std::size_t parameters() const noexcept { return parameters_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return parameters_ * sizeof(float); }

  /// The files that weights were read from, relative to the model.
  [[nodiscard]] const std::vector<std::string>& files() const noexcept { return files_; }

 private:
  class Step;
  std::vector<std::unique_ptr<const Step>> steps_;
  std::size_t dimension_;
  std::size_t parameters_ = 0;
  std::vector<std::string> files_;
};

}  // namespace inlay::encode
