#include <sys/stat.h>

#include <inlay/corpus.hpp>
#include <inlay/error.hpp>
#include <sstream>
#include <thread>

#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace inlay;
using inlay::test::TemporaryFolder;
using inlay::test::write;

namespace {

std::vector<Document> from_stream(const std::string& text, CorpusFormat format, const std::string& column = {}) {
  std::istringstream stream(text);
  return read_corpus(stream, "-", {.format = format, .column = column});
}

std::vector<std::string> contents(const std::vector<Document>& documents) {
  std::vector<std::string> texts;
  for (const Document& document : documents) texts.push_back(document.content);
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a format is told by the ending, in any case; other files are read whole") {
  const TemporaryFolder folder;
  CHECK(corpus_format(folder.path()) == CorpusFormat::folder);
  CHECK(corpus_format("a.TXT") == CorpusFormat::text);
  CHECK(corpus_format("a.json") == CorpusFormat::json);
  CHECK(corpus_format("a.jsonl") == CorpusFormat::jsonl);
  CHECK(corpus_format("a.ndjson") == CorpusFormat::jsonl);
  CHECK(corpus_format("a.csv") == CorpusFormat::csv);
  CHECK(corpus_format("a.py") == CorpusFormat::folder);
  const auto documents = read_corpus(write(folder / "a.py", "\xEF\xBB\xBFx = 1\n"));
  REQUIRE(documents.size() == 1);
  CHECK(documents[0].content == "x = 1\n");
  CHECK(documents[0].metadata.language == "python");
  CHECK(documents[0].metadata.file_name == "a.py");
  CHECK(documents[0].metadata.line_number == 1);
}

TEST_CASE("text: a line a text, with its place; the last line needs no end") {
  const TemporaryFolder folder;
  const auto path = write(folder / "a.txt", "\xEF\xBB\xBFone\r\n\ncaf\xE9\nlast");
  const auto documents = read_corpus(path);
  CHECK(contents(documents) == Texts{"one", "", "caf\xEF\xBF\xBD", "last"});
  CHECK(documents[2].metadata == Metadata{.file_path = path.string(), .line_number = 3});
  CHECK(read_corpus(write(folder / "b.txt", "")).empty());
  CHECK(contents(from_stream("a\nb\n", CorpusFormat::automatic)) == Texts{"a", "b"});
  CHECK(from_stream("a\nb\n", CorpusFormat::text)[1].metadata == Metadata{.line_number = 2});
}

TEST_CASE("jsonl: strings and objects, whose other fields are metadata of their own type") {
  const auto documents = from_stream(
      "\"plain\"\n\n"
      R"({"text": "t", "content": "c", "language": "go", "file_path": "a.go", "line_number": 7, )"
      R"("n": 1, "x": 1.5, "b": true, "z": null, "l": [1.0, 2]})"
      "\r\n"
      R"({"content": "c", "text": 5, "language": ["go"], "line_number": "7", "id": "i"})",
      CorpusFormat::jsonl);
  CHECK(contents(documents) == Texts{"plain", "t", "c"});
  CHECK(documents[0].metadata == Metadata{.line_number = 1});
  CHECK(documents[1].metadata == Metadata{.file_path = "a.go",
                                          .language = "go",
                                          .line_number = 7,
                                          .extra = {{"content", std::string("c")},
                                                    {"n", std::int64_t{1}},
                                                    {"x", 1.5},
                                                    {"b", true},
                                                    {"z", nullptr},
                                                    {"l", JsonText{"[1.0, 2]"}}}});
  CHECK(documents[2].metadata == Metadata{.line_number = 4,
                                          .extra = {{"text", std::int64_t{5}},
                                                    {"language", JsonText{"[\"go\"]"}},
                                                    {"line_number", std::string("7")},
                                                    {"id", std::string("i")}}});
}

TEST_CASE("json: an array of texts, or an object of texts by key") {
  const auto list = from_stream(R"( ["a", {"text": "b", "tag": "x"}] )", CorpusFormat::json);
  CHECK(contents(list) == Texts{"a", "b"});
  CHECK(list[1].metadata == Metadata{.extra = {{"tag", std::string("x")}}});
  const auto object = from_stream(R"({"first": "a", "second": {"content": "b"}})", CorpusFormat::json);
  CHECK(contents(object) == Texts{"a", "b"});
  CHECK(object[1].metadata == Metadata{.extra = {{"json_key", std::string("second")}}});
  CHECK(from_stream("[]", CorpusFormat::json).empty());
}

TEST_CASE("csv: the first column or a named one is the text, the others are metadata") {
  const std::string text = "id,body,language,line_number,body,\r\n1,\"x, y\",go,12,z,w\r\n";
  const auto first = from_stream(text, CorpusFormat::csv);
  CHECK(contents(first) == Texts{"1"});
  const auto body = from_stream(text, CorpusFormat::csv, "body");
  CHECK(contents(body) == Texts{"x, y"});
  CHECK(body[0].metadata == Metadata{.language = "go",
                                     .line_number = 12,
                                     .extra = {{"id", std::string("1")}, {"body.1", std::string("z")}, {"column_6", std::string("w")}}});
  CHECK(from_stream("", CorpusFormat::csv).empty());
  CHECK(contents(from_stream("id,content\n1,a\n", CorpusFormat::csv)) == Texts{"a"});
  CHECK(contents(from_stream("id,content,text\n1,a,b\n", CorpusFormat::csv)) == Texts{"b"});
  CHECK_THROWS_WITH(from_stream(text, CorpusFormat::csv, "text"),
                    Catch::Contains("- has no column \"text\"; it has id, body, language, line_number, body.1, column_6"));
}

TEST_CASE("bad input is an error that names the place") {
  const auto message = [](const std::string& text, CorpusFormat format) {
    try {
      static_cast<void>(from_stream(text, format));
    } catch (const Error& error) {
      CHECK(error.status() == Status::invalid_data);
      return std::string(error.what());
    }
    return std::string("was read");
  };
  CHECK_THAT(message("\"a\"\n{\"text\": 1}\n", CorpusFormat::jsonl), Catch::Contains("-:2 has no string `text` or `content`"));
  CHECK_THAT(message("\"a\"\n\n\"b\n", CorpusFormat::jsonl), Catch::Contains("-:3 is not valid JSON"));
  CHECK_THAT(message("\"a\"\n[\"b\"]\n", CorpusFormat::jsonl), Catch::Contains("-:2 is neither a string nor an object"));
  CHECK_THAT(message("\"a\" \"b\"\n", CorpusFormat::jsonl), Catch::Contains("-:1 is not valid JSON"));
  CHECK_THAT(message("[\"a\", 5]", CorpusFormat::json), Catch::Contains("-, item 1 is neither"));
  CHECK_THAT(message("{\"k\": []}", CorpusFormat::json), Catch::Contains("-, item \"k\" is neither"));
  CHECK_THAT(message("\"a\"", CorpusFormat::json), Catch::Contains("- is neither a JSON array nor an object"));
  CHECK_THAT(message("", CorpusFormat::json), Catch::Contains("- is not valid JSON"));
  CHECK_THAT(message("a,b\n1,2\n1\n", CorpusFormat::csv), Catch::Contains("-:3: a record of 1 fields, where the header has 2"));
  CHECK_THROWS_WITH(from_stream("", CorpusFormat::folder), Catch::Contains("- is not a folder"));
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read_corpus(folder.path(), {.format = CorpusFormat::csv}), Catch::Contains("is a folder"));
  CHECK_THROWS_WITH(read_corpus(folder / "none.txt"), Catch::Contains("none.txt"));
}

TEST_CASE("JSONTestSuite as a corpus: nothing invalid is read") {
  const auto data = test::data_folder();
  INLAY_SKIP_WITHOUT(data, "INLAY_DATA");
  for (const auto& entry : std::filesystem::directory_iterator(*data / "json")) {
    const std::string name = entry.path().filename().string();
    bool read = true;
    for (const CorpusFormat format : {CorpusFormat::json, CorpusFormat::jsonl}) {
      try {
        static_cast<void>(read_corpus(entry.path(), {.format = format}));
      } catch (const Error& error) {
        read = false;
        if (error.status() != Status::invalid_data) FAIL_CHECK(name << ": " << error.what());
      }
      if (name.starts_with("n_") && format == CorpusFormat::json && read) FAIL_CHECK(name << " was read");
    }
  }
}

TEST_CASE("a bad record is told and left out, where that is asked for; those behind it are read") {
  const auto read = [](const std::string& text, CorpusFormat format) {
    std::vector<std::string> messages;
    std::istringstream stream(text);
    const auto documents =
        read_corpus(stream, "-", {.format = format, .on_bad_record = [&](std::string_view message) { messages.emplace_back(message); }});
    return std::pair(contents(documents), messages);
  };
  using Messages = std::vector<std::string>;
  CHECK(read("\"a\"\n{}\n\"b\"\n", CorpusFormat::jsonl) == std::pair(Texts{"a", "b"}, Messages{"-:2 has no string `text` or `content`"}));
  const auto [texts, messages] = read("\"a\"\n{\n\xFF\n\"b\"", CorpusFormat::jsonl);
  CHECK(texts == Texts{"a", "b"});
  CHECK(messages.size() == 2);
  CHECK(read("[\"a\", 5, \"b\", {}]", CorpusFormat::json) ==
        std::pair(Texts{"a", "b"}, Messages{"-, item 1 is neither a string nor an object", "-, item 3 has no string `text` or `content`"}));
  CHECK(read("a,b\n1,2\n3\n\"4\"x,5\n6,7\n", CorpusFormat::csv) ==
        std::pair(Texts{"1", "6"}, Messages{"-:3: a record of 1 fields, where the header has 2", "-:4: text behind a quoted field"}));
  CHECK_THROWS_WITH(read("[\"a\", 5", CorpusFormat::json), Catch::Contains("- is not valid JSON"));
  CHECK_THROWS_WITH(read("a,b\n1,2\n\"3,4\n5,6\n", CorpusFormat::csv), Catch::Contains("-:3: a quoted field has no end"));
}

TEST_CASE("a reader gives what read_corpus gives, one by one, from pieces of any size") {
  // A stream that hands out few bytes at a time: every cut in the middle of a line, a quote, a character.
  class Trickle final : public std::streambuf {
   public:
    Trickle(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}

   private:
    int_type underflow() override {
      if (next_ == text_.size()) return traits_type::eof();
      const std::size_t count = std::min(piece_, text_.size() - next_);
      setg(text_.data() + next_, text_.data() + next_, text_.data() + next_ + count);
      next_ += count;
      return traits_type::to_int_type(*gptr());
    }
    std::string text_;
    std::size_t piece_;
    std::size_t next_ = 0;
  };
  const std::string lines = "\xEF\xBB\xBF" + std::string(200'000, 'x') + "\r\n\n\xE4\xB8\xAD\xE6\x96\r\nlast";
  std::string csv = "\xEF\xBB\xBFtext,line_number\r\n\"a \"\"quoted\"\"\r\n, one\",7\r\rb,8\n\n5\" disk,9\nc,\"\"\n\"d\",\"\n\"";
  for (int i = 0; i < 3000; ++i) csv += "\r\n\"row\n" + std::to_string(i) + "\"," + std::to_string(i);
  for (const auto& [text, format, count] : {std::tuple(lines, CorpusFormat::text, 4UL), std::tuple(csv, CorpusFormat::csv, 3005UL),
                                            std::tuple(std::string("\n\n\"a\"\n\n"), CorpusFormat::jsonl, 1UL)}) {
    const auto expected = from_stream(text, format);
    REQUIRE(expected.size() == count);
    for (const std::size_t piece : {1UL, 2UL, 3UL, 1000UL, 65'536UL, 1UL << 30}) {
      Trickle buffer(text, piece);
      std::istream stream(&buffer);
      CorpusReader reader(stream, "-", {.format = format});
      CHECK(reader.fraction() == 0);
      for (const Document& document : expected) REQUIRE(reader.next() == document);
      CHECK_FALSE(reader.next());
      CHECK_FALSE(reader.next());
      CHECK(reader.fraction() == 1);
    }
    const TemporaryFolder folder;
    CorpusReader reader(write(folder / "x", text), {.format = format});
    double before = 0;
    for (const Document& document : expected) {
      REQUIRE(reader.next()->content == document.content);
      CHECK(reader.fraction() >= before);
      CHECK(reader.fraction() <= 1);
      before = reader.fraction();
    }
    CHECK_FALSE(reader.next());
    CHECK(reader.fraction() == 1);
  }
  CHECK(from_stream(csv, CorpusFormat::csv)[0].content == "a \"quoted\"\r\n, one");
  CHECK(from_stream(csv, CorpusFormat::csv)[2].content == "5\" disk");
  CHECK(from_stream(csv, CorpusFormat::csv)[3004].metadata.line_number == 2999);
}

TEST_CASE("after an error a reader has no more") {
  std::istringstream stream("\"a\"\n5\n\"b\"\n");
  CorpusReader reader(stream, "-", {.format = CorpusFormat::jsonl});
  CHECK(reader.next()->content == "a");
  CHECK_THROWS_WITH(reader.next(), Catch::Contains("-:2"));
  CHECK_FALSE(reader.next());
}

TEST_CASE("a pipe that is named is read to its end") {
  const TemporaryFolder folder;
  const auto pipe = folder / "pipe.txt";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::jthread writer([&] { std::ofstream(pipe) << "a\nb\n"; });
  CHECK(contents(read_corpus(pipe)) == Texts{"a", "b"});
}
