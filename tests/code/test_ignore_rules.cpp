#include <chrono>

#include "code/ignore_rules.hpp"
#include "support/catch.hpp"

using namespace inlay::code;

namespace {

bool ignored(std::string_view rules, std::string_view path, bool is_folder = false) {
  return IgnoreFile(rules).match(path, is_folder) == Verdict::ignored;
}

}  // namespace

TEST_CASE("the rules that gitignore(5) describes") {
  CHECK(ignored("*.o\n", "a/b.o"));
  CHECK(ignored("build/\n", "a/build", true));
  CHECK_FALSE(ignored("build/\n", "a/build", false));
  CHECK(ignored("/build\n", "build"));
  CHECK_FALSE(ignored("/build\n", "a/build"));
  CHECK(ignored("doc/*.txt\n", "doc/a.txt"));
  CHECK_FALSE(ignored("doc/*.txt\n", "doc/b/a.txt"));
  CHECK(ignored("**/foo\n", "foo"));
  CHECK(ignored("**/foo/bar\n", "a/b/foo/bar"));
  CHECK(ignored("abc/**\n", "abc/d/e"));
  CHECK_FALSE(ignored("abc/**\n", "abc", true));
  CHECK(ignored("a/**/b\n", "a/b"));
  CHECK(ignored("a/**/b\n", "a/x/y/b"));
  CHECK(ignored("\\#a\n", "#a"));
  CHECK_FALSE(ignored("#a\n", "#a"));
  CHECK(ignored("\\!a\n", "!a"));
  CHECK(ignored("a\\ \n", "a "));
  CHECK(ignored("a  \n", "a"));
  CHECK(ignored("*.o\r\n!b.o\r\n", "a.o"));
  CHECK_FALSE(ignored("*.o\r\n!b.o\r\n", "b.o"));
  CHECK(
      ignored("\xEF\xBB\xBF"
              "a\n",
              "a"));
  CHECK(ignored("[a-c]x", "bx"));
  CHECK_FALSE(ignored("[!a-c]x", "bx"));
  CHECK(ignored("[[:digit:]]", "7"));
  CHECK_FALSE(ignored("[a", "[a"));
}

TEST_CASE("hostile rules are matched in time that grows with their length") {
  const auto begin = std::chrono::steady_clock::now();
  std::string stars;
  for (int i = 0; i < 2000; ++i) stars += "*a";
  CHECK_FALSE(ignored(stars + "b", std::string(4000, 'a')));
  std::string folders = "x";
  for (int i = 0; i < 2000; ++i) folders += "/**";
  std::string path = "x";
  for (int i = 0; i < 2000; ++i) path += "/y";
  CHECK(ignored(folders, path));
  CHECK_FALSE(ignored(folders + "/z", path));
  CHECK_FALSE(ignored(std::string(1 << 22, '*') + "b", "a"));
  CHECK_FALSE(ignored(std::string(1 << 22, '['), "["));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}
