#include <algorithm>
#include <inlay/error.hpp>
#include <inlay/text_splitter.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "models.hpp"
#include "support/environment.hpp"
#include "text/graphemes.hpp"
#include "text/utf8.hpp"

using namespace inlay;

namespace {

std::size_t count_words(std::string_view text) {
  std::size_t words = 0;
  bool inside = false;
  for (const char byte : text) {
    const bool space = byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::vector<std::string> pieces(const RecursiveCharacterTextSplitter& splitter, std::string_view text) {
  std::vector<std::string> pieces;
  for (const TextChunk& chunk : splitter.split(text)) pieces.emplace_back(chunk.of(text));
  return pieces;
}

std::vector<std::string> pieces_of_characters(std::string_view text, SplitterOptions options) {
  return pieces(RecursiveCharacterTextSplitter(count_characters, std::move(options)), text);
}

using Pieces = std::vector<std::string>;

// What holds for every text, tokenizer and option.
void check_chunks(const TokenCounter& counter, const Tokenizer& tokenizer, const SplitterOptions& options, std::string_view text) {
  const auto chunks = RecursiveCharacterTextSplitter(counter, options).split(text);
  REQUIRE(chunks.empty() == text.empty());
  const bool valid = text::is_valid_utf8(text);
  std::size_t end = 0;
  for (std::size_t index = 0; index < chunks.size(); ++index) {
    const TextChunk& chunk = chunks[index];
    const std::string_view content = chunk.of(text);
    REQUIRE(chunk.range.begin < chunk.range.end);
    REQUIRE(chunk.range.end > end);
    REQUIRE(chunk.tokens == tokenizer.encode(content).tokens_seen);
    if (chunk.tokens > options.chunk_size) REQUIRE(text::code_point_begin(text, chunk.range.end - 1) == chunk.range.begin);
    if (valid) REQUIRE(text::is_valid_utf8(content));
    if (options.chunk_overlap == 0) {
      REQUIRE(chunk.range.begin == end);
    } else {
      REQUIRE(chunk.range.begin <= end);
      if (index > 0) REQUIRE(chunk.range.begin > chunks[index - 1].range.begin);
      REQUIRE(counter(text.substr(chunk.range.begin, end - chunk.range.begin)) <= options.chunk_overlap);
    }
    end = chunk.range.end;
  }
  REQUIRE(end == text.size());
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> parts = {" ",
                                                 " ",
                                                 " ",
                                                 "\n",
                                                 "\n\n",
                                                 "\r\n",
                                                 "\t",
                                                 "    ",
                                                 ". ",
                                                 "。",
                                                 "\nclass ",
                                                 "\ndef ",
                                                 "\n    def ",
                                                 "word",
                                                 "splitting",
                                                 "Tokens",
                                                 "don't",
                                                 "x=1;",
                                                 "(a,b)",
                                                 "0123456789",
                                                 "ü",
                                                 "e\u0301",
                                                 "中文",
                                                 "한국어",
                                                 "👩‍👩‍👧‍👦",
                                                 "🇩🇪🇫🇷",
                                                 "naïve",
                                                 "[MASK]",
                                                 "<s>",
                                                 "\xFF",
                                                 "\xE4\xB8",
                                                 "\x80\x80",
                                                 std::string(1, '\0'),
                                                 std::string(70, 'q'),
                                                 std::string(150, 'w'),
                                                 std::string(40, ' '),
                                                 std::string(30, '\n')};
  const bool valid = random() % 2 == 0;
  std::string text;
  for (std::size_t count = random() % 300; count > 0; --count) {
    const std::string& part = parts[random() % parts.size()];
    if (!valid || text::is_valid_utf8(part)) text += part;
  }
  return text;
}

void check_random_texts(const std::shared_ptr<const Tokenizer>& tokenizer, unsigned seed, int rounds) {
  const TokenCounter counter(tokenizer);
  std::mt19937 random(seed);
  const std::vector<std::string> languages = {"", "python", "cpp", "html", "markdown"};
  for (int round = 0; round < rounds; ++round) {
    const std::size_t room = 1 + random() % (random() % 2 == 0 ? 12 : 100);
    const std::size_t overlap = random() % 2 == 0 ? 0 : random() % room;
    const SplitterOptions options = {
        .chunk_size = room + tokenizer->special_tokens(), .chunk_overlap = overlap, .language = languages[random() % languages.size()]};
    check_chunks(counter, *tokenizer, options, random_text(random));
  }
}

nlohmann::json read_json(const std::string& name) {
  return nlohmann::json::parse(test::read(std::filesystem::path(INLAY_TESTS_FOLDER) / name));
}

std::vector<std::shared_ptr<const Tokenizer>> tokenizers_of_every_kind() {
  const auto folder = std::filesystem::path(INLAY_TESTS_FOLDER).parent_path() / "fuzz" / "tokenizers";
  std::vector<std::shared_ptr<const Tokenizer>> tokenizers;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    tokenizers.push_back(test::make_tokenizer({{"tokenizer.json", test::read(entry.path())}}));
  }
  return tokenizers;
}

}  // namespace

// Recorded from langchain-text-splitters 1.1.3 by record_splitter.py.
TEST_CASE("chunks counted in characters and in words are LangChain's") {
  const auto file = read_json("splitter.json");
  REQUIRE(file["cases"].size() > 400);
  for (const auto& recorded : file["cases"]) {
    const std::string text = file["texts"][recorded[0].get<std::size_t>()];
    const TokenCounter counter = recorded[2] == "words" ? count_words : count_characters;
    const RecursiveCharacterTextSplitter splitter(
        counter,
        {.chunk_size = recorded[3], .chunk_overlap = recorded[4], .separators = file["separators"][recorded[1].get<std::size_t>()]});
    std::vector<std::size_t> lengths;
    for (const TextChunk& chunk : splitter.split(text)) lengths.push_back(chunk.range.end - chunk.range.begin);
    INFO(recorded.dump());
    CHECK(lengths == recorded[5].get<std::vector<std::size_t>>());
  }
}

TEST_CASE("chunks of any text, by tokenizers of every kind, are exactly counted, fit, and are the text") {
  const auto tokenizers = tokenizers_of_every_kind();
  REQUIRE(tokenizers.size() > 5);
  for (std::size_t kind = 0; kind < tokenizers.size(); ++kind) {
    INFO("kind " << kind);
    check_random_texts(tokenizers[kind], 7, 60);
  }
}

TEST_CASE("with the real tokenizer too, and none is truncated at the model's limit") {
  const auto model = test::model_folder();
  INLAY_SKIP_WITHOUT(model, "INLAY_MODEL");
  const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(*model);
  check_random_texts(tokenizer, 1, 600);

  const TokenCounter counter(tokenizer, 256);
  const RecursiveCharacterTextSplitter splitter(counter, {.language = "cpp"});
  CHECK(splitter.options().chunk_size == 256);
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(INLAY_TESTS_FOLDER)) {
    if (entry.path().extension() == ".cpp") text += test::read(entry.path());
  }
  const auto chunks = splitter.split(text);
  CHECK(chunks.size() > 50);
  std::size_t tokens = 0;
  for (const TextChunk& chunk : chunks) {
    CHECK_FALSE(tokenizer->encode(chunk.of(text), 256).truncated());
    tokens += chunk.tokens;
  }
  CHECK(tokens / chunks.size() > 120);
}

TEST_CASE("books and code by the real vocabularies") {
  const auto data = test::data_folder();
  INLAY_SKIP_WITHOUT(data, "INLAY_DATA");
  const std::vector<std::shared_ptr<const Tokenizer>> tokenizers = {
      test::make_tokenizer({{"vocab.txt", test::read(*data / "bert" / "bert_base_uncased_vocab.txt")}}),
      test::make_tokenizer({{"vocab.json", test::read(*data / "roberta" / "vocab.json")},
                            {"merges.txt", test::read(*data / "roberta" / "merges.txt")},
                            {"config.json", R"({"model_type": "roberta"})"}})};
  for (const std::string name : {"botchan.txt", "wagahaiwa_nekodearu.txt"}) {
    const std::string text = test::read(*data / "sentencepiece" / name).substr(0, 200'000);
    for (const auto& tokenizer : tokenizers) {
      for (const std::size_t overlap : {0, 20}) {
        check_chunks(TokenCounter(tokenizer), *tokenizer, {.chunk_size = 128, .chunk_overlap = overlap}, text);
      }
    }
  }
}

TEST_CASE("the work grows with the text's length, whatever the text") {
  const auto kinds = tokenizers_of_every_kind();
  const std::vector<std::pair<std::string, std::string>> repeated = {{"prose", "The quick brown fox jumps over the lazy dog. It barks.\n"},
                                                                     {"code", "def f(x):\n    return g(x, 1)\n\n"},
                                                                     {"spaces", " "},
                                                                     {"newlines", "\n"},
                                                                     {"letters", "a"},
                                                                     {"minified", "a,b;(c1)"},
                                                                     {"accents", "\u0301"},
                                                                     {"flags", "🇩🇪"},
                                                                     {"invalid", "\x80\xFF\xE4\xB8"}};
  for (const auto& [name, unit] : repeated) {
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
      const auto work = [&](std::size_t size) {
        std::string text;
        while (text.size() < size) text += unit;
        std::size_t bytes = 0;
        const TokenCounter exact(kinds[kind]);
        const TokenCounter counter = [&](std::string_view part) {
          bytes += part.size();
          return exact(part);
        };
        const RecursiveCharacterTextSplitter splitter(counter, {.chunk_size = 100, .chunk_overlap = 10, .language = "python"});
        static_cast<void>(splitter.split(text));
        return static_cast<double>(bytes) / static_cast<double>(text.size());
      };
      INFO(name << ", kind " << kind);
      const double large = work(60'000);
      CHECK(large < 15);
      CHECK(large < 1.2 * work(15'000) + 0.5);
    }
  }
}

TEST_CASE("a text without bytes has no chunk, one that fits is one") {
  const RecursiveCharacterTextSplitter splitter(count_words, {.chunk_size = 5});
  CHECK(splitter.split("").empty());
  CHECK(splitter.split("one two\n\nthree four five") == std::vector<TextChunk>{{{0, 24}, 5}});
  CHECK(splitter.split(" \n ") == std::vector<TextChunk>{{{0, 3}, 0}});
}

TEST_CASE("separators stay with what follows them, closing marks with what precedes them") {
  CHECK(pieces_of_characters("class A:\n  pass\nclass B:\n  pass", {.chunk_size = 16, .language = "python"}) ==
        Pieces{"class A:\n  pass", "\nclass B:\n  pass"});
  CHECK(pieces_of_characters("It is. Is it? No! Well", {.chunk_size = 7}) == Pieces{"It is.", " Is it?", " No!", " Well"});
  CHECK(pieces_of_characters("吾輩は猫である。名前はまだ無い。", {.chunk_size = 10}) == Pieces{"吾輩は猫である。", "名前はまだ無い。"});
  CHECK(pieces_of_characters("int f() {\n  g();\n}\nint h() {\n  i();\n}\n", {.chunk_size = 20, .language = "c"}) ==
        Pieces{"int f() {\n  g();\n}", "\nint h() {\n  i();\n}\n"});
  CHECK(pieces_of_characters("a { x }b { y }", {.chunk_size = 8, .language = "css"}) == Pieces{"a { x }", "b { y }"});
  CHECK(pieces_of_characters("one\r\ntwo\r\n\r\nthree", {.chunk_size = 9}) == Pieces{"one\r\ntwo", "\r\n\r\nthree"});
  CHECK(pieces_of_characters("one\r\ntwo\r\nthree", {.chunk_size = 7}) == Pieces{"one", "\r\ntwo", "\r\nthree"});
}

TEST_CASE("a piece of exactly chunk_size fits, and what has no token joins a neighbour") {
  const auto words = [](std::string_view text, std::size_t size, std::vector<std::string> separators) {
    return pieces(RecursiveCharacterTextSplitter(count_words, {.chunk_size = size, .separators = std::move(separators)}), text);
  };
  CHECK(words("word", 1, {" ", ""}) == Pieces{"word"});
  CHECK(words("a b c\nd e f", 3, {"\n", " "}) == Pieces{"a b c", "\nd e f"});
  CHECK(words("a b c d\n\n\n\ne f g h", 3, {"\n\n", " "}) == Pieces{"a b c", " d\n\n", "\n\ne f g", " h"});
  CHECK(words("\n\n\n\na b c d\n\n\n\n", 2, {"\n\n", " "}) == Pieces{"\n\n\n\na b", " c d\n\n\n\n"});
}

TEST_CASE("characters, at last, are cut between graphemes, or else between code points") {
  CHECK(pieces_of_characters("abcdef", {.chunk_size = 4, .separators = {" "}}) == Pieces{"abcd", "ef"});
  CHECK(pieces_of_characters("ae\u0301i\u0308o", {.chunk_size = 2}) == Pieces{"a", "e\u0301", "i\u0308", "o"});
  CHECK(pieces_of_characters("🇩🇪🇫🇷🇮🇹", {.chunk_size = 5}) == Pieces{"🇩🇪🇫🇷", "🇮🇹"});
  CHECK(pieces_of_characters("a👩‍👧b", {.chunk_size = 3}) == Pieces{"a", "👩‍👧", "b"});
  CHECK(pieces_of_characters("e\u0301\u0302\u0303", {.chunk_size = 2}) == Pieces{"e\u0301", "\u0302\u0303"});
  CHECK(pieces_of_characters("中文字", {.chunk_size = 1}) == Pieces{"中", "文", "字"});
}

TEST_CASE("a code point of too many tokens is a chunk that says so") {
  const auto bytes = [](std::string_view text) { return text.size(); };
  const auto chunks = RecursiveCharacterTextSplitter(bytes, {.chunk_size = 2}).split("a中b");
  CHECK(chunks == std::vector<TextChunk>{{{0, 1}, 1}, {{1, 4}, 3}, {{4, 5}, 1}});
}

TEST_CASE("the overlap begins at a separator where it can, and gives way to new text") {
  CHECK(pieces_of_characters("aa\nbb\ncc\ndd\nee", {.chunk_size = 8, .chunk_overlap = 6}) == Pieces{"aa\nbb\ncc", "\ncc\ndd", "\ndd\nee"});
  CHECK(pieces_of_characters("aaaaaaaaaaa b cccccc", {.chunk_size = 13, .chunk_overlap = 6}) == Pieces{"aaaaaaaaaaa b", " b cccccc"});
  CHECK(pieces_of_characters("abcdefghij", {.chunk_size = 4, .chunk_overlap = 2}) == Pieces{"abcd", "cdef", "efgh", "ghij"});
  CHECK(pieces_of_characters("aa bb cccc", {.chunk_size = 5, .chunk_overlap = 3}) == Pieces{"aa bb", " cccc"});
}

TEST_CASE("options that make no chunks are errors") {
  const auto message = [](const TokenCounter& counter, SplitterOptions options) -> std::string {
    try {
      RecursiveCharacterTextSplitter(counter, std::move(options));
    } catch (const Error& error) {
      CHECK(error.status() == Status::invalid_argument);
      return error.what();
    }
    return "no error";
  };
  CHECK(message(count_words, {}) == "chunks need a chunk_size, as the token counter knows no limit");
  CHECK(message(count_words, {.chunk_size = 5, .chunk_overlap = 5}) ==
        "a chunk_overlap of 5 tokens is too long for chunks of 5, 0 of them special");
  CHECK(message(count_words, {.chunk_size = 5, .chunk_overlap = 4}) == "no error");
  const auto tokenizer = test::make_tokenizer({{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n"}});
  CHECK(message(TokenCounter(tokenizer), {.chunk_size = 2}) == "chunks of at most 2 tokens leave no room beside the 2 special ones");
  CHECK(message(TokenCounter(tokenizer, 8), {.chunk_overlap = 6}) ==
        "a chunk_overlap of 6 tokens is too long for chunks of 8, 2 of them special");
  CHECK(message(TokenCounter(tokenizer, 8), {.chunk_overlap = 5}) == "no error");
  CHECK_THROWS_AS(TokenCounter(std::shared_ptr<const Tokenizer>()), Error);
}

TEST_CASE("a counter counts without the special tokens, and keeps the tokenizer that it shares") {
  auto tokenizer = test::make_tokenizer({{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n"}});
  const TokenCounter referring(*tokenizer);
  CHECK(referring("a b a") == 3);
  const TokenCounter counter(std::move(tokenizer), 7);
  CHECK(counter("a b a") == 3);
  CHECK(counter("") == 0);
  CHECK(counter.special_tokens() == 2);
  CHECK(counter.max_tokens() == 7);
  CHECK(TokenCounter(count_words)("a b") == 2);
  CHECK(TokenCounter(count_words).special_tokens() == 0);
  CHECK(TokenCounter(count_words).max_tokens() == Tokenizer::no_limit);
  const auto chunks = RecursiveCharacterTextSplitter(counter, {.chunk_size = 4}).split("a b a");
  CHECK(chunks == std::vector<TextChunk>{{{0, 3}, 4}, {{3, 5}, 3}});
}

TEST_CASE("a counter's exception reaches the caller") {
  const TokenCounter counter = [](std::string_view text) -> std::size_t {
    if (text.find('!') != std::string_view::npos) throw std::runtime_error("no");
    return text.size();
  };
  CHECK_THROWS_WITH(RecursiveCharacterTextSplitter(counter, {.chunk_size = 4}).split("abc abc !"), "no");
}

TEST_CASE("every language has separators, each but once, characters last; what is not known has those of prose") {
  const auto prose = separators_for("");
  CHECK(prose.front() == "\n\n");
  CHECK(separators_for("klingon").data() == prose.data());
  for (const std::string name :
       {"python", "javascript", "typescript", "java",     "c",      "cpp",        "csharp", "go",       "rust",  "ruby",    "php", "swift",
        "kotlin", "scala",      "lua",        "bash",     "sql",    "html",       "css",    "markdown", "latex", "haskell", "r",   "julia",
        "perl",   "dart",       "solidity",   "protobuf", "elixir", "powershell", "cobol",  "vb",       "xml",   "yaml",    "zig", "rst"}) {
    INFO(name);
    const auto separators = separators_for(name);
    CHECK(separators.data() != prose.data());
    CHECK(separators.back().empty());
    CHECK(std::ranges::find(separators, "\n") != separators.end());
    CHECK(std::set<std::string_view>(separators.begin(), separators.end()).size() == separators.size());
  }
  for (const auto& [name, other] : std::vector<std::pair<std::string, std::string>>{{"js", "javascript"},
                                                                                    {"C++", "cpp"},
                                                                                    {"c#", "csharp"},
                                                                                    {"Python", "python"},
                                                                                    {"md", "markdown"},
                                                                                    {"sh", "bash"},
                                                                                    {"ts", "typescript"}}) {
    CHECK(separators_for(name).data() == separators_for(other).data());
  }
}
