#include "model/model_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/hub/cache.hpp"

namespace inlay::model {

ModelSource ModelSource::from_folder(std::filesystem::path folder) {
  std::error_code error;
  const auto status = std::filesystem::status(folder, error);
  if (!std::filesystem::exists(status)) throw Error(Status::not_found, fmt::format("no model folder {}", folder.string()));
  if (!std::filesystem::is_directory(status)) throw Error(Status::not_found, fmt::format("{} is not a model folder", folder.string()));
  ModelSource source;
  source.folder_ = std::move(folder);
  const auto canonical = std::filesystem::weakly_canonical(source.folder_, error);
  const auto& place = error ? source.folder_ : canonical;
  source.name_ = hub::name_of_snapshot(place).value_or(place.filename().string());
  return source;
}

ModelSource ModelSource::from_memory(std::span<const ModelFile> files, std::string name) {
  ModelSource source;
  source.name_ = std::move(name);
  for (const ModelFile& file : files) {
    if (file.bytes.data() == nullptr && !file.bytes.empty()) {
      throw Error(Status::invalid_argument, fmt::format("model file {} has no bytes", file.name));
    }
    if (source.has(file.name)) throw Error(Status::invalid_argument, fmt::format("model file {} is given twice", file.name));
    source.files_.push_back(file);
  }
  return source;
}

ModelSource ModelSource::below(std::string_view folder) const {
  ModelSource source = *this;
  source.below_ += folder;
  if (!source.below_.empty() && !source.below_.ends_with('/')) source.below_ += '/';
  return source;
}

bool ModelSource::has(std::string_view name) const {
  const std::string file = path(name);
  if (folder_.empty()) return std::ranges::find(files_, file, &ModelFile::name) != files_.end();
  std::error_code error;
  return std::filesystem::exists(folder_ / file, error);
}

FileBytes ModelSource::read(std::string_view name) const {
  if (!folder_.empty()) {
    auto mapping = std::make_shared<const platform::MappedFile>(folder_ / path(name));
    return {mapping->bytes(), label(name), mapping};
  }
  const auto file = std::ranges::find(files_, path(name), &ModelFile::name);
  if (file == files_.end()) throw Error(Status::not_found, fmt::format("{} is missing", label(name)));
  return {{reinterpret_cast<const char*>(file->bytes.data()), file->bytes.size()}, label(name), nullptr};
}

std::string ModelSource::path(std::string_view file) const { return below_ + std::string(file); }

std::string ModelSource::label(std::string_view file) const {
  return folder_.empty() ? fmt::format("{}:{}", name_, path(file)) : (folder_ / path(file)).string();
}

}  // namespace inlay::model
