// CSV as RFC 4180 has it: commas, records that end with CRLF, LF or CR, fields in double quotes with "" for a quote. A quote inside a field
// that does not begin with one stands for itself.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::code {

struct CsvRecord {
  std::vector<std::string> fields;
  std::size_t line = 0;  ///< on which it begins, counted from 1
};

class CsvReader {
 public:
  /// `label` names the text in messages, `first_line` is the number of its first line there. Both texts must outlive the reader.
  CsvReader(std::string_view text, std::string_view label, std::size_t first_line = 1) : rest_(text), label_(label), line_(first_line) {}

  /// The next record, empty lines passed over; none at the end. Throws Error (invalid_data) naming the line.
  [[nodiscard]] std::optional<CsvRecord> next();

  [[nodiscard]] std::size_t line() const noexcept { return line_; }  ///< where it stands
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  void skip_all() noexcept;  ///< goes to the end

 private:
  std::string quoted_field();
  bool end_of_line();

  std::string_view rest_;
  std::string_view label_;
  std::size_t line_;
};

/// Follows the quotes of a text that comes in pieces, so that records can be told apart without holding the whole.
class CsvQuotes {
 public:
  void pass(std::string_view text) noexcept;
  /// Whether a line end here is part of a field.
  [[nodiscard]] bool inside() const noexcept { return state_ == State::quoted; }

 private:
  enum class State { field_start, plain, quoted, behind_quote };
  State state_ = State::field_start;
};

}  // namespace inlay::code
