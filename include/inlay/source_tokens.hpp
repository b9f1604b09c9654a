// What the words of source code are, for showing it in colours.
//
//   for (const inlay::SourceToken& token : inlay::find_source_tokens(source, "python")) paint(token.begin, token.end, token.kind);
//
// Pure functions: call them from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace inlay {

enum class TokenClass : std::int32_t { comment = 0, string = 1, number = 2, keyword = 3, type = 4 };

/// Bytes of the source, the last one excluded.
struct SourceToken {
  TokenClass kind = TokenClass::comment;
  std::size_t begin = 0;
  std::size_t end = 0;

  friend bool operator==(const SourceToken&, const SourceToken&) = default;
};

/// Those of a source or a part of one, as far as it can be parsed, in their order; they do not overlap. None for a language that is not
/// among CodeParser::languages(), and for more than a MiB. `file_name` tells dialects apart, as CodeParser::parse's file_path.
[[nodiscard]] std::vector<SourceToken> find_source_tokens(std::string_view source, std::string_view language,
                                                          std::string_view file_name = {});

}  // namespace inlay
