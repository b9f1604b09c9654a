#include <inlay/error.hpp>

#include "code/csv.hpp"
#include "support/catch.hpp"

using inlay::code::CsvReader;
using Records = std::vector<std::pair<std::size_t, std::vector<std::string>>>;

namespace {

Records read(std::string_view text) {
  Records records;
  CsvReader reader(text, "a.csv");
  while (auto record = reader.next()) records.emplace_back(record->line, record->fields);
  return records;
}

}  // namespace

TEST_CASE("records and fields are told apart as RFC 4180 says") {
  CHECK(read("").empty());
  CHECK(read("\n\r\n\r").empty());
  CHECK(read("a,b,c\r\n1,2,3\r\n") == Records{{1, {"a", "b", "c"}}, {2, {"1", "2", "3"}}});
  CHECK(read("a\rb\nc") == Records{{1, {"a"}}, {2, {"b"}}, {3, {"c"}}});
  CHECK(read(",\n,,") == Records{{1, {"", ""}}, {2, {"", "", ""}}});
  CHECK(read("\"a, \"\"b\"\"\r\nc\",d\n\"\",e") == Records{{1, {"a, \"b\"\r\nc", "d"}}, {3, {"", "e"}}});
  CHECK(read("a\n\n\nb") == Records{{1, {"a"}}, {4, {"b"}}});
  CHECK(read("5\" disk, b ") == Records{{1, {"5\" disk", " b "}}});
}

TEST_CASE("a quote without end and text behind a quote are errors that name the line") {
  CHECK_THROWS_WITH(read("a\n\"b\nc"), Catch::Contains("a.csv:2: a quoted field has no end"));
  CHECK_THROWS_WITH(read("a\n\n\"b\"c\n"), Catch::Contains("a.csv:3: text behind a quoted field"));
}
