#include "store/cache/json_splitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "inlay/error.hpp"

namespace inlay::store {
namespace {

constexpr std::size_t step_bytes = std::size_t{1} << 20;

using Table = std::array<bool, 256>;

constexpr Table table_of(std::string_view characters) {
  Table table{};
  for (const char c : characters) table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr Table in_string = table_of("\"\\");
constexpr Table in_container = table_of("\"[]{}");
constexpr Table behind_scalar = table_of(",]} \t\r\n");

}  // namespace

JsonSplitter::JsonSplitter(Read read, std::size_t max_value_bytes) : read_(std::move(read)), max_value_bytes_(max_value_bytes) {
  more();
  if (buffer_.starts_with("\xEF\xBB\xBF")) position_ = 3;
}

void JsonSplitter::fail(std::string_view what) const { throw Error(Status::invalid_data, fmt::format("{} at byte {}", what, position_)); }

bool JsonSplitter::more() {
  buffer_.erase(0, static_cast<std::size_t>(std::min(keep_, begin_ + buffer_.size()) - begin_));
  begin_ = keep_;
  if (buffer_.size() > max_value_bytes_) fail("a value that is too long ends");
  const std::size_t held = buffer_.size();
  buffer_.resize(held + step_bytes);
  const std::size_t count = read_(begin_ + held, {buffer_.data() + held, step_bytes});
  buffer_.resize(held + count);
  return count > 0;
}

int JsonSplitter::peek() {
  while (position_ - begin_ >= buffer_.size()) {
    if (!more()) return -1;
  }
  return static_cast<unsigned char>(buffer_[static_cast<std::size_t>(position_ - begin_)]);
}

int JsonSplitter::peek_behind_space() {
  int c = peek();
  while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
    ++position_;
    c = peek();
  }
  return c;
}

std::string_view JsonSplitter::text_from(std::uint64_t begin) const {
  return std::string_view(buffer_).substr(static_cast<std::size_t>(begin - begin_), static_cast<std::size_t>(position_ - begin));
}

void JsonSplitter::enter() {
  keep_ = position_;
  if (peek_behind_space() != '{') fail("there is no object");
  ++position_;
  first_.push_back(true);
}

bool JsonSplitter::begin_next(char end, std::string_view container) {
  keep_ = position_;
  const int c = peek_behind_space();
  if (c == end) {
    ++position_;
    first_.pop_back();
    return false;
  }
  if (!first_.back()) {
    if (c != ',') fail(fmt::format("there is neither a comma nor the end of the {}", container));
    ++position_;
    peek_behind_space();
  }
  first_.back() = false;
  keep_ = position_;
  return true;
}

bool JsonSplitter::begin_member() {
  if (!begin_next('}', "object")) return false;
  if (peek() != '"') fail("there is no name");
  return true;
}

std::optional<char> JsonSplitter::next_kind() {
  keep_ = position_;
  const int c = peek_behind_space();
  return c < 0 ? std::nullopt : std::optional(static_cast<char>(c));
}

void JsonSplitter::enter_array() {
  if (next_kind() != '[') fail("there is no array");
  ++position_;
  first_.push_back(true);
}

std::optional<std::string_view> JsonSplitter::element() {
  if (!begin_next(']', "array")) return std::nullopt;
  skip_value();
  return text_from(keep_);
}

void JsonSplitter::skip_string() {
  ++position_;
  while (true) {
    if (peek() < 0) fail("the file ends in a string");
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(position_ - begin_);
    const auto found = std::find_if(from, buffer_.end(), [](char c) { return in_string[static_cast<unsigned char>(c)]; });
    position_ += static_cast<std::uint64_t>(found - from);
    if (found == buffer_.end()) continue;
    position_ += *found == '\\' ? 2 : 1;
    if (*found == '"') return;
  }
}

void JsonSplitter::skip_value() {
  const int first = peek_behind_space();
  if (first == '"') return skip_string();
  std::size_t depth = 0;
  const Table& stops = first == '{' || first == '[' ? in_container : behind_scalar;
  while (true) {
    if (peek() < 0) fail("the file ends in a value");
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(position_ - begin_);
    const auto found = std::find_if(from, buffer_.end(), [&stops](char c) { return stops[static_cast<unsigned char>(c)]; });
    position_ += static_cast<std::uint64_t>(found - from);
    if (found == buffer_.end()) continue;
    if (&stops == &behind_scalar) return;
    if (*found == '"') {
      skip_string();
      continue;
    }
    ++position_;
    depth = *found == '{' || *found == '[' ? depth + 1 : depth - 1;
    if (depth == 0) return;
  }
}

std::optional<std::string> JsonSplitter::name() {
  if (!begin_member()) return std::nullopt;
  skip_string();
  std::string text(text_from(keep_));
  keep_ = position_;
  if (peek_behind_space() != ':') fail("there is no colon");
  ++position_;
  keep_ = position_;
  return text;
}

std::string_view JsonSplitter::value() {
  keep_ = position_;
  peek_behind_space();
  keep_ = position_;
  skip_value();
  return text_from(keep_);
}

std::optional<JsonMember> JsonSplitter::member() {
  if (!begin_member()) return std::nullopt;
  const std::uint64_t begin = keep_;
  skip_string();
  if (peek_behind_space() != ':') fail("there is no colon");
  ++position_;
  peek_behind_space();
  const auto value = static_cast<std::size_t>(position_ - begin);
  skip_value();
  return JsonMember{text_from(begin), value, begin};
}

void JsonSplitter::finish() {
  keep_ = position_;
  if (peek_behind_space() >= 0) fail("there is more behind the end");
}

}  // namespace inlay::store
