#include "tokenize/token_guide.hpp"

#include <algorithm>

#include "text/graphemes.hpp"

namespace inlay::tokenize {
namespace {

bool is_space(char byte) noexcept { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

// Words are cut only where they are about a stretch long.
std::size_t stretch_end(std::string_view text, std::size_t begin, std::size_t stretch) {
  if (text.size() - begin <= stretch) return text.size();
  std::size_t end = begin + stretch;
  const std::size_t last = std::min(text.size(), begin + 2 * stretch);
  while (end < last && (!is_space(text[end]) || is_space(text[end - 1]))) ++end;
  return end < text.size() ? text::code_point_begin(text, end) : end;
}

}  // namespace

TokenGuide::TokenGuide(std::string_view text, const TokenCounter& counter, std::size_t stretch) : text_(text), counter_(counter) {
  starts_.reserve(text.size() / stretch + 2);
  before_.reserve(text.size() / stretch + 2);
  std::size_t tokens = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    starts_.push_back(begin);
    before_.push_back(tokens);
    const std::size_t end = stretch_end(text, begin, stretch);
    tokens += count(begin, end);
    begin = end;
  }
  starts_.push_back(text.size());
  before_.push_back(tokens);
}

std::size_t TokenGuide::stretch_of(std::size_t position) const noexcept {
  return static_cast<std::size_t>(std::ranges::upper_bound(starts_, position) - starts_.begin()) - 1;
}

std::size_t TokenGuide::tokens(ByteRange part) const {
  const std::size_t first = stretch_of(part.begin);
  const std::size_t last = stretch_of(part.end);
  if (first == last) return count(part.begin, part.end);
  return count(part.begin, starts_[first + 1]) + before_[last] - before_[first + 1] + count(starts_[last], part.end);
}

TokenGuide::Reach TokenGuide::furthest(std::size_t begin, std::size_t tokens, const TextBorders& borders) const {
  const std::size_t end = borders.range().end;
  const std::size_t head_end = std::min(starts_[stretch_of(begin) + 1], end);
  Reach low{begin, 0};
  Reach high{head_end, count(begin, head_end)};
  if (high.tokens <= tokens) {
    // Whole stretches from here on: `low` is the last start that is within reach, `high` the next one or the end.
    const std::size_t head = high.tokens;
    const std::size_t next = stretch_of(head_end);
    const auto beyond = std::upper_bound(before_.begin() + static_cast<std::ptrdiff_t>(next), before_.end(), before_[next] + tokens - head);
    const auto last = static_cast<std::size_t>(beyond - before_.begin()) - 1;
    if (head_end == end) return high;
    if (starts_[last] >= end) return {end, this->tokens({begin, end})};
    low = {starts_[last], head + before_[last] - before_[next]};
    high = {std::min(starts_[last + 1], end), head + before_[last + 1] - before_[next]};
    if (starts_[last + 1] > end) high.tokens = low.tokens + count(low.position, end);
    if (high.tokens <= tokens) return high;
  }
  const Reach base = low;
  for (bool halve = false;; halve = !halve) {
    const std::size_t distance = high.position - low.position;
    const std::size_t step = halve ? distance / 2 : distance * (tokens - low.tokens) / (high.tokens - low.tokens);
    std::size_t probe = borders.upto(low.position + step);
    if (probe <= low.position) probe = borders.after(low.position);
    if (probe >= high.position) break;
    const std::size_t seen = base.tokens + count(base.position, probe);
    if (seen <= tokens) {
      low = {probe, seen};
    } else {
      high = {probe, seen};
    }
  }
  if (low.position != base.position) return low;
  const std::size_t border = borders.upto(base.position);
  if (border <= begin) return {border, 0};
  return {border, base.tokens - std::min(base.tokens, count(border, base.position))};
}

std::size_t TokenGuide::earliest(std::size_t end, std::size_t tokens) const {
  const std::size_t tail_stretch = stretch_of(end);
  Reach low{starts_[tail_stretch], count(starts_[tail_stretch], end)};
  Reach high{end, 0};
  if (low.tokens <= tokens) {
    // Whole stretches from here back: `high` is the first start that is within reach, `low` the one before it.
    const std::size_t sum = before_[tail_stretch] + low.tokens;
    const auto late = std::ranges::lower_bound(before_, sum - std::min(sum, tokens));
    const auto first = std::min(static_cast<std::size_t>(late - before_.begin()), tail_stretch);
    high = {starts_[first], sum - before_[first]};
    if (first == 0) return 0;
    low = {starts_[first - 1], sum - before_[first - 1]};
  }
  const Reach base = high;
  for (bool halve = false; high.tokens < tokens; halve = !halve) {
    const std::size_t distance = high.position - low.position;
    const std::size_t step = halve ? distance / 2 : distance * (tokens - high.tokens) / (low.tokens - high.tokens);
    const std::size_t probe = text::code_point_begin(text_, high.position - std::max<std::size_t>(step, 1));
    if (probe <= low.position) {
      if (halve) break;
      continue;
    }
    const std::size_t seen = base.tokens + count(probe, base.position);
    if (seen <= tokens) {
      high = {probe, seen};
    } else {
      low = {probe, seen};
    }
  }
  return high.position;
}

}  // namespace inlay::tokenize
