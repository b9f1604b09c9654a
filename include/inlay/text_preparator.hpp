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
// A function or class becomes its name, its docstring and its source, each from a line of its own on; what is empty is left out:
//
//   [LANGUAGE] File: file_name Function: class_name.name     by the same switches; or Class: name
//   docstring                                                as it is
//   source_code                                              as it is, also where it has the docstring in it once more
//
//   Function{.name = "login", .docstring = "Checks a password.", .source_code = "def login(self): ...", .language = "python",
//            .class_name = "AuthManager"}
//     -> "[PYTHON] Function: AuthManager.login\nChecks a password.\ndef login(self): ..."
//
// What says most stands first, so that a model that sees only the beginning of a long function has seen its name and docstring.
//
// A query becomes its type's prefix followed by the text; see query_prefix. The prompts that a model's own files ask for ("query: ",
// "passage: ") are not applied here: the generator puts them in front of whatever the preparator returns.
//
// A TextPreparator is immutable plain data: share it between threads freely. Where another format is wanted, EmbeddingGenerator takes any
// callable `std::string(const Document&)` in its place (DocumentPreparator).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "inlay/code_items.hpp"
#include "inlay/document.hpp"

namespace inlay {

class TokenCounter;  // text_splitter.hpp

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

/// Which parts of a document's context are put before its content, of a function's or class's before its docstring and source.
struct TextParts {
  bool file_type = true;
  bool language = true;
  bool file_name = false;
  bool function_name = true;
  bool class_name = true;  ///< used only where there is no function name, or where function_name is off; and before a method's name
};

/// A text cut to a number of tokens.
struct PreparedText {
  std::string text{};
  std::size_t tokens = 0;       ///< of the text, special tokens included
  std::size_t tokens_seen = 0;  ///< how many the whole text has, special tokens included

  [[nodiscard]] bool truncated() const noexcept { return tokens < tokens_seen; }
};

class TextPreparator {
 public:
  TextPreparator() = default;
  explicit TextPreparator(TextParts parts) : parts_(parts) {}

  [[nodiscard]] std::string prepare_document(const Document& document) const {
    const Metadata& data = document.metadata;
    std::string text;
    text.reserve(document.content.size() + 64);
    if (parts_.file_type && !data.file_type.empty()) append(text, "[", upper_case(data.file_type), "]");
    if (parts_.language && !data.language.empty()) append(text, "[", upper_case(data.language), "]");
    if (parts_.file_name && !data.file_name.empty()) append(text, "File: ", data.file_name);
    if (parts_.function_name && !data.function_name.empty()) {
      append(text, "Function: ", data.function_name);
    } else if (parts_.class_name && !data.class_name.empty()) {
      append(text, "Class: ", data.class_name);
    }
    if (!document.content.empty()) append(text, "", document.content);
    return text;
  }

  [[nodiscard]] std::string prepare_function(const Function& function) const {
    std::string context = code_context(function.file_path, function.language);
    const std::string_view class_name = parts_.class_name ? std::string_view(function.class_name) : std::string_view();
    if (parts_.function_name && !function.name.empty()) {
      append(context, "Function: ", class_name, class_name.empty() ? "" : ".");
      context += function.name;
    } else if (!class_name.empty()) {
      append(context, "Class: ", class_name);
    }
    return join_lines(std::move(context), function.docstring, function.source_code);
  }

  [[nodiscard]] std::string prepare_class(const Class& definition) const {
    std::string context = code_context(definition.file_path, definition.language);
    if (parts_.class_name && !definition.name.empty()) append(context, "Class: ", definition.name);
    return join_lines(std::move(context), definition.docstring, definition.source_code);
  }

  /// The same, cut at its end to at most max_tokens tokens, special ones included (0: the counter's max_tokens). The cut is at a line's
  /// end where that leaves at least half of what would fit, else before white space where that does, else between characters, never inside
  /// a UTF-8 sequence. So a body is cut before a docstring is, and that before the name. Throws Error (invalid_argument) when max_tokens
  /// leaves no room beside the special tokens, and what the counter throws.
  [[nodiscard]] PreparedText prepare_function(const Function& function, const TokenCounter& counter, std::size_t max_tokens = 0) const;
  [[nodiscard]] PreparedText prepare_class(const Class& definition, const TokenCounter& counter, std::size_t max_tokens = 0) const;

  [[nodiscard]] static std::string prepare_query(std::string_view text, QueryType type) {
    return std::string(query_prefix(type)).append(text);
  }

  [[nodiscard]] std::string operator()(const Document& document) const { return prepare_document(document); }

 private:
  // A part behind a space.
  static void append(std::string& text, std::string_view label, std::string_view value, std::string_view end = {}) {
    if (!text.empty()) text += ' ';
    text.append(label).append(value).append(end);
  }

  [[nodiscard]] std::string code_context(std::string_view file_path, const std::string& language) const {
    std::string context;
    const std::string_view file_name = file_path.substr(file_path.find_last_of("/\\") + 1);
    if (parts_.language && !language.empty()) append(context, "[", upper_case(language), "]");
    if (parts_.file_name && !file_name.empty()) append(context, "File: ", file_name);
    return context;
  }

  static std::string join_lines(std::string text, std::string_view docstring, std::string_view source_code) {
    text.reserve(text.size() + docstring.size() + source_code.size() + 2);
    for (const std::string_view part : {docstring, source_code}) {
      if (!text.empty() && !part.empty()) text += '\n';
      text += part;
    }
    return text;
  }

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
