// How a document is called in caches and stores, for people.
#pragma once

#include <fmt/format.h>

#include <string>

#include "inlay/document.hpp"

namespace inlay::store {

/// "src/auth.py:12"; empty where file or line is not known: a file alone would be the label of all that is in it.
[[nodiscard]] inline std::string label_of(const Metadata& metadata) {
  return metadata.line_number == 0 || metadata.file_path.empty() ? std::string() : fmt::format("{}:{}", metadata.file_path, metadata.line_number);
}

/// Of the function or class.
[[nodiscard]] inline const std::string& name_of(const Metadata& metadata) {
  return metadata.function_name.empty() ? metadata.class_name : metadata.function_name;
}

}  // namespace inlay::store
