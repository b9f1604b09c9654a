// Documents as JSON: the rows of a set's metadata.json, and the records of a JSON corpus.
//
// A row is one object: content, then those fields of Metadata that are known, then the extra fields under their own names, and key. An
// extra field whose name is one of those (content, file_path, file_name, file_type, language, function_name, class_name, line_number,
// extra, key) stands in an object named "extra" instead, so that neither hides the other.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "inlay/document.hpp"
#include "platform/files.hpp"

namespace inlay::store {

/// A JSON object's fields in their order; nested values, and integers that need an unsigned type, are JsonText, verbatim.
using JsonFields = std::vector<std::pair<std::string, MetadataValue>>;

/// An element of a JSON array, or a member of a JSON object and its name.
struct JsonItem {
  std::string name{};
  std::variant<MetadataValue, JsonFields> value{};
};

/// Reads one value. Throws Error (invalid_data) with `label` in front.
[[nodiscard]] JsonItem read_json_value(std::string_view json, std::string_view label);

/// Calls visit with each element of the array, or each member of the object, that the text is. Throws Error (invalid_data) naming `label`,
/// also for a text that is neither.
void for_each_json_item(std::string_view json, std::string_view label, const std::function<void(JsonItem)>& visit);

/// Puts a field where it belongs: into the member of that name when the value has its type, into extra otherwise.
void set_field(Metadata& metadata, std::string name, MetadataValue value);

/// Appends a row. Throws Error (invalid_argument) naming the field for a number that JSON cannot hold and for a JsonText that is not JSON.
void append_row(std::string& json, const Document& document, std::string_view key);

struct Row {
  Document document;
  std::string key;
};

/// The inverse. Throws Error (invalid_data) for a row without content and for fields of a wrong type, naming `label`.
[[nodiscard]] Row read_row(JsonFields fields, std::string_view label);

/// Calls visit with each row of an array of rows, one held at a time, and none of the file longer than it is needed; with it its text, which
/// lies in the mapping. Throws Error (invalid_data) naming `label` and the row.
void for_each_row(const platform::MappedFile& file, std::string_view label, const std::function<void(Row, std::string_view text)>& visit);

}  // namespace inlay::store
