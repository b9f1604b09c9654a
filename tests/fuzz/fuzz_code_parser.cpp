// Any bytes as source code, the first of which chooses the language: items whose ranges lie in the source, or a reason why there are none.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "inlay/code_parser.hpp"
#include "text/utf8.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Item>
void check(const Item& item, std::string_view source, bool valid) {
  require(item.range.byte_begin < item.range.byte_end && item.range.byte_end <= source.size());
  require(item.range.line_begin >= 1 && item.range.line_begin <= item.line_number && item.line_number <= item.range.line_end);
  require(!item.name.empty() && item.qualified_name.ends_with(item.name));
  if (valid) require(item.source_code == source.substr(item.range.byte_begin, item.range.byte_end - item.range.byte_begin));
  for (const std::string* text : {&item.name, &item.qualified_name, &item.docstring, &item.signature, &item.source_code}) {
    require(inlay::text::is_valid_utf8(*text));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& languages = inlay::CodeParser::languages();
  const std::string& language = languages[data[0] % languages.size()];
  const std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool valid = inlay::text::is_valid_utf8(source);
  const inlay::ParsedFile file = inlay::CodeParser().parse(source, language, data[0] & 0x80 ? "a.tsx" : "a");
  for (const inlay::Function& function : file.functions) check(function, source, valid);
  for (const inlay::Class& definition : file.classes) check(definition, source, valid);
  require(file.notes.size() <= 10 && (file.skipped.empty() || file.functions.empty()));
  return 0;
}
