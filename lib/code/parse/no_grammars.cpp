// CodeParser of a library that was built without grammars.
#include "inlay/code_parser.hpp"
#include "inlay/error.hpp"
#include "inlay/source_tokens.hpp"

namespace inlay {
namespace {

[[noreturn]] void fail() { throw Error(Status::unsupported, "this library was built without parsing of source code (INLAY_LANGUAGES)"); }

}  // namespace

ParsedFile CodeParser::parse(std::string_view, std::string_view, std::string) const { fail(); }
ParsedFile CodeParser::parse_file(const std::filesystem::path&) const { fail(); }
void CodeParser::parse_folder(const std::filesystem::path&, const std::function<void(ParsedFile&&)>&, const ParseFolderOptions&) const {
  fail();
}

const std::vector<std::string>& CodeParser::languages() {
  static const std::vector<std::string> none;
  return none;
}

ParsedFile parse_file(const std::filesystem::path&) { fail(); }

std::vector<SourceToken> find_source_tokens(std::string_view, std::string_view, std::string_view) { return {}; }

}  // namespace inlay
