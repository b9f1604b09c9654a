// ModelSource: a model's files by name, whether they lie in a folder or in the caller's memory.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/generator.hpp"
#include "platform/files.hpp"

namespace inlay::model {

/// A file's bytes, and what keeps them: the mapping, or nothing where the caller owns them.
struct FileBytes {
  std::string_view bytes;
  std::string label;                                    ///< how messages name the file
  std::shared_ptr<const platform::MappedFile> mapping;  ///< null: the bytes are the caller's and go when load returns
};

class ModelSource {
 public:
  /// Throws Error (not_found) when there is no such folder.
  static ModelSource from_folder(std::filesystem::path folder);
  /// The bytes must outlive the source. Throws Error (invalid_argument) for a name given twice or a null buffer.
  static ModelSource from_memory(std::span<const ModelFile> files, std::string name);

  /// The files of a folder in this source, as a source of their own under the same name. `folder` is relative, with '/'.
  [[nodiscard]] ModelSource below(std::string_view folder) const;

  /// Whether there is such a file. `name` is relative, with '/'.
  [[nodiscard]] bool has(std::string_view name) const;
  /// Throws Error (not_found) naming the file when it isn't there.
  [[nodiscard]] FileBytes read(std::string_view name) const;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }  ///< the hub's name, the folder's last part, or as given
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }  ///< empty for a source in memory
  [[nodiscard]] std::string label(std::string_view file) const;                           ///< how messages name this file
  [[nodiscard]] std::string path(std::string_view file) const;                            ///< relative to the whole model, with '/'

 private:
  std::filesystem::path folder_;
  std::string name_;
  std::string below_;  // the folder inside the model, with its '/'; empty for the model itself
  std::vector<ModelFile> files_;
};

}  // namespace inlay::model
