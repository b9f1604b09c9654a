#include <map>
#include <random>

#include "support/catch.hpp"
#include "tokenize/byte_trie.hpp"
#include "tokenize/vocabulary.hpp"

using inlay::tokenize::ByteTrie;
using inlay::tokenize::Vocabulary;

TEST_CASE("a trie finds exactly its keys, whatever their bytes") {
  std::mt19937 random(7);
  std::map<std::string, std::uint32_t> keys;
  while (keys.size() < 20'000) {
    std::string key;
    const bool any_byte = random() % 4 == 0;
    for (std::size_t length = 1 + random() % 6; length > 0; --length)
      key += static_cast<char>(any_byte ? random() % 256 : 'a' + random() % 5);
    keys.emplace(key, static_cast<std::uint32_t>(keys.size()));
  }
  keys[std::string(100'000, 'x')] = ByteTrie::largest_value;
  std::vector<ByteTrie::Key> sorted;
  for (const auto& [text, value] : keys) sorted.push_back({text, value});
  std::ranges::sort(sorted, {}, &ByteTrie::Key::bytes);
  const ByteTrie trie(sorted);
  for (const auto& [text, value] : keys) REQUIRE(trie.find(text) == value);
  for (int count = 0; count < 100'000; ++count) {
    std::string text;
    for (std::size_t length = random() % 8; length > 0; --length)
      text += static_cast<char>(random() % 3 == 0 ? random() % 256 : 'a' + random() % 5);
    const auto key = keys.find(text);
    REQUIRE(trie.find(text) == (key == keys.end() ? ByteTrie::no_value : key->second));
  }
}

TEST_CASE("an empty trie finds nothing") {
  for (const ByteTrie& trie : {ByteTrie(), ByteTrie(std::span<const ByteTrie::Key>())}) {
    ByteTrie::Node node = trie.root();
    for (int byte = 0; byte < 256; ++byte) CHECK_FALSE(trie.step(node, static_cast<unsigned char>(byte)));
    CHECK(trie.find("") == ByteTrie::no_value);
  }
}

TEST_CASE("a vocabulary knows texts by id and ids by text") {
  const Vocabulary vocabulary({{"b", 3}, {"", 1}, {"abcdefghi", 5}, {"abcdefgh", 4}, {std::string_view("a\0", 2), 6}, {"a", 7}, {"b", 9}},
                              "test");
  CHECK(vocabulary.entries() == 6);
  CHECK(vocabulary.id_limit() == 10);
  CHECK(vocabulary.find("b") == 9);
  CHECK(vocabulary.text(9) == "b");
  CHECK(vocabulary.text(3) == "");
  CHECK(vocabulary.find("") == 1);
  CHECK(vocabulary.find("abcdefgh") == 4);
  CHECK(vocabulary.find("abcdefghi") == 5);
  CHECK(vocabulary.find(std::string_view("a\0", 2)) == 6);
  CHECK_FALSE(vocabulary.find("abc"));
  CHECK(vocabulary.text(-1) == "");
  CHECK(vocabulary.text(10) == "");
}
