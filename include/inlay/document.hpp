// Document: a text or a piece of code, and what is known about it. Plain data, copied freely.
//
//   inlay::Document document = {"def login(user): ...", {.file_path = "src/auth.py", .language = "python", .function_name = "login"}};
//   document.metadata.extra["author"] = std::string("ada");
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

namespace inlay {

/// A JSON array or object, kept as its own text so that nothing of it is lost.
struct JsonText {
  std::string text;
  friend bool operator==(const JsonText&, const JsonText&) = default;
};

/// What a field of Metadata::extra may hold: the values of JSON.
using MetadataValue = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, JsonText>;

/// All strings are UTF-8; an empty string or a line of 0 means "not known".
struct Metadata {
  std::string file_path{};
  std::string file_name{};
  std::string file_type{};  ///< the kind of file, usually its language or ending: "python", "markdown"
  std::string language{};   ///< the programming language
  std::string function_name{};
  std::string class_name{};
  std::int64_t line_number = 0;  ///< of the first line, counted from 1
  std::map<std::string, MetadataValue> extra{};

  friend bool operator==(const Metadata&, const Metadata&) = default;
};

struct Document {
  std::string content{};
  Metadata metadata{};

  friend bool operator==(const Document&, const Document&) = default;
};

}  // namespace inlay
