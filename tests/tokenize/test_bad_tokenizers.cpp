#include <fmt/format.h>

#include <algorithm>
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

namespace {

json of_model(json model) { return {{"model", std::move(model)}}; }

json bpe() { return {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}}, {"merges", {"a b"}}}; }

json unigram() {
  return {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", json::array({json::array({"<unk>", 0}), json::array({"a", -1.5})})}};
}

json with_field(json object, const char* name, const json& value) {
  object[name] = value;
  return object;
}

}  // namespace

TEST_CASE("a BPE model whose merges or options cannot be is refused by its name") {
  REQUIRE(make(of_model(bpe()))->encode("abba").ids == std::vector<TokenId>{2, 1, 0});
  REQUIRE(make(of_model(with_field(bpe(), "merges", json::array({json::array({"a", "b"})}))))->encode("ab").ids == std::vector<TokenId>{2});
  for (const auto& [merges, part] : {std::pair<json, const char*>{json::array({"a c"}), "needs the token \"c\""},
                                     {json::array({"b a"}), "needs the token \"ba\""},
                                     {json::array({"ab"}), "merges[0] is not a pair"},
                                     {json::array({"a b", "a b c"}), "merges[1] is not a pair"},
                                     {json::array({json::array({"a"})}), "merges[0] is not a pair"},
                                     {json::array({json::array({"a", 1})}), "merges[0] is not a pair"},
                                     {json::array({7}), "merges[0] is not a pair"},
                                     {json("a b"), "model.merges is not an array"}}) {
    check_refused(of_model(with_field(bpe(), "merges", merges)), Status::invalid_model, part);
  }
  check_refused(of_model(with_field(bpe(), "continuing_subword_prefix", "##")), Status::invalid_model, "merge 0");
  check_refused(of_model(with_field(bpe(), "dropout", 0.1)), Status::unsupported, "model.dropout of 0.1");
  check_refused(of_model(with_field(bpe(), "dropout", 1.5)), Status::unsupported, "model.dropout of 1.5");
  check_refused(of_model(with_field(bpe(), "dropout", "x")), Status::invalid_model, "model.dropout is not a number");
  check_refused(of_model(with_field(bpe(), "fuse_unk", 1)), Status::invalid_model, "model.fuse_unk is not true or false");
  CHECK(make(of_model(with_field(bpe(), "dropout", 0.0)))->encode("ab").ids == std::vector<TokenId>{2});
  // The reference, too, finds out when it needs the token.
  const auto tokenizer = make(of_model(with_field(bpe(), "unk_token", "<unk>")));
  CHECK(tokenizer->encode("ab").ids == std::vector<TokenId>{2});
  CHECK_THROWS_WITH(tokenizer->encode("z"), Catch::Contains("\"<unk>\""));
}

TEST_CASE("a Unigram model that cannot be is refused by its name") {
  REQUIRE(make(of_model(unigram()))->encode("aza").ids == std::vector<TokenId>{1, 0, 1});
  check_refused(of_model(with_field(unigram(), "vocab", json::array())), Status::invalid_model, "model.vocab is empty");
  check_refused(of_model(with_field(unigram(), "vocab", json::array({json::array({"a"})}))), Status::invalid_model, "model.vocab[0]");
  check_refused(of_model(with_field(unigram(), "vocab", json::array({json::array({"a", "b"})}))), Status::invalid_model, "model.vocab[0]");
  check_refused(of_model(with_field(unigram(), "unk_id", 2)), Status::invalid_model, "the unknown token is 2, of 2 tokens");
  check_refused(of_model(with_field(unigram(), "unk_id", -1)), Status::invalid_model, "model.unk_id is not a non-negative integer");
  check_refused(of_model(with_field(unigram(), "unk_id", 16777216)), Status::invalid_model, "the unknown token is 16777216, of 2 tokens");
}

TEST_CASE("normalisers and pre-tokenizers that cannot be are refused by their name") {
  const auto refused_normalizer = [](const json& normalizer, const char* part) {
    check_refused(with("/normalizer", normalizer), Status::invalid_model, part);
  };
  const auto precompiled = [](const char* charsmap) { return json{{"type", "Precompiled"}, {"precompiled_charsmap", charsmap}}; };
  refused_normalizer(precompiled("abc"), "normalizer.precompiled_charsmap is not base64");
  refused_normalizer(precompiled("a=bc"), "normalizer.precompiled_charsmap is not base64");
  refused_normalizer(precompiled(""), "normalizer.precompiled_charsmap is cut short");
  refused_normalizer(precompiled("/////w=="), "normalizer.precompiled_charsmap is cut short");
  refused_normalizer(precompiled("AAAAAA=="), "normalizer.precompiled_charsmap has no rules");
  refused_normalizer(precompiled("BAAAAAAAAAD/"), "normalizer.precompiled_charsmap has replacements that are not UTF-8");
  refused_normalizer({{"type", "Replace"}, {"pattern", {{"Regex", "("}}}, {"content", ""}},
                     "normalizer.pattern.Regex is not a regular expression");
  refused_normalizer({{"type", "Replace"}, {"pattern", {{"Regex", std::string(100'000, '(')}}}, {"content", ""}},
                     "normalizer.pattern.Regex is not a regular expression");
  refused_normalizer({{"type", "Replace"}, {"pattern", "a"}, {"content", ""}}, "normalizer.pattern is not an object");
  refused_normalizer({{"type", "Strip"}, {"strip_left", true}}, "normalizer.strip_right is missing");
  check_refused(with("/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "ab"}}), Status::invalid_model,
                "pre_tokenizer.replacement is not one character");
  check_refused(with("/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "last"}}), Status::unsupported,
                "pre_tokenizer.prepend_scheme \"last\"");
  check_refused(with("/pre_tokenizer", {{"type", "FixedLength"}, {"length", 0}}), Status::invalid_model, "pre_tokenizer.length is 0");
  check_refused(with("/pre_tokenizer", {{"type", "Punctuation"}, {"behavior", "Doubled"}}), Status::unsupported,
                "pre_tokenizer.behavior \"Doubled\"");
}

TEST_CASE("an expression that never ends on a text is an error, not a wait") {
  const json slow = {{"type", "Split"}, {"pattern", {{"Regex", "(?:a|aa)+\\d"}}}, {"behavior", "Isolated"}, {"invert", false}};
  const auto tokenizer = make(with("/pre_tokenizer", slow));
  CHECK(tokenizer->encode("aa1a").ids == std::vector<TokenId>{2, 1, 4, 3});
  CHECK_THROWS_WITH(tokenizer->encode(std::string(200, 'a')), Catch::Contains("regular expression") && Catch::Contains("200 bytes"));
}

TEST_CASE("a charsmap that leads out of its array or its replacements leaves texts alone") {
  // One unit: its offset is 1,023 << 8, beyond the end; then a cycle onto itself with a leaf beyond the replacements.
  for (const char* charsmap : {"BAAAAAD+DwA=", "BAAAAAAAAAAA", "CAAAAAABAAAhAQAA"}) {
    const auto tokenizer = make(with("/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", charsmap}}));
    CHECK(tokenizer->encode("a aa !\xFF").ids.size() > 3);
  }
}

TEST_CASE("damaged older files are named") {
  const test::Files roberta = {{"vocab.json", R"({"a": 0, "b": 1, "ab": 2, "<s>": 3, "</s>": 4})"}, {"merges.txt", "#version: 0.2\na b\n"}};
  REQUIRE(test::make_tokenizer(roberta)->encode("ab").ids == std::vector<TokenId>{3, 2, 4});
  const auto spoiled = [&](const char* name, const char* content) {
    test::Files files = roberta;
    files[name] = content;
    return files;
  };
  check_refused(spoiled("merges.txt", "a b\n\n"), Status::invalid_model, "merges.txt: line 2 is not a pair");
  check_refused(spoiled("merges.txt", "a b c\n"), Status::invalid_model, "merges.txt: line 1 is not a pair");
  check_refused(spoiled("merges.txt", "a z\n"), Status::invalid_model, "needs the token \"z\"");
  check_refused(spoiled("merges.txt", "a \xFF\n"), Status::invalid_model, "merges.txt is not UTF-8");
  check_refused(spoiled("vocab.json", "[]"), Status::invalid_model, "vocab.json is not an object");
  check_refused(spoiled("vocab.json", "{}"), Status::invalid_model, "vocab.json is empty");
  check_refused(spoiled("vocab.json", R"({"a": "0"})"), Status::invalid_model, "vocab.json: a is not an id");
  check_refused(test::Files{{"vocab.json", "{\"a\": 0}"}}, Status::not_found, "merges.txt");
  check_refused(test::Files{{"vocab.txt", "a"}, {"tokenizer_config.json", R"({"tokenizer_class": "XLMRobertaTokenizer"})"}},
                Status::not_found, "sentencepiece.bpe.model");
}

TEST_CASE("a SentencePiece model cut at any byte is refused or read, and bytes that are none are refused") {
  // Pieces: <unk> of kind unknown, <s> and </s> of kind control, then U+2581 and "a".
  const auto piece = [](const std::string& text, char kind) {
    const std::string body = std::string("\x0A") + static_cast<char>(text.size()) + text + std::string("\x15\0\0\x80\xBF\x18", 6) + kind;
    return std::string("\x0A") + static_cast<char>(body.size()) + body;
  };
  const std::string model = piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) + piece("\xE2\x96\x81", 1) + piece("a", 1);
  const auto make_model = [](const std::string& bytes) { return test::make_tokenizer({{"sentencepiece.bpe.model", bytes}}); };
  CHECK(make_model(model)->encode("a").ids == std::vector<TokenId>{0, 4, 5, 2});
  for (std::size_t length = 0; length < model.size(); ++length) {
    try {
      make_model(model.substr(0, length));
    } catch (const Error& error) {
      REQUIRE_THAT(error.what(), Catch::Contains("sentencepiece.bpe.model"));
    }
  }
  for (const std::string& bytes :
       {std::string("\x0A\xFF\xFF\xFF\xFF\x0F", 6), std::string(20, '\xFF'), std::string("\x0B\x0C"), piece("\xFF", 1)}) {
    check_refused(test::Files{{"sentencepiece.bpe.model", bytes}}, Status::invalid_model, "sentencepiece.bpe.model");
  }
}

TEST_CASE("ids outside their range are named, and a missing unknown token when a text needs it") {
  for (const json& id : {json(-1), json(16777215), json(4294967296), json(9223372036854775807)}) {
    check_refused(with("/model/vocab/a", id), Status::invalid_model, fmt::format("token \"a\" has id {}", id.dump()));
  }
  for (const json& id : {json(1.5), json("4"), json(nullptr), json(18446744073709551615U)}) {
    check_refused(with("/model/vocab/a", id), Status::invalid_model, "model.vocab.a is not an id");
  }
  const auto shared = make(with("/model/vocab/b", 4));
  CHECK(shared->encode("a b").ids == std::vector<TokenId>{2, 4, 4, 3});
  CHECK(shared->token(4) == "b");
  const auto lacking = make(with("/model/unk_token", "[OOV]"));
  CHECK(lacking->encode("aa").ids == std::vector<TokenId>{2, 4, 5, 3});
  CHECK_THROWS_WITH(lacking->encode("!"), Catch::Contains("needs the unknown token \"[OOV]\""));
  CHECK_THROWS_WITH(test::make_tokenizer({{"vocab.txt", "a\nb\n"}})->encode("z"), Catch::Contains("needs the unknown token \"[UNK]\""));
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

TEST_CASE("one word of 2 MB is tokenised by every model") {
  const std::string word(2'000'000, 'a');
  const auto size = [&word](const json& model) { return make(of_model(model))->encode(word).ids.size(); };
  CHECK(size(unigram()) == word.size());
  CHECK(size(bpe()) == word.size());
  json doubling = bpe();
  std::string longest = "a";
  for (int id = 3; id < 12; ++id) {
    doubling["merges"].push_back(json::array({longest, longest}));
    longest += longest;
    doubling["vocab"][longest] = id;
  }
  CHECK(size(doubling) == word.size() / 512 + 1);  // 2,000,000 = 3,906 * 512 + 128
  CHECK(make(description())->encode_with_offsets(word).offsets == std::vector<ByteRange>{{0, 0}, {0, word.size()}, {0, 0}});
}

namespace {

json added(const std::string& content, std::size_t id, const std::vector<std::string>& flags = {}) {
  json token = {{"id", id}, {"content", content}};
  for (const char* flag : {"special", "single_word", "lstrip", "rstrip", "normalized"}) {
    token[flag] = std::ranges::find(flags, flag) != flags.end();
  }
  return token;
}

json with_added(json tokenizer, const std::vector<json>& tokens) {
  tokenizer["added_tokens"] = tokens;
  return tokenizer;
}

}  // namespace

// Each took time by the square of its length, minutes to hours.
TEST_CASE("long texts, added tokens and pieces made to take ages take no time") {
  const std::string text(1'000'000, 'a');
  const json letters = of_model({{"type", "BPE"}, {"vocab", {{"b", 0}, {"c", 1}}}, {"merges", json::array()}});
  CHECK(make(with_added(letters, {added(std::string(20'000, 'a') + "b", 2)}))->encode(text).ids.empty());
  CHECK(make(with_added(letters, {added(std::string(20'000, 'a') + "b", 2), added("a", 3)}))->encode(text).ids.size() == text.size());
  const std::string spaces = "b" + std::string(1'000'000, ' ') + "b";
  CHECK(make(with_added(letters, {added(" ", 2, {"lstrip"})}))->encode(spaces).ids.size() == 1'000'002);
  CHECK(make(with_added(letters, {added(" ", 2, {"lstrip", "rstrip"})}))->encode(spaces).ids == std::vector<TokenId>{0, 2, 0});
  CHECK(make(with_added(description(), {added(" ", 7, {"rstrip"})}))->encode(spaces).ids.size() == 1'000'004);

  std::vector<json> many;
  for (std::size_t id = 2; id < 20'002; ++id) many.push_back(added(fmt::format("<an added token, {}>", id), id));
  CHECK(make(with_added(letters, many))->encode("<an added token, 777>").ids == std::vector<TokenId>{777});
  json decoder = json::object();
  json ids = json::object();
  for (const json& token : many) {
    decoder[std::to_string(token["id"].get<int>())] = token;
    ids[token["content"].get<std::string>()] = token["id"];
  }
  const std::string vocabulary = "[UNK]\na\n";
  for (const auto& [name, content] :
       {std::pair<std::string, json>{"tokenizer_config.json", {{"added_tokens_decoder", decoder}}}, {"added_tokens.json", ids}}) {
    CHECK(test::make_tokenizer({{"vocab.txt", vocabulary}, {name, content.dump()}})->encode("<an added token, 777>").ids.size() > 0);
  }

  const std::string longest(1000, 'a');
  const std::string too_long(1001, 'a');
  const auto unigram_with = [](const std::string& token) {
    json model = unigram();
    model["vocab"].push_back(json::array({token, -1}));
    return of_model(model);
  };
  CHECK(make(unigram_with(longest))->encode(std::string(100'000, 'a')).ids.size() == 100);
  check_refused(unigram_with(too_long), Status::unsupported, "token 2 has 1001 bytes, more than 1000");
  CHECK(make(with("/model/vocab", {{"[UNK]", 1}, {too_long, 2}}))->encode("a").ids == std::vector<TokenId>{2, 1, 3});
  json long_words = with("/model/vocab", {{"[UNK]", 1}, {too_long, 2}});
  long_words["model"]["max_input_chars_per_word"] = 1'000'000;
  check_refused(long_words, Status::unsupported, "token 2 has 1001 bytes, more than 1000");
}

TEST_CASE("where the reference panics no part of a text is told twice") {
  const json letters = of_model({{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {" ", 2}}}, {"merges", json::array()}});
  const auto strips = make(with_added(letters, {added("<r>", 3, {"rstrip"}), added(" ", 2, {"lstrip"})}));
  CHECK(strips->encode("a<r>   b").ids == std::vector<TokenId>{0, 3, 1});
  CHECK(strips->encode_with_offsets("a<r>  b").offsets == std::vector<ByteRange>{{0, 1}, {1, 6}, {6, 7}});
  json cleaned = with_added(letters, {added("\u200b", 3, {"normalized"}), added("ab", 4, {"normalized"})});
  cleaned["normalizer"] = description()["normalizer"];
  CHECK(make(cleaned)->encode("baba").ids == std::vector<TokenId>{1, 4, 0});
}

TEST_CASE("what puts tokens around a text's pieces is refused behind a template that makes them") {
  const auto refused = [](const char* processors, const char* part) {
    check_refused(with("/post_processor", {{"type", "Sequence"}, {"processors", json::parse(processors)}}), Status::unsupported, part);
  };
  const std::string pieces = R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "X"}}, {"Sequence": {"id": "A"}}],
                                 "special_tokens": {"X": {"ids": [7]}}})";
  const std::string bare = R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}], "special_tokens": {}})";
  const std::string bert = R"({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]})";
  const std::string roberta = R"({"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]})";
  const std::string trimming = R"({"type": "ByteLevel"})";
  refused(fmt::format("[{}, {}]", pieces, bert).c_str(), "BertProcessing behind TemplateProcessing");
  refused(fmt::format("[{}, {}, {}]", pieces, trimming, roberta).c_str(), "RobertaProcessing behind TemplateProcessing");
  refused(fmt::format("[{}, {}]", pieces, pieces).c_str(), "TemplateProcessing behind TemplateProcessing");
  refused(fmt::format(R"([{{"type": "Sequence", "processors": [{}]}}, {}])", pieces, bert).c_str(), "BertProcessing behind");
  for (const auto& [processors, expected] : {std::pair{fmt::format("[{}, {}]", bert, pieces), std::vector<TokenId>{7, 2, 4, 3}},
                                             {fmt::format("[{}, {}]", bare, bert), {2, 4, 3}},
                                             {fmt::format("[{}, {}]", bert, bert), {2, 2, 4, 3, 3}},
                                             {fmt::format("[{}, {}]", pieces, trimming), {7, 4}}}) {
    const auto tokenizer = make(with("/post_processor", {{"type", "Sequence"}, {"processors", json::parse(processors)}}));
    CHECK(tokenizer->encode("a").ids == expected);
    CHECK(tokenizer->special_tokens() == expected.size() - 1);
  }
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
  CHECK(files({{"vocab.json", bytes}, {"merges.txt", bytes}, {"added_tokens.json", bytes}}) ==
        Names{"vocab.json", "merges.txt", "added_tokens.json"});
  CHECK(files({{"sentencepiece.bpe.model", bytes}, {"merges.txt", bytes}}) == Names{"sentencepiece.bpe.model"});
  CHECK(files({{"config.json", bytes}, {"special_tokens_map.json", bytes}, {"vocab.txt", bytes}}) ==
        Names{"vocab.txt", "special_tokens_map.json"});
}
