// JsonFields: the members of a JSON object, with errors that name the file, the object and the member.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inlay::tokenize {

class JsonFields {
 public:
  /// `place` names the object in messages: "model", "added_tokens[3]". Throws Error (invalid_model) when the element is not an object.
  JsonFields(simdjson::dom::element element, std::string_view label, std::string place);

  // Each throws Error (invalid_model) when the member is missing or of another type; the optional ones give nothing when it is missing or
  // null.
  [[nodiscard]] simdjson::dom::element element(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::string_view string(std::string_view name) const;
  [[nodiscard]] std::uint64_t size(std::string_view name) const;  ///< an integer, 0 or more
  [[nodiscard]] simdjson::dom::array array(std::string_view name) const;
  [[nodiscard]] JsonFields object(std::string_view name) const;
  [[nodiscard]] std::optional<simdjson::dom::element> optional_element(std::string_view name) const;
  [[nodiscard]] std::optional<bool> optional_boolean(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> optional_string(std::string_view name) const;

  [[nodiscard]] simdjson::dom::object members() const noexcept { return object_; }
  [[nodiscard]] std::string_view label() const noexcept { return label_; }
  /// "path/tokenizer.json: model.vocab"
  [[nodiscard]] std::string where(std::string_view name) const;

 private:
  [[noreturn]] void fail(std::string_view name, std::string_view wanted) const;

  simdjson::dom::object object_;
  std::string_view label_;
  std::string place_;
};

}  // namespace inlay::tokenize
