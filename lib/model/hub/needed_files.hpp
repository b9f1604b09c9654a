// Which of a repository's files make up the model: the configuration, the tokenizer, and one form of the weights.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::model::hub {

using FileList = std::set<std::string, std::less<>>;

/// A file's bytes. Asked for modules.json and the indexes of sharded weights only.
using ReadListed = std::function<std::string(const std::string& file)>;

/// The files of `listed` that loading the model needs: small ones first, weights last. Of the weights the first that is there of
/// model.safetensors, its index with its shards, pytorch_model.bin, its index with its shards. `model` is how messages name it. Throws
/// Error: unsupported where the configuration, the weights or the tokenizer are missing; invalid_model where modules.json or an index makes
/// no sense, names a file that is missing or would lead out of the folder, or a module whose configuration or weights are missing.
[[nodiscard]] std::vector<std::string> needed_files(const FileList& listed, const ReadListed& read, std::string_view model);

}  // namespace inlay::model::hub
