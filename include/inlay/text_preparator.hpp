// TextPreparator: from a Document or a query to the text that the model sees.
//
// A document becomes its parts, in this order, joined by one space each; a part whose field is empty, or which is switched off, is left
// out:
//
//   [FILE_TYPE]            metadata.file_type, ASCII letters in upper case, in brackets
//   [LANGUAGE]             metadata.language, likewise
//   File: file_name        off by default
//   Function: name         metadata.function_name; or, where there is no function name,
//   Class: name            metadata.class_name
//   content                as it is
//
//   Document{"def login(user): ...", {.file_type = "python", .language = "python", .function_name = "login"}}
//     -> "[PYTHON] [PYTHON] Function: login def login(user): ..."
//
// A query becomes its type's prefix followed by the text; see query_prefix. The prompts that a model's own files ask for ("query: ",
// "passage: ") are not applied here: the generator puts them in front of whatever the preparator returns.
//
// A TextPreparator is immutable plain data: share it between threads freely. Where another format is wanted, EmbeddingGenerator takes any
// callable `std::string(const Document&)` in its place (DocumentPreparator).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "inlay/document.hpp"

namespace inlay {

/// What a query is about. The numbers are those of the C ABI.
enum class QueryType : std::int32_t { general = 0, code_search = 1, error_analysis = 2, documentation = 3 };

/// What stands before a query of this type: "" (general), "Code search: ", "Error analysis: ", "Documentation: ".
constexpr std::string_view query_prefix(QueryType type) noexcept {
  switch (type) {
    case QueryType::general: return "";
    case QueryType::code_search: return "Code search: ";
    case QueryType::error_analysis: return "Error analysis: ";
    case QueryType::documentation: return "Documentation: ";
  }
  return "";
}

/// Which parts of a document's context are put before its content.
struct TextParts {
  bool file_type = true;
  bool language = true;
  bool file_name = false;
  bool function_name = true;
  bool class_name = true;  ///< used only where there is no function name, or where function_name is off
};

class TextPreparator {
 public:
  TextPreparator() = default;
  explicit TextPreparator(TextParts parts) : parts_(parts) {}

  [[nodiscard]] std::string prepare_document(const Document& document) const {
    const Metadata& data = document.metadata;
    std::string text;
    text.reserve(document.content.size() + 64);
    const auto append = [&text](std::string_view label, std::string_view value, std::string_view end) {
      if (!text.empty()) text += ' ';
      text.append(label).append(value).append(end);
    };
    if (parts_.file_type && !data.file_type.empty()) append("[", upper_case(data.file_type), "]");
    if (parts_.language && !data.language.empty()) append("[", upper_case(data.language), "]");
    if (parts_.file_name && !data.file_name.empty()) append("File: ", data.file_name, "");
    if (parts_.function_name && !data.function_name.empty()) {
      append("Function: ", data.function_name, "");
    } else if (parts_.class_name && !data.class_name.empty()) {
      append("Class: ", data.class_name, "");
    }
    if (!document.content.empty()) append("", document.content, "");
    return text;
  }

  [[nodiscard]] static std::string prepare_query(std::string_view text, QueryType type) {
    return std::string(query_prefix(type)).append(text);
  }

  [[nodiscard]] std::string operator()(const Document& document) const { return prepare_document(document); }

 private:
  static std::string upper_case(std::string text) {  // ASCII alone: no locale, and other letters stay as they are
    for (char& letter : text) {
      if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    }
    return text;
  }

  TextParts parts_;
};

/// Any callable that turns a Document into text. Called from several threads at once; what it throws fails that document alone.
using DocumentPreparator = std::function<std::string(const Document&)>;

/// The document's content and nothing else.
[[nodiscard]] inline std::string content_only(const Document& document) { return document.content; }

}  // namespace inlay
