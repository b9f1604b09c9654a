#include "tokenize/json_fields.hpp"

#include <fmt/format.h>

#include "inlay/error.hpp"

namespace inlay::tokenize {

JsonFields::JsonFields(simdjson::dom::element element, std::string_view label, std::string place)
    : label_(label), place_(std::move(place)) {
  if (element.get(object_)) {
    throw Error(Status::invalid_model, fmt::format("{}{}{} is not an object", label, place_.empty() ? "" : ": ", place_));
  }
}

std::string JsonFields::where(std::string_view name) const {
  return fmt::format("{}: {}{}{}", label_, place_, place_.empty() ? "" : ".", name);
}

void JsonFields::fail(std::string_view name, std::string_view wanted) const {
  throw Error(Status::invalid_model, fmt::format("{} is not {}", where(name), wanted));
}

simdjson::dom::element JsonFields::element(std::string_view name) const {
  simdjson::dom::element value;
  if (object_.at_key(name).get(value)) throw Error(Status::invalid_model, fmt::format("{} is missing", where(name)));
  return value;
}

bool JsonFields::boolean(std::string_view name) const {
  bool value = false;
  if (element(name).get(value)) fail(name, "true or false");
  return value;
}

std::string_view JsonFields::string(std::string_view name) const {
  std::string_view value;
  if (element(name).get(value)) fail(name, "a string");
  return value;
}

std::uint64_t JsonFields::size(std::string_view name) const {
  std::uint64_t value = 0;
  if (element(name).get(value)) fail(name, "a non-negative integer");
  return value;
}

simdjson::dom::array JsonFields::array(std::string_view name) const {
  simdjson::dom::array value;
  if (element(name).get(value)) fail(name, "an array");
  return value;
}

JsonFields JsonFields::object(std::string_view name) const {
  return {element(name), label_, fmt::format("{}{}{}", place_, place_.empty() ? "" : ".", name)};
}

std::optional<simdjson::dom::element> JsonFields::optional_element(std::string_view name) const {
  simdjson::dom::element value;
  if (object_.at_key(name).get(value) || value.is_null()) return std::nullopt;
  return value;
}

std::optional<bool> JsonFields::optional_boolean(std::string_view name) const {
  if (!optional_element(name)) return std::nullopt;
  return boolean(name);
}

std::optional<std::string_view> JsonFields::optional_string(std::string_view name) const {
  if (!optional_element(name)) return std::nullopt;
  return string(name);
}

}  // namespace inlay::tokenize
