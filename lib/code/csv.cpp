#include "code/csv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"

namespace inlay::code {

// Takes a line end, if one is next.
bool CsvReader::end_of_line() {
  if (rest_.starts_with("\r\n")) {
    rest_.remove_prefix(2);
  } else if (rest_.starts_with('\n') || rest_.starts_with('\r')) {
    rest_.remove_prefix(1);
  } else {
    return false;
  }
  ++line_;
  return true;
}

std::string CsvReader::quoted_field() {
  const std::size_t begin_line = line_;
  std::string field;
  rest_.remove_prefix(1);
  while (true) {
    const std::size_t quote = rest_.find('"');
    if (quote == std::string_view::npos) {
      throw Error(Status::invalid_data, fmt::format("{}:{}: a quoted field has no end", label_, begin_line));
    }
    const std::string_view part = rest_.substr(0, quote);
    field += part;
    line_ += static_cast<std::size_t>(std::ranges::count(part, '\n'));
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) return field;
    field += '"';
    rest_.remove_prefix(1);
  }
}

std::optional<CsvRecord> CsvReader::next() {
  while (end_of_line()) {
  }
  if (rest_.empty()) return std::nullopt;
  CsvRecord record{{}, line_};
  while (true) {
    if (rest_.starts_with('"')) {
      record.fields.push_back(quoted_field());
    } else {
      const std::size_t end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
      record.fields.emplace_back(rest_.substr(0, end));
      rest_.remove_prefix(end);
    }
    if (rest_.empty() || end_of_line()) return record;
    if (rest_.front() != ',') throw Error(Status::invalid_data, fmt::format("{}:{}: text behind a quoted field", label_, line_));
    rest_.remove_prefix(1);
  }
}

void CsvReader::skip_all() noexcept {
  line_ += static_cast<std::size_t>(std::ranges::count(rest_, '\n'));
  rest_ = {};
}

void CsvQuotes::pass(std::string_view text) noexcept {
  for (const char letter : text) {
    if (state_ == State::quoted) {
      if (letter == '"') state_ = State::behind_quote;
    } else if (letter == '"' && state_ != State::plain) {  // begins a field, or is the second of ""
      state_ = State::quoted;
    } else {
      state_ = letter == ',' || letter == '\n' || letter == '\r' ? State::field_start : State::plain;
    }
  }
}

}  // namespace inlay::code
