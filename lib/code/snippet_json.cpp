#include "code/snippet_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "store/cache/json_entry.hpp"

namespace inlay::code {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

std::optional<element> field(object record, std::string_view name) {
  element value;
  if (record.at_key(name).get(value) || value.is_null()) return std::nullopt;
  return value;
}

std::string text_field(object record, std::string_view name) {
  const auto value = field(record, name);
  if (!value) return {};
  std::string_view text;
  if (!value->get(text)) return std::string(text);
  if (value->is_number()) return simdjson::minify(*value);  // an id
  throw BadSnippet{fmt::format("its {} is not a string", name)};
}

std::string code_field(object record, CodeText code_text) {
  const auto value = field(record, "code_text");
  std::string_view text;
  if (!value && code_text == CodeText::required) throw BadSnippet{"it has no code_text"};
  if (value && value->get(text)) throw BadSnippet{"its code_text is not a string"};
  if (is_blank(text) && code_text == CodeText::required) throw BadSnippet{"its code_text is empty"};
  return std::string(text);
}

void read_lines(object record, Snippet& snippet) {
  const auto value = field(record, "line_numbers");
  if (!value) {
    snippet.line_begin = 1;
    snippet.line_end = std::max<std::int64_t>(1, count_lines(snippet.code_text));
    return;
  }
  array lines;
  const bool is_range =
      !value->get(lines) && lines.size() == 2 && !lines.at(0).get(snippet.line_begin) && !lines.at(1).get(snippet.line_end);
  if (!is_range || snippet.line_begin < 1 || snippet.line_end < snippet.line_begin) {
    throw BadSnippet{"its line_numbers are not [first, last], counted from 1"};
  }
}

void check_line_count(object record) {
  std::int64_t lines = 0;
  if (const auto value = field(record, "num_lines"); value && (value->get(lines) || lines < 0)) {
    throw BadSnippet{"its num_lines is not a number of lines"};
  }
}

bool flag_field(object record, std::string_view name) {
  bool flag = false;
  if (const auto value = field(record, name); value && value->get(flag)) throw BadSnippet{fmt::format("its {} is not true or false", name)};
  return flag;
}

}  // namespace

Snippet read_snippet(object record, CodeText code_text) {
  Snippet snippet{.paper_id = text_field(record, "paper_id"),
                  .paper_title = text_field(record, "paper_title"),
                  .paper_abstract = text_field(record, "paper_abstract"),
                  .paper_url = text_field(record, "paper_url"),
                  .repo_name = text_field(record, "repo_name"),
                  .repo_url = text_field(record, "repo_url"),
                  .file_path = text_field(record, "file_path"),
                  .function_name = text_field(record, "function_name"),
                  .code_text = code_field(record, code_text),
                  .has_docstring = flag_field(record, "has_docstring")};
  read_lines(record, snippet);
  check_line_count(record);
  return snippet;
}

std::string without_embedding(object record) {
  std::string text = "{";
  for (const auto [name, value] : record) {
    if (name == "embedding") continue;
    if (text.size() > 1) text += ',';
    store::append_json_string(text, name);
    text.append(":").append(simdjson::minify(value));
  }
  return text + "}";
}

std::string metadata_row(const Snippet& snippet, std::size_t index, std::size_t tokens, bool truncated) {
  const nlohmann::ordered_json row = {{"index", index},
                                      {"paper_id", snippet.paper_id},
                                      {"paper_title", snippet.paper_title},
                                      {"paper_url", snippet.paper_url},
                                      {"repo_name", snippet.repo_name},
                                      {"repo_url", snippet.repo_url},
                                      {"file_path", snippet.file_path},
                                      {"function_name", snippet.function_name},
                                      {"line_numbers", {snippet.line_begin, snippet.line_end}},
                                      {"has_docstring", snippet.has_docstring},
                                      {"num_lines", snippet.num_lines()},
                                      {"code_text", snippet.code_text},
                                      {"tokens", tokens},
                                      {"truncated", truncated}};
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos; }

std::int64_t count_lines(std::string_view text) noexcept {
  return std::ranges::count(text, '\n') + (text.empty() || text.ends_with('\n') ? 0 : 1);
}

}  // namespace inlay::code
