// ModelInfo as JSON: a set's model_info.json.
#pragma once

#include <string>
#include <string_view>

#include "inlay/generator.hpp"

namespace inlay::store {

struct ModelRecord {
  ModelInfo model;
  LongTextOptions long_text;
  std::string created;
};

[[nodiscard]] std::string write_model_record(const ModelRecord& record);

/// Throws Error (invalid_data) naming `label` and the field that is missing or has another type. Unknown fields are passed over.
[[nodiscard]] ModelRecord read_model_record(std::string_view json, std::string_view label);

}  // namespace inlay::store
