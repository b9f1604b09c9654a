// Source code for people: numbered lines, in colours on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace inlay::cli {

/// Lines [begin, end] of `source`, whose first line has the number `first_line`, each with its number in front; of empty ones that follow
/// one another the first. At most `most_lines` are shown, and how many more there are. `colours`: as a terminal shows them.
struct SourceView {
  std::string_view source{};
  std::string_view language{};
  std::string_view file_name{};
  std::int64_t first_line = 1;
  std::int64_t begin = 1;
  std::int64_t end = 1;
  std::int64_t most_lines = std::numeric_limits<std::int64_t>::max();
  bool colours = false;
};

[[nodiscard]] std::string show_source(const SourceView& view);

/// Whether standard output is a terminal that shows colours (NO_COLOR is not set, TERM is not "dumb").
[[nodiscard]] bool has_colours();

}  // namespace inlay::cli
