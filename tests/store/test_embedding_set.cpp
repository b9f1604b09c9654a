#include <inlay/embedding_set.hpp>
#include <inlay/error.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace inlay;
using inlay::test::TemporaryFolder;
using inlay::test::write;
namespace fs = std::filesystem;

namespace {

ModelInfo model() {
  return {.name = "all-MiniLM-L6-v2",
          .path = "models/\"quoted\"/all-MiniLM-L6-v2",
          .architecture = "bert",
          .dimension = 3,
          .max_sequence_length = 256,
          .vocabulary_size = 30522,
          .layers = 6,
          .parameters = 22713216,
          .pooling = "mean",
          .normalized = false,
          .precision = "fp32",
          .device = "cpu",
          .kernels = "avx2",
          .threads = 2,
          .prompts = {{"query", "query: "}, {"passage", ""}},
          .fingerprint = "0123456789abcdef",
          .library_version = "0.1.0"};
}

EmbeddingSet sample() {
  EmbeddingSet set;
  set.vectors = {{1, 2, 3}, {0.1F, -0.0F, std::numeric_limits<float>::denorm_min()}, {-1e38F, 1e-38F, 3.14159265F}};
  set.documents = {{"def login(user): ...\n\t\"\\\x01\x7f",
                    {.file_path = "src/auth.py",
                     .file_name = "auth.py",
                     .file_type = "python",
                     .language = "python",
                     .function_name = "login",
                     .class_name = "Auth",
                     .line_number = 17}},
                   {std::string("NUL \0, \xE4\xB8\xAD\xE6\x96\x87, \xF0\x9F\x98\x80", 19), {}},
                   {"",
                    {.extra = {{"nothing", nullptr},
                               {"flag", true},
                               {"count", std::int64_t{-9223372036854775807}},
                               {"ratio", 0.1},
                               {"whole", 5.0},
                               {"small", 5e-324},
                               {"author", std::string("ada")},
                               {"tags", JsonText{R"([ 1.0, {"a":"]"} , 1e2])"}},
                               {"big", JsonText{"18446744073709551615"}},
                               // names of fields that a row has of its own
                               {"content", std::string("not this row's")},
                               {"language", JsonText{R"(["c", "c++"])"}},
                               {"line_number", std::string("12a")},
                               {"extra", std::int64_t{1}},
                               {"key", 2.5}}}}};
  set.keys = {content_key("a"), content_key("b"), content_key("c")};
  set.model = model();
  set.created = "2024-02-29T23:59:59Z";
  return set;
}

void check_equal(const EmbeddingSet& a, const EmbeddingSet& b) {
  CHECK(a.vectors.shape() == b.vectors.shape());
  CHECK(std::memcmp(a.vectors.data(), b.vectors.data(), a.vectors.size() * sizeof(float)) == 0);
  REQUIRE(a.documents.size() == b.documents.size());
  for (std::size_t row = 0; row < a.documents.size(); ++row) {
    INFO("row " << row);
    CHECK((a.documents[row] == b.documents[row]));
  }
  CHECK(a.keys == b.keys);
  CHECK((a.model == b.model));
  CHECK(a.created == b.created);
}

Status status_of(const std::function<void()>& action, std::string& message) {
  try {
    action();
  } catch (const Error& error) {
    message = error.what();
    return error.status();
  }
  message.clear();
  return Status::ok;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a set comes back exactly as it was saved") {
  const TemporaryFolder folder;
  const EmbeddingSet set = sample();
  save_embeddings(folder / "a.set", set);
  check_equal(load_embeddings(folder / "a.set"), set);
  CHECK(is_embedding_set(folder / "a.set"));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("metadata.json holds an object per row with the known fields and the extra ones by name") {
  const TemporaryFolder folder;
  save_embeddings(folder / "a.set", sample());
  const auto rows = nlohmann::json::parse(test::read(folder / "a.set" / "metadata.json"));
  REQUIRE(rows.size() == 3);
  CHECK(rows[0] == nlohmann::json{{"content", "def login(user): ...\n\t\"\\\x01\x7f"},
                                  {"file_path", "src/auth.py"},
                                  {"file_name", "auth.py"},
                                  {"file_type", "python"},
                                  {"language", "python"},
                                  {"function_name", "login"},
                                  {"class_name", "Auth"},
                                  {"line_number", 17},
                                  {"key", content_key("a")}});
  CHECK(rows[1].size() == 2);
  CHECK(rows[2]["tags"] == nlohmann::json::parse(R"([1.0, {"a": "]"}, 100.0])"));
  CHECK(rows[2]["key"] == content_key("c"));
  CHECK(rows[2]["extra"] ==
        nlohmann::json{{"content", "not this row's"}, {"language", {"c", "c++"}}, {"line_number", "12a"}, {"extra", 1}, {"key", 2.5}});
  const auto info = nlohmann::json::parse(test::read(folder / "a.set" / "model_info.json"));
  CHECK(info["fingerprint"] == "0123456789abcdef");
  CHECK(info["created"] == "2024-02-29T23:59:59Z");
  auto described = nlohmann::json::parse(to_json(model()));
  described["created"] = info["created"];
  described["long_text"] = {{"policy", "truncate"}, {"chunk_size", 0}, {"chunk_overlap", 0}};
  CHECK(described == info);
}

TEST_CASE("the time of saving is filled in, in UTC") {
  const TemporaryFolder folder;
  EmbeddingSet set = sample();
  set.created.clear();
  save_embeddings(folder / "a.set", set);
  std::tm clock{};
  const std::string created = load_embeddings(folder / "a.set").created;
  const char* end = ::strptime(created.c_str(), "%Y-%m-%dT%H:%M:%SZ", &clock);
  REQUIRE(end != nullptr);
  CHECK(*end == '\0');
  CHECK(std::abs(static_cast<long>(::timegm(&clock) - std::time(nullptr))) < 60);
}

TEST_CASE("an empty set keeps the model's width") {
  const TemporaryFolder folder;
  EmbeddingSet set;
  set.model = model();
  save_embeddings(folder / "a.set", set);
  const EmbeddingSet loaded = load_embeddings(folder / "a.set");
  CHECK((loaded.vectors.shape() == Matrix::shape_type{0, 3}));
  CHECK(loaded.documents.empty());
}

TEST_CASE("bytes that are not UTF-8 are written as U+FFFD") {
  const TemporaryFolder folder;
  EmbeddingSet set = sample();
  set.documents[0].content = "caf\xE9 \xE1\x80\xE2";
  set.documents[0].metadata.file_path = "\xFF.py";
  set.documents[0].metadata.extra["\xC0"] = std::string("\xF0\x9F");
  save_embeddings(folder / "a.set", set);
  const Document document = load_embeddings(folder / "a.set").documents[0];
  CHECK(document.content == "caf\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(document.metadata.file_path == "\xEF\xBF\xBD.py");
  CHECK((document.metadata.extra.at("\xEF\xBF\xBD") == MetadataValue(std::string("\xEF\xBF\xBD"))));
}

TEST_CASE("a result is saved with its documents, and a failed item is refused by its number and reason") {
  const TemporaryFolder folder;
  const EmbeddingSet set = sample();
  EmbedResult result{set.vectors, {{}, {}, {}}};
  save_embeddings(folder / "a.set", result, set.documents, set.model);
  const EmbeddingSet loaded = load_embeddings(folder / "a.set");
  CHECK(loaded.keys.empty());
  CHECK((loaded.documents == set.documents));
  result.items[1] = {Status::cancelled, 0, 0, "the caller asked to stop"};
  std::string message;
  CHECK(status_of([&] { save_embeddings(folder / "b.set", result, set.documents, set.model); }, message) == Status::invalid_argument);
  CHECK_THAT(message, Catch::Contains("item 1") && Catch::Contains("the caller asked to stop"));
  CHECK_FALSE(fs::exists(folder / "b.set"));
}

TEST_CASE("what does not fit together is refused and nothing is written") {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::function<void(EmbeddingSet&)>, std::string>> cases = {
      {[](EmbeddingSet& set) { set.documents.pop_back(); }, "3 vectors and 2 documents"},
      {[](EmbeddingSet& set) { set.keys.pop_back(); }, "3 vectors and 2 keys"},
      {[](EmbeddingSet& set) { set.model.dimension = 4; }, "3 components, where the model makes 4"},
      {[](EmbeddingSet& set) { set.vectors(1, 2) = std::numeric_limits<float>::quiet_NaN(); }, "row 1"},
      {[](EmbeddingSet& set) { set.vectors(2, 0) = std::numeric_limits<float>::infinity(); }, "row 2"},
      {[](EmbeddingSet& set) { set.documents[1].metadata.extra["x"] = std::numeric_limits<double>::infinity(); },
       "document 1: the extra field \"x\" is inf"},
      {[](EmbeddingSet& set) { set.documents[1].metadata.extra["x"] = JsonText{"[1,"}; },
       "document 1: the extra field \"x\" is not valid JSON"},
      {[](EmbeddingSet& set) { set.documents[1].metadata.extra["x"] = JsonText{""}; },
       "document 1: the extra field \"x\" is not valid JSON"},
  };
  for (const auto& [spoil, reason] : cases) {
    EmbeddingSet set = sample();
    spoil(set);
    std::string message;
    CHECK(status_of([&] { save_embeddings(folder / "a.set", set); }, message) == Status::invalid_argument);
    CHECK_THAT(message, Catch::Contains(reason));
  }
  CHECK(entries(folder.path()) == 0);
}

TEST_CASE("a set is replaced whole; anything else in its place stays and is an error") {
  const TemporaryFolder folder;
  save_embeddings(folder / "a.set", sample());
  EmbeddingSet other = sample();
  other.documents[0].content = "other";
  save_embeddings(folder / "a.set/", other);
  check_equal(load_embeddings(folder / "a.set"), other);
  fs::create_directory(folder / "empty");
  save_embeddings(folder / "empty", other);
  fs::create_directory_symlink("a.set", folder / "link");
  save_embeddings(folder / "link", sample());
  CHECK(fs::is_symlink(folder / "link"));
  check_equal(load_embeddings(folder / "a.set"), sample());

  write(folder / "file", "mine");
  write(folder / "folder/notes.txt", "mine");
  save_embeddings(folder / "mixed", other);
  write(folder / "mixed/notes.txt", "mine");
  std::string message;
  for (const char* name : {"file", "folder", "mixed"}) {
    CHECK(status_of([&] { save_embeddings(folder / name, sample()); }, message) == Status::invalid_argument);
    CHECK_THAT(message, Catch::Contains(name) && Catch::Contains("is not an embedding set"));
  }
  CHECK(test::read(folder / "file") == "mine");
  CHECK(test::read(folder / "folder/notes.txt") == "mine");
  CHECK(test::read(folder / "mixed/notes.txt") == "mine");
  CHECK(status_of([&] { save_embeddings(folder / "file/a.set", sample()); }, message) != Status::ok);
  CHECK_THAT(message, Catch::Contains("a.set"));
  CHECK(entries(folder.path()) == 6);
}

TEST_CASE("damaged sets are errors that name the file") {
  const TemporaryFolder folder;
  const fs::path set = folder / "a.set";
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {"metadata.json", "", "metadata.json is not valid JSON"},
      {"metadata.json", "[", "metadata.json is not valid JSON"},
      {"metadata.json", "3", "metadata.json is not an array of rows"},
      {"metadata.json", "{\"a\": {\"content\": \"\"}}", "metadata.json is not an array of rows"},
      {"metadata.json", "[1, 2, 3]", "row 0 is not an object"},
      {"metadata.json", "[{\"content\": \"a\"}, {\"language\": \"c\"}, {}]", "row 1 has no content"},
      {"metadata.json", "[{\"content\": 1}]", "row 0: content is not a string"},
      {"metadata.json", "[{\"content\": \"a\", \"language\": 1}]", "row 0: language is not a string"},
      {"metadata.json", "[{\"content\": \"a\", \"line_number\": 1.5}]", "row 0: line_number is not an integer"},
      {"metadata.json", "[{\"content\": \"a\", \"extra\": []}]", "row 0: extra is not an object"},
      {"metadata.json", "[{\"content\": \"a\"}]", "has 3 rows, metadata.json has 1"},
      {"metadata.json", "[{\"content\": \"a\"}, {\"content\": \"a\", \"key\": \"k\"}, {\"content\": \"a\"}]", "only 1 of 3 rows"},
      {"model_info.json", "[]", "is not a JSON object"},
      {"model_info.json", "{}", "dimension is missing"},
      {"model_info.json", R"({"dimension": 3})", "fingerprint is missing"},
      {"model_info.json", R"({"dimension": -3, "fingerprint": ""})", "dimension is not a count"},
      {"model_info.json", R"({"dimension": 3, "fingerprint": 5})", "fingerprint is not a string"},
      {"model_info.json", R"({"dimension": 3, "fingerprint": "", "normalized": 1})", "normalized is neither"},
      {"model_info.json", R"({"dimension": 3, "fingerprint": "", "prompts": {"a": 1}})", "prompts holds"},
      {"model_info.json", R"({"dimension": 4, "fingerprint": ""})", "3 components a row, model_info.json says 4"},
      {"embeddings.npy", "", "embeddings.npy is not an npy file"},
  };
  for (const auto& [file, bytes, reason] : cases) {
    save_embeddings(set, sample());
    write(set / file, bytes);
    std::string message;
    CHECK(status_of([&] { static_cast<void>(load_embeddings(set)); }, message) == Status::invalid_data);
    CHECK_THAT(message, Catch::Contains(reason));
  }
  for (const char* file : {"metadata.json", "model_info.json", "embeddings.npy"}) {
    save_embeddings(set, sample());
    fs::remove(set / file);
    std::string message;
    CHECK(status_of([&] { static_cast<void>(load_embeddings(set)); }, message) == Status::not_found);
    CHECK_THAT(message, Catch::Contains(file));
    fs::remove_all(set);
  }
  std::string message;
  CHECK(status_of([&] { static_cast<void>(load_embeddings(folder / "none")); }, message) == Status::not_found);
}

TEST_CASE("unknown fields of a later version are passed over") {
  const TemporaryFolder folder;
  save_embeddings(folder / "a.set", sample());
  auto info = nlohmann::json::parse(test::read(folder / "a.set/model_info.json"));
  info["quantised"] = {{"bits", 8}};
  write(folder / "a.set/model_info.json", info.dump());
  check_equal(load_embeddings(folder / "a.set"), sample());
}

TEST_CASE("a reader never sees half of one set and half of another") {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.set";
  const auto numbered = [](std::size_t number) {
    EmbeddingSet set;
    set.model = model();
    set.model.name = std::to_string(number);
    set.vectors = xt::ones<float>({number % 7 + 1, std::size_t{3}}) * static_cast<float>(number);
    set.documents.assign(number % 7 + 1, {std::to_string(number), {}});
    return set;
  };
  save_embeddings(path, numbered(0));
  std::jthread writer([&](const std::stop_token& stop) {
    for (std::size_t number = 1; !stop.stop_requested(); ++number) save_embeddings(path, numbered(number));
  });
  for (int reading = 0; reading < 300; ++reading) {
    const EmbeddingSet set = load_embeddings(path);
    REQUIRE(set.documents.front().content == set.model.name);
    REQUIRE(std::to_string(static_cast<int>(set.vectors(0, 0))) == set.model.name);
  }
}

TEST_CASE("a content key is XXH3-128 in hexadecimal") {
  CHECK(content_key("") == "99aa06d3014798d86001c324468d497f");  // xxHash's own test vector
  CHECK(content_key("a") != content_key("b"));
  CHECK(content_key("a") == content_key(std::string("a")));
}
