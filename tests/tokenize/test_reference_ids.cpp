#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "models.hpp"
#include "support/environment.hpp"

using namespace inlay;

namespace {

std::string from_hexadecimal(const std::string& text) {
  std::string bytes;
  for (std::size_t index = 0; index < text.size(); index += 2)
    bytes.push_back(static_cast<char>(std::stoi(text.substr(index, 2), nullptr, 16)));
  return bytes;
}

// By the fast road and with offsets. `expected` is {"ids": [...], "offsets": [[begin, end], ...]}.
void check_encoding(const Tokenizer& tokenizer, const std::string& text, const nlohmann::json& expected) {
  INFO("text: " << text);
  const Encoding encoding = tokenizer.encode_with_offsets(text);
  CHECK(encoding.ids == expected["ids"].get<std::vector<TokenId>>());
  CHECK(tokenizer.encode(text).ids == encoding.ids);
  std::vector<ByteRange> offsets;
  for (const auto& range : expected["offsets"]) offsets.push_back({range[0], range[1]});
  CHECK(encoding.offsets == offsets);
}

nlohmann::json recorded() { return nlohmann::json::parse(test::read(std::filesystem::path(INLAY_TESTS_FOLDER) / "small_models.json")); }

}  // namespace

// Recorded from tokenizers 0.23.3 and transformers 5 by record_small_models.py.
TEST_CASE("small models of every option give the reference's ids") {
  const nlohmann::json file = recorded();
  for (const auto& model : file["models"]) {
    INFO(model["name"].get<std::string>());
    const auto tokenizer = test::make_tokenizer(model["files"].get<test::Files>());
    for (std::size_t index = 0; index < file["texts"].size(); ++index) {
      const auto text = from_hexadecimal(file["texts"][index]);
      INFO("text " << index << ": " << text);
      const Encoding encoding = tokenizer->encode(text);
      CHECK(encoding.ids == model["ids"][index].get<std::vector<TokenId>>());
      CHECK(encoding.tokens_seen == encoding.ids.size());
    }
  }
}

// Recorded from tokenizers 0.23.3 by record_small_models.py.
TEST_CASE("small models of every kind give the reference's ids and offsets, by the fast road and with offsets") {
  const std::filesystem::path folder = INLAY_TESTS_FOLDER;
  const auto file = nlohmann::json::parse(test::read(folder / "small_kinds.json"));
  REQUIRE(file["models"].size() > 5);
  for (const auto& model : file["models"]) {
    const auto name = model["file"].get<std::string>();
    INFO(name);
    const auto tokenizer = test::make_tokenizer({{"tokenizer.json", test::read(folder.parent_path() / "fuzz" / "tokenizers" / name)}});
    for (std::size_t index = 0; index < file["texts"].size(); ++index) {
      INFO("text " << index);
      check_encoding(*tokenizer, from_hexadecimal(file["texts"][index]), model["encodings"][index]);
    }
  }
}

// Recorded from tokenizers 0.23.3 by record_small_models.py.
TEST_CASE("rare parts give the reference's ids and offsets, or an error where it gives one") {
  const auto file = nlohmann::json::parse(test::read(std::filesystem::path(INLAY_TESTS_FOLDER) / "small_parts.json"));
  REQUIRE(file.size() > 100);
  for (const auto& each : file) {
    const std::string description = each["tokenizer"].dump();
    INFO(description);
    const auto tokenizer = test::make_tokenizer({{"tokenizer.json", description}});
    for (const auto& expected : each["encodings"]) {
      const auto text = from_hexadecimal(expected["text"]);
      INFO("text: " << text);
      if (expected["ids"].is_null()) {
        CHECK_THROWS_WITH(tokenizer->encode(text), Catch::Contains("a text needs"));
        CHECK_THROWS_WITH(tokenizer->encode_with_offsets(text), Catch::Contains("a text needs"));
        continue;
      }
      check_encoding(*tokenizer, text, expected);
    }
  }
}

TEST_CASE("truncation keeps the first tokens and the special ones around them, and counts all") {
  const nlohmann::json file = recorded();
  const auto tokenizer = test::make_tokenizer(file["models"][0]["files"].get<test::Files>());
  REQUIRE(tokenizer->special_tokens() == 2);
  for (const auto& hexadecimal : file["texts"]) {
    const auto text = from_hexadecimal(hexadecimal);
    const Encoding whole = tokenizer->encode(text);
    for (std::size_t limit = 2; limit < 9; ++limit) {
      std::vector<TokenId> expected = whole.ids;
      if (expected.size() > limit) expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(limit) - 1, expected.end() - 1);
      const Encoding cut = tokenizer->encode(text, limit);
      CHECK(cut.ids == expected);
      CHECK(cut.tokens_seen == whole.ids.size());
      CHECK(cut.truncated() == (whole.ids.size() > limit));
    }
  }
  CHECK_THROWS_WITH(tokenizer->encode("a", 1), Catch::Contains("at most 1 tokens") && Catch::Contains("2 special tokens"));
}

TEST_CASE("encode_into appends behind what is there") {
  const auto tokenizer = test::make_tokenizer(recorded()["models"][0]["files"].get<test::Files>());
  const std::vector<TokenId> alone = tokenizer->encode("unaffable zz foo").ids;
  std::vector<TokenId> ids{7, 8};
  CHECK(tokenizer->encode_into("unaffable zz foo", Tokenizer::no_limit, ids) == alone.size());
  std::vector<TokenId> expected{7, 8};
  expected.insert(expected.end(), alone.begin(), alone.end());
  CHECK(ids == expected);
}

TEST_CASE("llama.cpp's strings give their recorded ids with BERT's real vocabulary") {
  const auto data = test::data_folder();
  INLAY_SKIP_WITHOUT(data, "INLAY_DATA");
  const auto tokenizer = test::make_tokenizer({{"vocab.txt", test::read(*data / "bert" / "bert_base_uncased_vocab.txt")}});
  const std::string input = test::read(*data / "strings" / "ggml-vocab-bert-bge.gguf.inp");
  std::istringstream output(test::read(*data / "strings" / "ggml-vocab-bert-bge.gguf.out"));
  const std::string separator = "\n__ggml_vocab_test__\n";
  std::size_t count = 0;
  std::size_t start = 0;
  for (std::string line; std::getline(output, line); ++count) {
    REQUIRE(start < input.size());
    const std::size_t end = input.find(separator, start);
    REQUIRE(end != std::string::npos);
    std::istringstream numbers(line);
    std::vector<TokenId> expected{101};
    for (TokenId id; numbers >> id;) expected.push_back(id);
    expected.push_back(102);
    INFO(input.substr(start, end - start));
    CHECK(tokenizer->encode(input.substr(start, end - start)).ids == expected);
    start = end + separator.size();
  }
  CHECK(start == input.size());
  CHECK(count > 40);
}

TEST_CASE("the real model's tokenizer.json and its vocab.txt give the same ids") {
  const auto model = test::model_folder();
  INLAY_SKIP_WITHOUT(model, "INLAY_MODEL");
  const auto newer = load_tokenizer(*model);
  const auto older = test::make_tokenizer({{"vocab.txt", test::read(*model / "vocab.txt")},
                                           {"tokenizer_config.json", test::read(*model / "tokenizer_config.json")},
                                           {"special_tokens_map.json", test::read(*model / "special_tokens_map.json")}});
  CHECK(newer->encode("open a file", 256).ids == std::vector<TokenId>{101, 2330, 1037, 5371, 102});
  CHECK(newer->vocabulary_size() == 30522);
  CHECK(older->vocabulary_size() == 30522);
  for (TokenId id = 0; id < 30522; ++id) {
    REQUIRE(newer->token(id) == older->token(id));
    const std::string text = fmt::format("x{0} {0}", newer->token(id));
    REQUIRE(newer->encode(text).ids == older->encode(text).ids);
  }
  CHECK(newer->memory() > 200'000);
  CHECK(newer->memory() < 2'000'000);
}
