#include <fmt/format.h>

#include <inlay/error.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "models.hpp"
#include "support/environment.hpp"

using namespace inlay;
using nlohmann::json;

namespace {

json description() {
  return json::parse(R"({
    "added_tokens": [{"id": 2, "content": "[CLS]", "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                      "normalized": false}],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
              "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "##a": 5}}})");
}

std::shared_ptr<const Tokenizer> make(const json& tokenizer) { return test::make_tokenizer({{"tokenizer.json", tokenizer.dump()}}); }

void check_refused(const test::Files& files, Status status, const std::string& part) {
  INFO(part);
  try {
    test::make_tokenizer(files);
    FAIL_CHECK("was loaded");
  } catch (const Error& error) {
    CHECK(error.status() == status);
    CHECK_THAT(error.what(), Catch::Contains(part));
  }
}

void check_refused(const json& tokenizer, Status status, const std::string& part) {
  check_refused(test::Files{{"tokenizer.json", tokenizer.dump()}}, status, part);
}

json with(const char* pointer, const json& value) {
  json changed = description();
  changed[json::json_pointer(pointer)] = value;
  return changed;
}

json without(const char* parent, const char* name) {
  json changed = description();
  changed[json::json_pointer(parent)].erase(name);
  return changed;
}

}  // namespace

TEST_CASE("a model without a tokenizer is not found") {
  check_refused(test::Files{{"config.json", "{}"}}, Status::not_found, "test has no tokenizer");
  CHECK_THROWS_AS(load_tokenizer("/no/such/folder"), Error);
}

TEST_CASE("a part that is not known is refused by its name") {
  REQUIRE(make(description())->encode("aa").ids == std::vector<TokenId>{2, 4, 5, 3});
  check_refused(with("/normalizer/type", "Uppercase"), Status::unsupported, "normalizer \"Uppercase\"");
  check_refused(with("/pre_tokenizer/type", "UnicodeScripts"), Status::unsupported, "pre_tokenizer \"UnicodeScripts\"");
  check_refused(with("/model/type", "Markov"), Status::unsupported, "tokenizer model \"Markov\"");
  check_refused(with("/post_processor/type", "Foo"), Status::unsupported, "post_processor \"Foo\"");
  const json nested = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "Foo"}}}}};
  check_refused(with("/normalizer", nested), Status::unsupported, "normalizer \"Foo\"");
  check_refused(test::Files{{"vocab.txt", "[UNK]\na\n"}, {"tokenizer_config.json", R"({"tokenizer_class": "FooTokenizer"})"}},
                Status::unsupported, "FooTokenizer");
}

TEST_CASE("a missing or misshapen field is named") {
  for (const auto& [parent, name, part] : {std::tuple{"", "model", "model is missing"},
                                           {"/model", "vocab", "model.vocab is missing"},
                                           {"/model", "unk_token", "model.unk_token is missing"},
                                           {"/model", "max_input_chars_per_word", "model.max_input_chars_per_word is missing"},
                                           {"/normalizer", "lowercase", "normalizer.lowercase is missing"},
                                           {"/normalizer", "type", "normalizer.type is missing"},
                                           {"/added_tokens/0", "special", "added_tokens[0].special is missing"},
                                           {"/added_tokens/0", "id", "added_tokens[0].id is missing"},
                                           {"/post_processor", "cls", "post_processor.cls is missing"}}) {
    check_refused(without(parent, name), Status::invalid_model, part);
  }
  for (const auto& [pointer, value, part] :
       {std::tuple<const char*, json, const char*>{"/model", 7, "model is not an object"},
        {"/model/vocab", json::array({"a"}), "model.vocab is not an object"},
        {"/model/vocab", json::object(), "model.vocab is empty"},
        {"/model/max_input_chars_per_word", -1, "model.max_input_chars_per_word is not a non-negative integer"},
        {"/added_tokens", "x", "added_tokens is not an array"},
        {"/added_tokens/0", 1, "added_tokens[0] is not an object"},
        {"/added_tokens/0/lstrip", 1, "added_tokens[0].lstrip is not true or false"},
        {"/normalizer/lowercase", "yes", "normalizer.lowercase is not true or false"},
        {"/post_processor/sep", json::array({"[SEP]"}), "post_processor.sep is not a token and its id"},
        {"/post_processor/sep", json::array({"[SEP]", -3}), "special token id -3"},
        {"/post_processor", json{{"type", "TemplateProcessing"}, {"single", json::array()}},
         "post_processor.single has no place for the text"},
        {"/post_processor",
         json::parse(R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[X]"}}], "special_tokens": {}})"),
         "post_processor.special_tokens.[X] is missing"}}) {
    check_refused(with(pointer, value), Status::invalid_model, part);
  }
}

TEST_CASE("ids outside their range, ids given twice and a missing unknown token are named") {
  for (const json& id : {json(-1), json(16777215), json(4294967296), json(9223372036854775807)}) {
    check_refused(with("/model/vocab/a", id), Status::invalid_model, fmt::format("token \"a\" has id {}", id.dump()));
  }
  for (const json& id : {json(1.5), json("4"), json(nullptr), json(18446744073709551615U)}) {
    check_refused(with("/model/vocab/a", id), Status::invalid_model, "model.vocab.a is not an id");
  }
  check_refused(with("/model/vocab/b", 4), Status::invalid_model, "tokens \"a\" and \"b\" both have id 4");
  check_refused(with("/model/unk_token", "[OOV]"), Status::invalid_model, "lacks the unknown token \"[OOV]\"");
  check_refused(test::Files{{"vocab.txt", "a\nb\n"}}, Status::invalid_model, "lacks the unknown token \"[UNK]\"");
  check_refused(test::Files{{"vocab.txt", ""}}, Status::invalid_model, "vocab.txt is empty");
  check_refused(test::Files{{"vocab.txt", "[UNK]\n\xFF\n"}}, Status::invalid_model, "vocab.txt is not UTF-8");
  CHECK(make(with("/model/vocab/a", 16777214))->encode("a").ids == std::vector<TokenId>{2, 16777214, 3});
}

TEST_CASE("a text that the vocabulary holds twice has the later id") {
  std::string text = description().dump();
  text.insert(text.find("\"a\":4"), "\"a\":40,");
  CHECK(test::make_tokenizer({{"tokenizer.json", text}})->encode("a").ids == std::vector<TokenId>{2, 4, 3});
}

TEST_CASE("no JSON file of a test suite, valid or not, is a tokenizer") {
  const auto data = test::data_folder();
  INLAY_SKIP_WITHOUT(data, "INLAY_DATA");
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(*data / "json")) {
    INFO(file.path().filename().string());
    const std::string content = test::read(file.path());
    CHECK_THROWS_AS(test::make_tokenizer({{"tokenizer.json", content}}), Error);
    for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}) {
      try {
        test::make_tokenizer({{"vocab.txt", "[UNK]\n[CLS]\n[SEP]\n"}, {name, content}});
      } catch (const Error& error) {
        CHECK_THAT(error.what(), Catch::Contains(name));
      }
    }
    ++count;
  }
  CHECK(count > 300);
}

TEST_CASE("a tokenizer.json cut at any byte is refused") {
  const std::string whole = description().dump();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    REQUIRE_THROWS_AS(test::make_tokenizer({{"tokenizer.json", whole.substr(0, length)}}), Error);
  }
}

TEST_CASE("texts of 50 MB are tokenised in bounded memory") {
  const auto tokenizer = make(description());
  const std::size_t size = 50'000'000;
  CHECK(tokenizer->encode(std::string(size, 'a')).ids == std::vector<TokenId>{2, 1, 3});
  CHECK(tokenizer->encode(std::string(size, '\0')).ids == std::vector<TokenId>{2, 3});
  std::string words;
  while (words.size() < size) words += "a aa ";
  const Encoding encoding = tokenizer->encode(words, 8);
  CHECK(encoding.ids == std::vector<TokenId>{2, 4, 4, 5, 4, 4, 5, 3});
  CHECK(encoding.tokens_seen == size / 5 * 3 + 2);
  CHECK(tokenizer->encode(std::string(size, '\xFF'), 8).ids == std::vector<TokenId>{2, 3});  // U+FFFD is cleaned away
}

TEST_CASE("many threads may use one tokenizer, from the first text on") {
  const auto tokenizer = make(description());
  std::string text;
  for (int code_point = 0x100; code_point < 0x800; ++code_point) {
    text += static_cast<char>(0xC0 | code_point >> 6);
    text += static_cast<char>(0x80 | (code_point & 0x3F));
    text += " a ";
  }
  const std::vector<TokenId> expected = make(description())->encode(text).ids;
  std::vector<std::vector<TokenId>> results(8);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = tokenizer->encode(text).ids; });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == expected);
}

TEST_CASE("the files of a tokenizer are those that it is made of") {
  const std::string empty = "{}";
  const auto bytes = std::as_bytes(std::span(empty));
  const auto files = [&](std::vector<ModelFile> model) {
    return tokenize::tokenizer_files(model::ModelSource::from_memory(model, "test"));
  };
  using Names = std::vector<std::string>;
  CHECK(files({{"tokenizer.json", bytes}, {"vocab.txt", bytes}, {"tokenizer_config.json", bytes}}) == Names{"tokenizer.json"});
  CHECK(files({{"config.json", bytes}, {"special_tokens_map.json", bytes}, {"vocab.txt", bytes}}) ==
        Names{"vocab.txt", "special_tokens_map.json"});
}
