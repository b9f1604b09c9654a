#include "code/index/code_documents.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <string_view>
#include <utility>
#include <variant>

#include "inlay/error.hpp"
#include "text/identifier_words.hpp"

namespace inlay {
namespace code {
namespace {

constexpr std::string_view kind_field = "kind";
constexpr std::string_view qualified_name_field = "qualified_name";
constexpr std::string_view signature_field = "signature";
constexpr std::string_view docstring_field = "docstring";
constexpr std::string_view line_end_field = "line_end";

void set(Metadata& metadata, std::string_view name, std::string value) {
  if (!value.empty()) metadata.extra.insert_or_assign(std::string(name), std::move(value));
}

std::string text_field(const Metadata& metadata, std::string_view name) {
  const auto field = metadata.extra.find(std::string(name));
  const auto* const text = field == metadata.extra.end() ? nullptr : std::get_if<std::string>(&field->second);
  return text == nullptr ? std::string() : *text;
}

std::int64_t number_field(const Metadata& metadata, std::string_view name) {
  const auto field = metadata.extra.find(std::string(name));
  const auto* const number = field == metadata.extra.end() ? nullptr : std::get_if<std::int64_t>(&field->second);
  return number == nullptr ? 0 : *number;
}

// A file's number is anyone's: one that makes no sense is not known.
std::int64_t line_of(std::int64_t number) {
  constexpr std::int64_t most_lines = std::int64_t{1} << 40;
  return number < 0 || number > most_lines ? 0 : number;
}

// Those that are not empty, each from a line of its own on.
std::string lines(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty() && !part.empty()) text += '\n';
    text += part;
  }
  return text;
}

std::string full_name(const IndexedItem& item) {
  return item.class_name.empty() ? item.name : fmt::format("{}.{}", item.class_name, item.name);
}

// What functions and classes have in common.
template <class Item>
Document common_document(Item item, ItemKind kind) {
  Document document;
  document.content = std::move(item.source_code);
  Metadata& metadata = document.metadata;
  metadata.file_name = item.file_path.substr(item.file_path.find_last_of("/\\") + 1);
  metadata.file_path = std::move(item.file_path);
  metadata.language = std::move(item.language);
  metadata.line_number = item.line_number;
  metadata.extra.emplace(line_end_field, item.range.line_end);
  set(metadata, kind_field, std::string(to_string(kind)));
  set(metadata, qualified_name_field, std::move(item.qualified_name));
  set(metadata, signature_field, std::move(item.signature));
  set(metadata, docstring_field, std::move(item.docstring));
  return document;
}

}  // namespace

std::string without_empty_lines(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char byte : text) {
    if (byte != '\n' || !result.ends_with("\n\n")) result += byte;
  }
  return result;
}

Document to_file_piece(Document piece, std::int64_t line_end) {
  set(piece.metadata, kind_field, std::string(to_string(ItemKind::file)));
  piece.metadata.extra.insert_or_assign(std::string(line_end_field), line_end);
  return piece;
}

IndexedItem to_indexed_item(const Document& document) {
  const Metadata& metadata = document.metadata;
  IndexedItem item{.file_path = metadata.file_path,
                   .line_number = line_of(metadata.line_number),
                   .line_end = line_of(number_field(metadata, line_end_field)),
                   .name = metadata.function_name.empty() ? metadata.class_name : metadata.function_name,
                   .qualified_name = text_field(metadata, qualified_name_field),
                   .language = metadata.language,
                   .signature = text_field(metadata, signature_field),
                   .docstring = text_field(metadata, docstring_field)};
  if (item.line_end < item.line_number) item.line_end = 0;
  const std::string kind = text_field(metadata, kind_field);
  if (kind == to_string(ItemKind::function)) {
    item.kind = ItemKind::function;
    item.class_name = metadata.class_name;
  } else if (kind == to_string(ItemKind::class_)) {
    item.kind = ItemKind::class_;
  }
  return item;
}

}  // namespace code

std::string_view to_string(ItemKind kind) noexcept {
  switch (kind) {
    case ItemKind::function: return "function";
    case ItemKind::class_: return "class";
    case ItemKind::file: return "file";
  }
  return "unknown";
}

ItemKind parse_item_kind(std::string_view name) {
  for (const ItemKind kind : {ItemKind::function, ItemKind::class_, ItemKind::file}) {
    if (to_string(kind) == name) return kind;
  }
  throw Error(Status::invalid_argument, fmt::format("unknown kind of item \"{}\"; known: function, class, file", name));
}

Document code_item_document(Function function) {
  std::string name = std::move(function.name);
  std::string class_name = std::move(function.class_name);
  Document document = code::common_document(std::move(function), ItemKind::function);
  document.metadata.function_name = std::move(name);
  document.metadata.class_name = std::move(class_name);
  return document;
}

Document code_item_document(Class definition) {
  std::string name = std::move(definition.name);
  Document document = code::common_document(std::move(definition), ItemKind::class_);
  document.metadata.class_name = std::move(name);
  return document;
}

DocumentPreparator code_item_preparator(TextPreparator preparator, bool name_words) {
  return [preparator, name_words](const Document& document) {
    const IndexedItem item = code::to_indexed_item(document);
    if (item.kind == ItemKind::file) return preparator.prepare_document({code::without_empty_lines(document.content), document.metadata});
    if (name_words) return code::lines({text::identifier_words(code::full_name(item)), item.docstring, document.content});
    if (item.kind == ItemKind::class_) {
      return preparator.prepare_class({.file_path = item.file_path,
                                       .name = item.name,
                                       .docstring = item.docstring,
                                       .source_code = document.content,
                                       .language = item.language});
    }
    return preparator.prepare_function({.file_path = item.file_path,
                                        .name = item.name,
                                        .docstring = item.docstring,
                                        .source_code = document.content,
                                        .language = item.language,
                                        .class_name = item.class_name});
  };
}

}  // namespace inlay
