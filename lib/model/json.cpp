#include "model/json.hpp"

#include <fmt/format.h>

namespace inlay::model {

void throw_json_error(simdjson::error_code error, std::string_view label, Status status) {
  if (error == simdjson::MEMALLOC) throw Error(Status::out_of_memory, fmt::format("no memory to read {}", label));
  std::string_view reason = simdjson::error_message(error);
  while (reason.ends_with('.')) reason.remove_suffix(1);
  throw Error(status, fmt::format("{} is not valid JSON: {}", label, reason));
}

JsonDocument::JsonDocument(std::string_view text, std::string_view label, Status status) {
  if (text.data() == nullptr) text = "";  // an empty file's mapping; simdjson hands it to memcpy
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const simdjson::error_code error = parser_.parse(text.data(), text.size()).get(root_);  // copies: the text need not be padded
  if (error) throw_json_error(error, label, status);
}

}  // namespace inlay::model
