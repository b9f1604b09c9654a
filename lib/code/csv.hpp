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
  /// `label` names the text in messages. Both must outlive the reader.
  CsvReader(std::string_view text, std::string_view label) : rest_(text), label_(label) {}

  /// The next record, empty lines passed over; none at the end. Throws Error (invalid_data) naming the line.
  [[nodiscard]] std::optional<CsvRecord> next();

 private:
  std::string quoted_field();
  bool end_of_line();

  std::string_view rest_;
  std::string_view label_;
  std::size_t line_ = 1;
};

}  // namespace inlay::code
