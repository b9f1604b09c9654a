#include "support/catch.hpp"
#include "text/identifier_words.hpp"

using inlay::text::identifier_words;

TEST_CASE("a name is the words that it is made of") {
  CHECK(identifier_words("HTTPServer.parse_date") == "HTTP Server parse date");
  CHECK(identifier_words("checkPassword") == "check Password");
  CHECK(identifier_words("__init__") == "init");
  CHECK(identifier_words("Socket::readAll") == "Socket read All");
  CHECK(identifier_words("utf8_to_utf16LE") == "utf8 to utf16LE");
  CHECK(identifier_words("XMLHttpRequest") == "XML Http Request");
  CHECK(identifier_words("ID") == "ID");
  CHECK(identifier_words("x") == "x");
  CHECK(identifier_words("").empty());
  CHECK(identifier_words("___").empty());
  CHECK(identifier_words("größe_ändern") == "größe ändern");
}
