// Reading a JSON file of a model or a corpus: simdjson, with errors of ours.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "inlay/error.hpp"

namespace inlay::model {

/// Throws the Error that says why the text is not JSON: `status`, or out_of_memory.
[[noreturn]] void throw_json_error(simdjson::error_code error, std::string_view label, Status status);

/// A parsed document; elements reach into it and live as long as it does.
class JsonDocument {
 public:
  /// Throws Error with `status`, naming `label` and the reason, when the text is not JSON. A UTF-8 byte order mark is allowed.
  JsonDocument(std::string_view text, std::string_view label, Status status = Status::invalid_model);

  [[nodiscard]] simdjson::dom::element root() const noexcept { return root_; }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

}  // namespace inlay::model
