// Functions and classes cut to a model's length.
#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"
#include "inlay/text_preparator.hpp"
#include "inlay/text_splitter.hpp"
#include "text/graphemes.hpp"

namespace inlay {
namespace {

constexpr std::size_t likely_bytes = 4;  // of a token: what is tried first

// About the longest beginning, ending between characters, that has at most `room` tokens.
std::size_t longest_beginning(std::string_view text, const TokenCounter& counter, std::size_t room) {
  std::size_t low = 0;
  std::size_t high = std::min(text.size(), room * likely_bytes + 1);
  while (high < text.size() && counter(text.substr(0, high)) <= room) {
    low = high;
    high = std::min(text.size(), 2 * high);
  }
  for (;;) {
    const std::size_t middle = text::code_point_begin(text, low + (high - low) / 2);
    if (middle <= low) return low;
    if (counter(text.substr(0, middle)) <= room) {
      low = middle;
    } else {
      high = middle;
    }
  }
}

// Where to cut a text of which at most `end` bytes fit.
std::size_t good_end(std::string_view text, std::size_t end) {
  for (const std::string_view border : {std::string_view("\n"), std::string_view(" \t\n")}) {
    const std::size_t found = text.find_last_of(border, end);
    if (found == std::string_view::npos || found < end - end / 2) continue;
    return text[found] == '\n' && found > 0 && text[found - 1] == '\r' ? found - 1 : found;
  }
  const std::size_t grapheme = text::grapheme_begin(text, end);
  return grapheme > 0 ? grapheme : text::code_point_begin(text, end);
}

PreparedText cut(std::string text, const TokenCounter& counter, std::size_t max_tokens) {
  const std::size_t special = counter.special_tokens();
  if (max_tokens == 0) max_tokens = counter.max_tokens();
  if (max_tokens <= special) {
    throw Error(Status::invalid_argument,
                fmt::format("a text of at most {} tokens has no room beside the {} special ones", max_tokens, special));
  }
  const std::size_t room = max_tokens - special;
  const std::size_t seen = counter(text);
  if (seen <= room) return {std::move(text), seen + special, seen + special};
  std::size_t end = good_end(text, longest_beginning(text, counter, room));
  std::size_t tokens = counter(std::string_view(text).substr(0, end));
  while (tokens > room) {  // fewer bytes can be more tokens
    end = good_end(text, end - std::max<std::size_t>(end / 16, 1));
    tokens = counter(std::string_view(text).substr(0, end));
  }
  text.resize(end);
  return {std::move(text), tokens + special, seen + special};
}

}  // namespace

PreparedText TextPreparator::prepare_function(const Function& function, const TokenCounter& counter, std::size_t max_tokens) const {
  return cut(prepare_function(function), counter, max_tokens);
}

PreparedText TextPreparator::prepare_class(const Class& definition, const TokenCounter& counter, std::size_t max_tokens) const {
  return cut(prepare_class(definition), counter, max_tokens);
}

}  // namespace inlay
