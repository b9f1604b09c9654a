#include "store/utf8.hpp"
#include "support/catch.hpp"

using inlay::store::valid_utf8;

namespace {
const std::string r = "\xEF\xBF\xBD";
}

TEST_CASE("valid UTF-8 stays as it is") {
  for (const std::string& text :
       {std::string(), std::string("a\0b", 3), std::string("\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF")}) {
    CHECK(valid_utf8(text) == text);
  }
}

TEST_CASE("each maximal invalid subsequence becomes one replacement character") {
  // The example of Unicode 15, section 3.9, table 3-11, and tables 3-8 to 3-10.
  CHECK(valid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41") == r + r + r + r + "A");
  CHECK(valid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(valid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(valid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42") == r + r + r + r + r + "A" + r + r + "B");
  CHECK(valid_utf8("caf\xE9") == "caf" + r);
  CHECK(valid_utf8("\xF0\x9F\x98") == r);
}
