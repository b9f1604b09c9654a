// TensorFiles: the tensors of a model by name, from whichever files hold them.
//
//   model.safetensors                  or model.safetensors.index.json and the shards that it names,
//   pytorch_model.bin                  or pytorch_model.bin.index.json and its shards: the first of these that exists, as transformers chooses
//
// The files stay mapped; a tensor is a view into its file.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_source.hpp"
#include "model/tensor_view.hpp"

namespace inlay::model {

struct StoredTensor {
  TensorView view;
  std::size_t file;  ///< its number in TensorFiles::files
};

class TensorFiles {
 public:
  /// A file in memory must outlive the object. Throws Error: not_found when there are no weights or a shard is missing; invalid_model,
  /// unsupported as Safetensors and TorchFile do, and for an index that contradicts its shards or leads out of the folder.
  [[nodiscard]] static TensorFiles open(const ModelSource& source);

  /// Null when there is none.
  [[nodiscard]] const StoredTensor* find(std::string_view name) const;

  /// What stands before `name` in the one tensor whose name is `name` or ends in '.' and `name`: "roberta." for a model with a head, ""
  /// where there is no such tensor. Throws Error (invalid_model) naming two of them where there are several.
  [[nodiscard]] std::string prefix_of(std::string_view name) const;

  // What is in the object: not to be asked of a temporary.
  [[nodiscard]] const std::map<std::string, StoredTensor, std::less<>>& tensors() const& noexcept { return tensors_; }
  [[nodiscard]] std::span<const FileBytes> files() const& noexcept { return files_; }         ///< in the order of their names
  [[nodiscard]] std::span<const std::string> file_names() const& noexcept { return names_; }  ///< the same, as the source knows them
  void tensors() const&& = delete;
  void files() const&& = delete;
  void file_names() const&& = delete;
  [[nodiscard]] const FileBytes& file_of(const StoredTensor& tensor) const noexcept { return files_[tensor.file]; }

  /// How messages name the whole: the file, or the index of its shards.
  [[nodiscard]] const std::string& label() const noexcept { return label_; }

 private:
  std::map<std::string, StoredTensor, std::less<>> tensors_;
  std::vector<FileBytes> files_;
  std::vector<std::string> names_;
  std::string label_;
};

}  // namespace inlay::model
