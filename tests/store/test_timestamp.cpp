#include "store/timestamp.hpp"
#include "support/catch.hpp"

using namespace inlay::store;
using std::chrono::milliseconds;

TEST_CASE("times are written as RFC 3339 in UTC") {
  // date -u -d @1709251199 +%FT%TZ
  CHECK(to_rfc3339(Timestamp(milliseconds(1709251199000))) == "2024-02-29T23:59:59Z");
  CHECK(to_rfc3339(Timestamp(milliseconds(1709251199007))) == "2024-02-29T23:59:59.007Z");
  CHECK(to_rfc3339(Timestamp()) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339(Timestamp::min()) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339(Timestamp::max()) == "2262-04-11T23:47:16.854Z");
}

TEST_CASE("times are read as RFC 3339 and Python have them") {
  const auto time = [](long long value) { return std::optional(Timestamp(milliseconds(value))); };
  CHECK((parse_timestamp("2024-02-29T23:59:59Z") == time(1709251199000)));
  CHECK((parse_timestamp("2024-02-29T23:59:59.007Z") == time(1709251199007)));
  CHECK((parse_timestamp("2024-02-29T23:59:59.0071239") == time(1709251199007)));
  CHECK((parse_timestamp("2024-02-29 23:59:59+00:00") == time(1709251199000)));
  CHECK((parse_timestamp("2024-03-01T01:29:59.5+01:30") == time(1709251199500)));
  CHECK((parse_timestamp("2024-02-29T15:59:59-0800") == time(1709251199000)));
  CHECK((parse_timestamp("2024-02-29T23:59") == time(1709251140000)));
  CHECK((parse_timestamp("2024-02-29") == time(1709164800000)));
  CHECK((parse_timestamp("1066-10-14T09:00:00Z") == time(0)));
  for (const char* text :
       {"", "yesterday", "2024", "2023-02-29", "2024-13-01", "2024-02-29T", "2024-02-29T23:59:59.", "2024-02-29T23:59:59Zx",
        "2024-02-29T23:59:59+", "2024-02-29T23:59:59+1", "-024-02-29T23:59:59Z", "1709251199"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_timestamp(text));
  }
}
