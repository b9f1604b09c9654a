#include "store/document_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "inlay/error.hpp"
#include "model/json.hpp"

namespace inlay::store {
namespace {

constexpr std::array<std::pair<std::string_view, std::string Metadata::*>, 6> text_fields = {{{"file_path", &Metadata::file_path},
                                                                                              {"file_name", &Metadata::file_name},
                                                                                              {"file_type", &Metadata::file_type},
                                                                                              {"language", &Metadata::language},
                                                                                              {"function_name", &Metadata::function_name},
                                                                                              {"class_name", &Metadata::class_name}}};

bool is_reserved(std::string_view name) {
  return name == "content" || name == "line_number" || name == "extra" || name == "key" ||
         std::ranges::any_of(text_fields, [name](const auto& field) { return field.first == name; });
}

constexpr std::string_view space = " \t\r\n";

std::size_t string_end(std::string_view text, std::size_t quote) {
  for (std::size_t end = text.find('"', quote + 1); end != std::string_view::npos; end = text.find('"', end + 1)) {
    std::size_t backslashes = 0;
    while (text[end - 1 - backslashes] == '\\') ++backslashes;  // the opening quote ends them
    if (backslashes % 2 == 0) return end + 1;
  }
  return text.size();
}

// Of the value that the text begins with, as far as its brackets and quotes go.
std::size_t value_length(std::string_view text) {
  if (text.starts_with('"')) return string_end(text, 0);
  if (!text.starts_with('[') && !text.starts_with('{')) return std::min(text.find_first_of(" \t\r\n,:]}"), text.size());
  std::size_t depth = 0;
  std::size_t position = 0;
  do {
    position = text.find_first_of("\"[]{}", position);
    if (position == std::string_view::npos) return text.size();
    const char found = text[position];
    if (found == '"') {
      position = string_end(text, position);
      continue;
    }
    depth = found == '[' || found == '{' ? depth + 1 : depth - 1;
    ++position;
  } while (depth > 0);
  return position;
}

// The texts of the values in an array or object, in order (of an object: name, value, name, value, …). simdjson keeps no text; this goes
// beside it, over JSON that it has found valid.
class ValueTexts {
 public:
  explicit ValueTexts(std::string_view container) : rest_(container) { rest_.remove_prefix(container.find_first_of("[{") + 1); }

  std::string_view next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n,:"), rest_.size()));
    const std::string_view value = rest_.substr(0, value_length(rest_));
    rest_.remove_prefix(value.size());
    return value;
  }

 private:
  std::string_view rest_;
};

// The texts of an array's elements. It sees to what lies between them; each is for simdjson to judge.
class ElementTexts {
 public:
  /// `text` begins with '['.
  ElementTexts(std::string_view text, std::string_view label) : rest_(text), label_(label) { skip(1); }

  /// Nothing at the array's end, behind which there is nothing else.
  std::optional<std::string_view> next() {
    if (rest_.empty()) fail("it ends in the middle of the array");
    if (rest_.starts_with(']')) {
      if (rest_.size() > 1) fail("there is more behind the array");
      return std::nullopt;
    }
    if (!first_ && !rest_.starts_with(',')) fail("there is neither a comma nor the end of the array behind an element");
    if (!first_) skip(1);
    first_ = false;
    const std::string_view value = rest_.substr(0, value_length(rest_));
    skip(value.size());
    return value;
  }

 private:
  [[noreturn]] void fail(std::string_view reason) const {
    throw Error(Status::invalid_data, fmt::format("{} is not valid JSON: {}", label_, reason));
  }
  void skip(std::size_t length) {
    rest_.remove_prefix(length);
    rest_.remove_prefix(std::min(rest_.find_first_not_of(space), rest_.size()));
  }

  std::string_view rest_;
  std::string_view label_;
  bool first_ = true;
};

MetadataValue to_value(simdjson::dom::element value, std::string_view text) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::ARRAY:
    case element_type::OBJECT:
    case element_type::UINT64: return JsonText{std::string(text)};
    case element_type::INT64: return value.get_int64().value_unsafe();
    case element_type::DOUBLE: return value.get_double().value_unsafe();
    case element_type::STRING: return std::string(value.get_string().value_unsafe());
    case element_type::BOOL: return value.get_bool().value_unsafe();
    default: return nullptr;
  }
}

JsonItem to_item(std::string name, simdjson::dom::element value, std::string_view text) {
  simdjson::dom::object object;
  if (value.get(object)) return {std::move(name), to_value(value, text)};
  JsonFields fields;
  ValueTexts texts(text);
  for (const auto [key, member] : object) {
    texts.next();  // the key
    fields.emplace_back(std::string(key), to_value(member, texts.next()));
  }
  return {std::move(name), std::move(fields)};
}

std::string_view trimmed(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  return text.substr(0, text.find_last_not_of(space) + 1);
}

void append_string(std::string& json, std::string_view text) {
  json += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_value(std::string& json, const std::string& name, const MetadataValue& value) {
  if (const auto* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number)) {
    throw Error(Status::invalid_argument, fmt::format("the extra field \"{}\" is {}, which JSON cannot hold", name, *number));
  }
  if (const auto* text = std::get_if<JsonText>(&value)) {
    const model::JsonDocument valid(text->text, fmt::format("the extra field \"{}\"", name), Status::invalid_argument);
    json += text->text;
    return;
  }
  if (const auto* text = std::get_if<std::string>(&value)) return append_string(json, *text);
  nlohmann::json scalar = nullptr;
  if (const auto* flag = std::get_if<bool>(&value)) scalar = *flag;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) scalar = *integer;
  if (const auto* number = std::get_if<double>(&value)) scalar = *number;
  json += scalar.dump();
}

void append_field(std::string& json, const std::string& name, const MetadataValue& value) {
  if (json.back() != '{') json += ", ";
  append_string(json, name);
  json += ": ";
  append_value(json, name, value);
}

std::string take_string(MetadataValue& value, std::string_view name, std::string_view label) {
  auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) throw Error(Status::invalid_data, fmt::format("{}: {} is not a string", label, name));
  return std::move(*text);
}

}  // namespace

JsonItem read_json_value(std::string_view json, std::string_view label) {
  const model::JsonDocument document(json, label, Status::invalid_data);
  return to_item({}, document.root(), trimmed(json));
}

void for_each_json_item(std::string_view json, std::string_view label, const std::function<void(JsonItem)>& visit) {
  const model::JsonDocument document(json, label, Status::invalid_data);
  ValueTexts texts(json);
  simdjson::dom::array array;
  simdjson::dom::object object;
  if (!document.root().get(array)) {
    for (const simdjson::dom::element element : array) visit(to_item({}, element, texts.next()));
  } else if (!document.root().get(object)) {
    for (const auto [key, member] : object) {
      texts.next();
      visit(to_item(std::string(key), member, texts.next()));
    }
  } else {
    throw Error(Status::invalid_data, fmt::format("{} is neither a JSON array nor an object", label));
  }
}

void set_field(Metadata& metadata, std::string name, MetadataValue value) {
  if (auto* text = std::get_if<std::string>(&value)) {
    const auto field = std::ranges::find(text_fields, name, [](const auto& known) { return known.first; });
    if (field != text_fields.end()) {
      metadata.*field->second = std::move(*text);
      return;
    }
  }
  if (const auto* number = std::get_if<std::int64_t>(&value); number != nullptr && name == "line_number") {
    metadata.line_number = *number;
    return;
  }
  metadata.extra.insert_or_assign(std::move(name), std::move(value));
}

void append_row(std::string& json, const Document& document, std::string_view key) {
  const Metadata& metadata = document.metadata;
  json += "{\"content\": ";
  append_string(json, document.content);
  for (const auto& [name, member] : text_fields) {
    if (!(metadata.*member).empty()) append_field(json, std::string(name), metadata.*member);
  }
  if (metadata.line_number != 0) append_field(json, "line_number", metadata.line_number);
  bool collisions = false;
  for (const auto& [name, value] : metadata.extra) {
    if (is_reserved(name)) {
      collisions = true;
    } else {
      append_field(json, name, value);
    }
  }
  if (collisions) {
    json += ", \"extra\": {";
    for (const auto& [name, value] : metadata.extra) {
      if (is_reserved(name)) append_field(json, name, value);
    }
    json += "}";
  }
  if (!key.empty()) append_field(json, "key", std::string(key));
  json += "}";
}

Row read_row(JsonFields fields, std::string_view label) {
  Row row;
  bool has_content = false;
  for (auto& [name, value] : fields) {
    if (name == "content") {
      row.document.content = take_string(value, name, label);
      has_content = true;
    } else if (name == "key") {
      row.key = take_string(value, name, label);
    } else if (name == "extra") {
      const auto* object = std::get_if<JsonText>(&value);
      if (object == nullptr || !object->text.starts_with('{'))
        throw Error(Status::invalid_data, fmt::format("{}: extra is not an object", label));
      JsonItem nested = read_json_value(object->text, label);
      for (auto& [extra_name, extra_value] : std::get<JsonFields>(nested.value)) {
        row.document.metadata.extra.insert_or_assign(std::move(extra_name), std::move(extra_value));
      }
    } else if (name == "line_number" && !std::holds_alternative<std::int64_t>(value)) {
      throw Error(Status::invalid_data, fmt::format("{}: line_number is not an integer", label));
    } else if (is_reserved(name) && name != "line_number") {
      set_field(row.document.metadata, name, take_string(value, name, label));
    } else {
      set_field(row.document.metadata, std::move(name), std::move(value));
    }
  }
  if (!has_content) throw Error(Status::invalid_data, fmt::format("{} has no content", label));
  return row;
}

void for_each_row(const platform::MappedFile& file, std::string_view label, const std::function<void(Row, std::string_view text)>& visit) {
  constexpr std::size_t dropped_at_a_time = std::size_t{16} << 20;
  const std::string_view json = trimmed(file.bytes());
  if (json.empty()) throw Error(Status::invalid_data, fmt::format("{} is not valid JSON: it is empty", label));
  if (!json.starts_with('[')) throw Error(Status::invalid_data, fmt::format("{} is not an array of rows", label));
  ElementTexts elements(json, label);
  simdjson::dom::parser parser;
  std::string padded;
  std::size_t dropped = 0;
  for (std::size_t number = 0; const auto text = elements.next(); ++number) {
    const std::string row_label = fmt::format("{}, row {}", label, number);
    padded.reserve(text->size() + simdjson::SIMDJSON_PADDING);
    padded = *text;
    simdjson::dom::element element;
    if (const auto error = parser.parse(padded.data(), padded.size(), false).get(element))
      model::throw_json_error(error, row_label, Status::invalid_data);
    JsonItem item = to_item({}, element, padded);
    auto* fields = std::get_if<JsonFields>(&item.value);
    if (fields == nullptr) throw Error(Status::invalid_data, fmt::format("{} is not an object", row_label));
    visit(read_row(std::move(*fields), row_label), *text);
    const auto done = static_cast<std::size_t>(text->data() + text->size() - file.bytes().data());
    if (done - dropped < dropped_at_a_time) continue;
    file.drop(file.bytes().substr(dropped, done - dropped));
    dropped = done;
  }
}

}  // namespace inlay::store
