#include "model/tensor_files.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "inlay/error.hpp"
#include "model/file_errors.hpp"
#include "model/hub/names.hpp"
#include "model/json.hpp"
#include "model/safetensors.hpp"
#include "model/torch_file.hpp"

namespace inlay::model {
namespace {

using Tensors = std::map<std::string, TensorView, std::less<>>;

struct Form {
  std::string_view file;
  Tensors (*read)(std::string_view bytes, const std::string& label);
};
constexpr std::array<Form, 2> forms = {
    {{"model.safetensors", [](std::string_view bytes, const std::string& label) { return Safetensors(bytes, label).tensors(); }},
     {"pytorch_model.bin", [](std::string_view bytes, const std::string& label) { return TorchFile(bytes, label).tensors(); }}}};

[[noreturn]] void refuse(const std::string& label, const std::string& reason) {
  throw Error(Status::invalid_model, fmt::format("{}: {}", label, one_line(reason)));
}

// {"metadata": ..., "weight_map": {tensor: shard}} as shard to the tensors that it has.
std::map<std::string, std::vector<std::string>> read_index(const FileBytes& file) {
  const JsonDocument document(file.bytes, file.label);
  simdjson::dom::object map;
  if (document.root()["weight_map"].get(map)) refuse(file.label, "it has no weight_map, an object");
  std::map<std::string, std::vector<std::string>> shards;
  std::map<std::string_view, std::string_view> shard_of;
  for (const auto& [tensor, value] : map) {
    std::string_view shard;
    if (value.get(shard)) refuse(file.label, fmt::format("the file of tensor {} is not a string", tensor));
    if (!hub::is_safe_path(shard))
      refuse(file.label, fmt::format("the file \"{}\" of tensor {} leads out of the model's folder", shard, tensor));
    if (const auto [place, inserted] = shard_of.emplace(tensor, shard); !inserted) {
      refuse(file.label, fmt::format("tensor {} is there twice, in {} and {}", tensor, place->second, shard));
    }
    shards[std::string(shard)].emplace_back(tensor);
  }
  return shards;
}

}  // namespace

TensorFiles TensorFiles::open(const ModelSource& source) {
  TensorFiles result;
  const auto add_file = [&](std::string_view name) -> const FileBytes& {
    result.names_.emplace_back(name);
    return result.files_.emplace_back(source.read(name));
  };
  for (const Form& form : forms) {
    if (source.has(form.file)) {
      const FileBytes& file = add_file(form.file);
      result.label_ = file.label;
      for (auto& [tensor, view] : form.read(file.bytes, file.label)) result.tensors_.emplace(tensor, StoredTensor{view, 0});
      return result;
    }
    const std::string index = std::string(form.file) + ".index.json";
    if (!source.has(index)) continue;
    result.label_ = source.label(index);
    for (const auto& [shard, names] : read_index(source.read(index))) {
      if (!source.has(shard)) {
        throw Error(Status::not_found, fmt::format("{}: its file {} is missing, which has tensor {}", result.label_, source.label(shard),
                                                   one_line(names.front())));
      }
      const FileBytes& file = add_file(shard);
      Tensors tensors = form.read(file.bytes, file.label);
      for (const std::string& tensor : names) {
        const auto found = tensors.find(tensor);
        if (found == tensors.end()) {
          refuse(file.label, fmt::format("tensor {} is missing, which {} says to be there", tensor, result.label_));
        }
        result.tensors_.emplace(tensor, StoredTensor{std::move(found->second), result.files_.size() - 1});
      }
    }
    return result;
  }
  throw Error(Status::not_found, fmt::format("no weights in the model: {} is missing, and so are its shards' index and pytorch_model.bin",
                                             source.label(forms.front().file)));
}

const StoredTensor* TensorFiles::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::string TensorFiles::prefix_of(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& [tensor, _] : tensors_) {
    if (!tensor.ends_with(name) || (tensor.size() > name.size() && tensor[tensor.size() - name.size() - 1] != '.')) continue;
    if (found != nullptr) {
      refuse(label_, fmt::format("it has several models: both {} and {} are there, and only one can be loaded", *found, tensor));
    }
    found = &tensor;
  }
  return found == nullptr ? std::string() : found->substr(0, found->size() - name.size());
}

}  // namespace inlay::model
