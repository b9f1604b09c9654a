#include "store/cache/json_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "store/cache/checksum.hpp"
#include "store/json_number.hpp"

namespace inlay::store {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::array<std::string_view, 7> our_fields = {"function_name", "name",         "embedding", "timestamp",
                                                        "model_version", "content_hash", "checksum"};

[[noreturn]] void fail(std::string_view what) { throw Error(Status::invalid_data, std::string(what)); }

std::string_view without_stop(std::string_view text) {
  while (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

// A string that may be absent, or null.
std::string text_field(simdjson::dom::object object, std::string_view name) {
  element value;
  if (object.at_key(name).get(value) || value.is_null()) return {};
  std::string_view text;
  if (value.get(text)) fail(fmt::format("its {} is not a string", name));
  return std::string(text);
}

Timestamp time_field(simdjson::dom::object object) {
  element value;
  if (object.at_key("timestamp").get(value) || value.is_null()) return {};
  double seconds = 0;
  if (value.is_number() && !value.get(seconds)) {
    constexpr double most = 1e12;
    return clamped(Timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, most) * 1000))));
  }
  std::string_view text;
  if (value.get(text)) fail("its timestamp is neither a string nor a number");
  return parse_timestamp(text).value_or(Timestamp());
}

std::vector<float> vector_field(simdjson::dom::object object) {
  simdjson::dom::array numbers;
  if (object.at_key("embedding").get(numbers)) fail("its embedding is not an array");
  std::vector<float> vector;
  vector.reserve(numbers.size());
  for (const element value : numbers) {
    double number = 0;
    if (!value.is_number() || value.get(number)) fail("its embedding holds something else than numbers");
    vector.push_back(static_cast<float>(number));
    if (!std::isfinite(vector.back())) fail("its embedding holds a number that is too large");
  }
  if (vector.empty()) fail("its embedding is empty");
  return vector;
}

std::optional<std::uint64_t> checksum_field(simdjson::dom::object object) {
  const std::string text = text_field(object, "checksum");
  if (text.empty()) return std::nullopt;
  std::uint64_t checksum = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), checksum, 16);
  if (error != std::errc() || end != text.data() + text.size()) fail("its checksum is not a hexadecimal number");
  return checksum;
}

void append_field(std::string& json, std::string_view name, std::string_view text) {
  json.append(", \"").append(name).append("\": ");
  append_json_string(json, text);
}

}  // namespace

void JsonEntry::check(std::string_view fingerprint) const {
  if (checksum && *checksum != vector_checksum(fingerprint, key, vector)) fail("its checksum is not that of its vector");
}

simdjson::dom::object JsonEntryReader::parse(std::string_view member, std::string_view& label) {
  text_.reserve(member.size() + 2 + simdjson::SIMDJSON_PADDING);
  text_.assign("{").append(member).append("}");
  simdjson::dom::object whole;
  if (const auto error = parser_.parse(text_.data(), text_.size(), false).get(whole)) {
    fail(fmt::format("it is not JSON: {}", without_stop(simdjson::error_message(error))));
  }
  if (whole.size() != 1) fail("it is not one member of an object");
  const auto [name, value] = *whole.begin();
  label = name;
  simdjson::dom::object fields;
  if (value.get(fields)) fail("it is not an object");
  return fields;
}

JsonEntry JsonEntryReader::read(std::string_view member) {
  std::string_view label;
  const simdjson::dom::object fields = parse(member, label);
  JsonEntry entry;
  entry.label = label;
  entry.key = text_field(fields, "content_hash");
  entry.name = text_field(fields, "function_name");
  if (entry.name.empty()) entry.name = text_field(fields, "name");
  entry.model_version = text_field(fields, "model_version");
  entry.vector = vector_field(fields);
  entry.created = time_field(fields);
  entry.checksum = checksum_field(fields);
  return entry;
}

std::string JsonEntryReader::unknown_fields(std::string_view member) {
  std::string extra;
  try {
    std::string_view label;
    for (const auto [name, value] : parse(member, label)) {
      if (std::ranges::find(our_fields, name) != our_fields.end()) continue;
      extra += ", ";
      append_json_string(extra, name);
      extra += ": ";
      extra += simdjson::minify(value);
    }
  } catch (const Error&) {  // damaged: nothing of it is taken over
    return {};
  }
  return extra;
}

void append_json_string(std::string& json, std::string_view text) {
  json += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_json_entry(std::string& json, std::string_view label, const Pending& entry, std::string_view extra) {
  append_json_string(json, label);
  json += ": {\"function_name\": ";
  append_json_string(json, entry.name);
  json += ", \"embedding\": [";
  for (const float number : entry.vector) {
    append_json_number(json, number);
    json += ", ";
  }
  json.resize(json.size() - 2);
  json += "]";
  append_field(json, "timestamp", to_rfc3339(entry.created));
  append_field(json, "model_version", entry.model->fingerprint);
  append_field(json, "content_hash", entry.key);
  append_field(json, "checksum", fmt::format("{:016x}", vector_checksum(entry.model->fingerprint, entry.key, entry.vector)));
  json.append(extra).append("}");
}

}  // namespace inlay::store
