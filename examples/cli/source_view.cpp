#include "source_view.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "inlay/source_tokens.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

constexpr std::size_t longest_line = 400;  // bytes of it that are shown
constexpr std::string_view plain = "\033[0m";
constexpr std::string_view dim = "\033[2m";

std::string_view colour(TokenClass kind) {
  switch (kind) {
    case TokenClass::comment: return "\033[90m";
    case TokenClass::string: return "\033[32m";
    case TokenClass::number: return "\033[36m";
    case TokenClass::keyword: return "\033[35m";
    case TokenClass::type: return "\033[33m";
  }
  return "";
}

// A tab is four columns wide here; other control characters are spaces (a terminal would obey them).
std::string shown(std::string_view text) {
  std::string result;
  for (const char byte : text) byte == '\t' ? result += "    " : result += byte;
  return printable(result);
}

// Where what is shown of a line ends: between two characters.
std::size_t cut_line(std::string_view source, std::size_t begin, std::size_t end) {
  if (end - begin <= longest_line) return end;
  end = begin + longest_line;
  while (end > begin && (static_cast<unsigned char>(source[end]) & 0xC0U) == 0x80U) --end;
  return end;
}

// Part of a line, in the colours of the tokens that it has.
std::string painted(std::string_view source, std::size_t begin, std::size_t end, const std::vector<SourceToken>& tokens) {
  std::string line;
  auto token = std::ranges::partition_point(tokens, [begin](const SourceToken& each) { return each.end <= begin; });
  while (begin < end) {
    if (token == tokens.end() || token->begin >= end) return line + shown(source.substr(begin, end - begin));
    if (token->begin > begin) line += shown(source.substr(begin, token->begin - begin));
    const std::size_t from = std::max(begin, token->begin);
    const std::size_t to = std::min(end, token->end);
    line.append(colour(token->kind)).append(shown(source.substr(from, to - from))).append(plain);
    begin = to;
    ++token;
  }
  return line;
}

}  // namespace

std::string show_source(const SourceView& view) {
  const std::vector<SourceToken> tokens =
      view.colours ? find_source_tokens(view.source, view.language, view.file_name) : std::vector<SourceToken>();
  const std::size_t width = std::to_string(view.end).size();
  std::string text;
  std::int64_t number = view.first_line;
  std::int64_t shown_lines = 0;
  std::int64_t left_out = 0;
  bool after_empty = false;
  for (std::size_t begin = 0; begin < view.source.size() && number <= view.end; ++number) {
    const std::size_t end = std::min(view.source.find('\n', begin), view.source.size());
    const std::size_t visible = end > begin && view.source[end - 1] == '\r' ? end - 1 : end;
    const bool is_empty = visible == begin;
    if (number >= view.begin && !(is_empty && after_empty)) {
      if (shown_lines == view.most_lines) {
        ++left_out;
        begin = end + 1;
        continue;
      }
      ++shown_lines;
      const std::size_t cut = cut_line(view.source, begin, visible);
      text += fmt::format("  {}{:>{}}{}  {}{}\n", view.colours ? dim : "", number, width, view.colours ? plain : "",
                          painted(view.source, begin, cut, tokens), cut < visible ? " …" : "");
    }
    after_empty = is_empty;
    begin = end + 1;
  }
  if (left_out > 0) text += fmt::format("  … {} more\n", counted(static_cast<std::size_t>(left_out), "line"));
  return text;
}

bool has_colours() {
  const char* const refused = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == '\0') && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

}  // namespace inlay::cli
