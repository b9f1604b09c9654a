#include "item_options.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "output.hpp"

namespace inlay::cli {

void ItemOptions::add(CLI::App& command) {
  command.add_option("--path", path, "Only in files that match, as in .gitignore: \"*.py\", \"src/\", \"src/**/test_*.cpp\"")
      ->type_name("GLOB");
  command.add_option("--lang,--language", language, "Only of this language: python, cpp, ...")->type_name("LANGUAGE");
  command.add_option("--kind", kinds, "Only of this kind: function, class or file (what stands outside of them); may be given again")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"function", "class", "file"}))
      ->type_name("KIND");
}

ItemFilter ItemOptions::filter() const {
  ItemFilter filter{.path_glob = path, .language = language};
  for (const std::string& kind : kinds) filter.kinds.push_back(parse_item_kind(kind));
  return filter;
}

std::string place(const IndexedItem& item, std::size_t row) {
  if (item.file_path.empty() && item.line_number == 0) return fmt::format("row {}", row);
  const std::string path = item.file_path.empty() ? "-" : printable(item.file_path);
  return item.line_number == 0 ? path : fmt::format("{}:{}", path, item.line_number);
}

nlohmann::ordered_json to_json(const CodebaseIndex& index, std::size_t row) {
  const IndexedItem& item = index.item(row);
  nlohmann::ordered_json object = {{"row", row}};
  if (item.kind != ItemKind::file || item.line_end != 0) object["kind"] = to_string(item.kind);
  const std::array<std::pair<const char*, const std::string*>, 7> texts = {{{"file_path", &item.file_path},
                                                                            {"language", &item.language},
                                                                            {"name", &item.name},
                                                                            {"qualified_name", &item.qualified_name},
                                                                            {"class_name", &item.class_name},
                                                                            {"signature", &item.signature},
                                                                            {"docstring", &item.docstring}}};
  for (const auto& [name, text] : texts) {
    if (!text->empty()) object[name] = *text;
  }
  if (item.line_number != 0) object["line_number"] = item.line_number;
  if (item.line_end != 0) object["line_end"] = item.line_end;
  object["content"] = index.source_code(row);
  return object;
}

}  // namespace inlay::cli
