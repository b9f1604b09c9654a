#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

namespace fs = std::filesystem;
using Documents = std::vector<Document>;

EmbeddingGenerator load(std::uint32_t seed = 1, DocumentPreparator preparator = TextPreparator{}) {
  const TemporaryFolder folder;
  write_tiny_model(folder.path(), {.seed = seed});
  return EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .threads = 2, .preparator = std::move(preparator)});
}

DocumentSource source_of(const Documents& documents) {
  return [&documents, next = std::size_t{0}]() mutable -> std::optional<Document> {
    if (next == documents.size()) return std::nullopt;
    return documents[next++];
  };
}

Document document(std::size_t number, std::string content) {
  return {std::move(content),
          {.file_path = fmt::format("src/{}.py", number / 10), .line_number = static_cast<std::int64_t>(number % 10 + 1)}};
}

Documents some_documents(std::size_t count) {
  Documents documents;
  for (std::size_t i = 0; i < count; ++i)
    documents.push_back(document(i, fmt::format("open file {} and read {}", i, std::string(i % 70, 'x'))));
  return documents;
}

std::set<std::string> names(const fs::path& folder) {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) found.insert(entry.path().filename().string());
  return found;
}

std::vector<float> row(const Matrix& vectors, std::size_t number) { return {&vectors(number, 0), &vectors(number, 0) + vectors.shape(1)}; }

const EmbedCorpusOptions dated{.created = "2026-01-02T03:04:05Z"};

// What stopped a run in the middle.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace

TEST_CASE("a corpus becomes a set of all documents in their order; the second run embeds nothing and leaves the set as it is") {
  const TemporaryFolder folder;
  const auto generator = load();
  Documents documents = some_documents(300);
  documents.push_back(documents[7]);  // the same text at the same place
  documents.push_back({documents[8].content, {.file_path = "elsewhere.py"}});
  std::vector<std::string> seen;
  EmbedCorpusOptions options = dated;
  options.on_item = [&](const Document& item, const ItemReport& report) {
    CHECK(report.status == Status::ok);
    seen.push_back(item.content);
  };
  const CorpusSummary first = embed_corpus(generator, source_of(documents), folder / "a.set", options);
  CHECK(first.finished);
  CHECK(first.written);
  CHECK(first.removed == 0);
  CHECK(first.items.success == 302);
  CHECK(first.items.newly_embedded == 300);  // equal texts once
  CHECK(seen.size() == 302);
  CHECK(names(folder.path()) == std::set<std::string>{"a.set"});

  const EmbeddingSet set = load_embeddings(folder / "a.set");
  CHECK(set.documents == documents);
  CHECK(set.created == "2026-01-02T03:04:05Z");
  CHECK((set.long_text == LongTextOptions{.policy = LongText::average}));
  const EmbedResult expected = generator.embed_documents(documents, {.long_text = {.policy = LongText::average}});
  for (std::size_t i = 0; i < documents.size(); ++i) {
    REQUIRE(row(set.vectors, i) == row(expected.vectors, i));
    CHECK(set.keys[i] == content_key(TextPreparator{}(documents[i])));
  }

  const auto before = fs::last_write_time(folder / "a.set" / "model_info.json");
  const CorpusSummary second = embed_corpus(generator, source_of(documents), folder / "a.set");
  CHECK(second.finished);
  CHECK_FALSE(second.written);
  CHECK(second.items.cached == 302);
  CHECK(second.items.newly_embedded == 0);
  CHECK(fs::last_write_time(folder / "a.set" / "model_info.json") == before);
  CHECK(load_embeddings(folder / "a.set").created == "2026-01-02T03:04:05Z");

  documents.erase(documents.begin(), documents.begin() + 10);
  documents[0].content = "a new text";
  const CorpusSummary third = embed_corpus(generator, source_of(documents), folder / "a.set");
  CHECK(third.written);
  CHECK(third.items.newly_embedded == 1);
  CHECK(third.removed == 9);  // of eleven, two occur again at the end
  CHECK(load_embeddings(folder / "a.set").documents == documents);

  EmbedCorpusOptions fresh = dated;
  fresh.fresh = true;
  CHECK(embed_corpus(generator, source_of(documents), folder / "a.set", fresh).items.newly_embedded == 292);
}

TEST_CASE("a run that is broken off goes on where it was, and ends in the same bytes") {
  const auto generator = load();
  const Documents documents = some_documents(2000);
  const TemporaryFolder folder;
  REQUIRE(embed_corpus(generator, source_of(documents), folder / "whole.set", dated).finished);
  const auto bytes = [&](const char* set, const char* file) { return read(folder / set / file); };

  EmbedCorpusOptions options = dated;
  options.max_memory = 4000;  // small windows
  std::size_t embedded = 0;
  std::size_t runs = 0;
  SECTION("by what the source throws") {
    for (CorpusSummary summary; !summary.finished; ++runs) {
      REQUIRE(runs < 100);
      std::size_t given = 0;
      try {
        summary = embed_corpus(
            generator,
            [&, next = source_of(documents)]() mutable {
              if (++given == 100 * (runs + 1)) throw Broken("unplugged");
              return next();
            },
            folder / "a.set", options);
        embedded += summary.items.newly_embedded;
      } catch (const Broken&) {
        CHECK_FALSE(fs::exists(folder / "a.set"));
        CHECK(names(folder.path()) == std::set<std::string>{"whole.set", ".a.set.journal"});
      }
    }
    CHECK(runs == 21);
    CHECK(embedded < 200);  // the last run's: what was read before the source broke is kept
  }
  SECTION("by what on_item throws") {
    for (CorpusSummary summary; !summary.finished; ++runs) {
      REQUIRE(runs < 100);
      std::size_t items = 0;
      options.on_item = [&](const Document&, const ItemReport&) {
        if (++items == 150 * (runs + 1)) throw Broken("full");
      };
      try {
        summary = embed_corpus(generator, source_of(documents), folder / "a.set", options);
      } catch (const Broken&) {
        CHECK(names(folder.path()) == std::set<std::string>{"whole.set", ".a.set.journal"});
      }
    }
    CHECK(runs == 14);
  }
  SECTION("by a stop") {
    for (CorpusSummary summary; !summary.finished; ++runs) {
      REQUIRE(runs < 100);
      std::stop_source stop;
      options.stop = stop.get_token();
      options.on_item = [&, items = std::size_t{0}](const Document&, const ItemReport&) mutable {
        if (++items == 200 * (runs + 1)) stop.request_stop();
      };
      summary = embed_corpus(generator, source_of(documents), folder / "a.set", options);
      embedded += summary.items.newly_embedded;
      CHECK((summary.finished || !summary.written));
    }
    CHECK(embedded == documents.size());  // nothing twice
  }
  for (const char* file : {"embeddings.npy", "metadata.json", "model_info.json"}) CHECK(bytes("a.set", file) == bytes("whole.set", file));
  CHECK(names(folder.path()) == std::set<std::string>{"whole.set", "a.set"});
}

TEST_CASE("bad documents are told, have no row, and are tried again by the next run") {
  const TemporaryFolder folder;
  const Documents documents = {document(0, "good"), document(1, "bad"), document(2, "fine")};
  bool healed = false;
  const auto generator = load(1, [&healed](const Document& item) {
    if (item.content == "bad" && !healed) throw Broken("cannot prepare it");
    return item.content;
  });
  std::vector<std::string> failures;
  EmbedCorpusOptions options;
  options.on_item = [&](const Document& item, const ItemReport& report) {
    if (report.status != Status::ok) failures.push_back(item.content + ": " + report.message);
  };
  const CorpusSummary first = embed_corpus(generator, source_of(documents), folder / "a.set", options);
  CHECK(first.finished);
  CHECK(first.items.failed == 1);
  CHECK(failures == std::vector<std::string>{"bad: preparing the text: cannot prepare it"});
  CHECK(load_embeddings(folder / "a.set").documents == Documents{documents[0], documents[2]});
  healed = true;
  const CorpusSummary second = embed_corpus(generator, source_of(documents), folder / "a.set", options);
  CHECK(second.items.newly_embedded == 1);
  CHECK(second.items.failed == 0);
  CHECK(load_embeddings(folder / "a.set").documents == documents);
}

TEST_CASE("metadata that a set cannot hold fails its document alone") {
  const TemporaryFolder folder;
  Documents documents = some_documents(3);
  documents[1].metadata.extra["score"] = std::numeric_limits<double>::infinity();
  std::vector<std::string> failures;
  EmbedCorpusOptions options;
  options.on_item = [&](const Document&, const ItemReport& report) {
    if (report.status != Status::ok) failures.push_back(report.message);
  };
  const CorpusSummary summary = embed_corpus(load(), source_of(documents), folder / "a.set", options);
  CHECK(summary.items.failed == 1);
  CHECK(summary.items.success == 2);
  CHECK(summary.items.newly_embedded == 2);
  REQUIRE(failures.size() == 1);
  CHECK_THAT(failures[0], Catch::Contains("score"));
  CHECK(load_embeddings(folder / "a.set").documents == Documents{documents[0], documents[2]});
}

TEST_CASE("another model, or other options, embed anew; an unfinished run of theirs is not thrown away") {
  const TemporaryFolder folder;
  const Documents documents = some_documents(50);
  const auto one = load(1);
  const auto other = load(2);
  REQUIRE(embed_corpus(one, source_of(documents), folder / "a.set").finished);
  CHECK(embed_corpus(other, source_of(documents), folder / "a.set").items.newly_embedded == 50);
  EmbedCorpusOptions truncating;
  truncating.long_text = {};
  CHECK(embed_corpus(other, source_of(documents), folder / "a.set", truncating).items.newly_embedded == 50);
  CHECK(embed_corpus(other, source_of(documents), folder / "a.set", truncating).items.newly_embedded == 0);

  const auto break_off = [&](const EmbeddingGenerator& generator) {
    EmbedCorpusOptions options;
    options.on_item = [](const Document&, const ItemReport&) { throw Broken("off"); };
    CHECK_THROWS_AS(embed_corpus(generator, source_of(documents), folder / "b.set", options), Broken);
  };
  break_off(one);
  check_error(Status::invalid_argument, {".b.set.journal", "unfinished", one.info().fingerprint},
              [&] { embed_corpus(other, source_of(documents), folder / "b.set"); });
  CHECK(embed_corpus(one, source_of(documents), folder / "b.set").items.cached == 50);
  break_off(one);
  EmbedCorpusOptions fresh;
  fresh.fresh = true;
  CHECK(embed_corpus(other, source_of(documents), folder / "b.set", fresh).items.newly_embedded == 50);
  CHECK(names(folder.path()) == std::set<std::string>{"a.set", "b.set"});
}

TEST_CASE("a cache beside the store is asked and filled") {
  const TemporaryFolder folder;
  const Documents documents = some_documents(40);
  const auto generator = load();
  const auto store = GENERATE(CorpusStore::set, CorpusStore::files);
  EmbedCorpusOptions options = dated;
  options.store = store;
  options.cache = open_cache("memory:");
  CHECK(embed_corpus(generator, source_of(documents), folder / "a", options).items.newly_embedded == 40);
  CHECK(options.cache->statistics().entries == 40);
  const CorpusSummary again = embed_corpus(generator, source_of(documents), folder / "b", options);
  CHECK(again.items.cached == 40);
  CHECK(again.items.newly_embedded == 0);
  if (store == CorpusStore::set) {
    CHECK(read(folder / "a" / "embeddings.npy") == read(folder / "b" / "embeddings.npy"));
  } else {
    std::vector<std::string> texts;
    for (const Document& item : documents) texts.push_back(TextPreparator{}(item));
    CHECK(remove_completed_texts(texts, folder / "b").empty());
  }
  options.fresh = true;
  CHECK(embed_corpus(generator, source_of(documents), folder / "b", options).items.newly_embedded == 40);
}

TEST_CASE("readable files: an index, a file a text, failures among them; found again by text") {
  const TemporaryFolder folder;
  Documents documents = some_documents(20);
  documents[3].content = "bad";
  documents.push_back(documents[5]);
  bool healed = false;
  const auto generator =
      load(1, [&](const Document& item) { return item.content == "bad" && !healed ? throw Broken("no") : item.content; });
  EmbedCorpusOptions options;
  options.store = CorpusStore::files;
  const CorpusSummary first = embed_corpus(generator, source_of(documents), folder / "a", options);
  CHECK(first.finished);
  CHECK(first.written);
  CHECK(first.items.newly_embedded == 19);
  CHECK(first.items.failed == 1);
  const auto index = nlohmann::json::parse(read(folder / "a" / "embeddings_index.json"));
  CHECK(index.size() == 19);
  const auto& entry = index.at(content_key(documents[4].content));
  CHECK(entry.at("status") == "completed");
  CHECK(entry.at("text") == documents[4].content);
  CHECK(entry.at("label") == "src/0.py:5");
  CHECK(nlohmann::json::parse(read(folder / "a" / entry.at("file").get<std::string>())).at("embedding").size() == generator.dimension());

  std::vector<std::string> texts;
  for (const Document& item : documents) texts.push_back(item.content);
  const std::string fingerprint = cache_model(generator.info(), options.long_text).fingerprint;
  CHECK(remove_completed_texts(texts, folder / "a", {.fingerprint = fingerprint}) == std::vector<std::string>{"bad"});
  const EmbedResult expected = generator.embed(texts, {.long_text = options.long_text});
  const auto found = load_average_embeddings_with_fallback(texts, folder / "a");
  CHECK_FALSE(found.at("bad").has_value());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i] == "bad") continue;
    REQUIRE(found.at(texts[i]).has_value());
    CHECK(std::memcmp(found.at(texts[i])->data(), &expected.vectors(i, 0), generator.dimension() * sizeof(float)) == 0);
  }
  const CorpusSummary second = embed_corpus(generator, source_of(documents), folder / "a", options);
  CHECK(second.items.newly_embedded == 0);
  CHECK_FALSE(second.written);
  healed = true;
  CHECK(embed_corpus(generator, source_of(documents), folder / "a", options).items.newly_embedded == 1);
  CHECK(remove_completed_texts(texts, folder / "a").empty());
}

TEST_CASE("no document, one, a hundred thousand; all of them alike") {
  const TemporaryFolder folder;
  const auto generator = load();
  for (const std::size_t count : {0UL, 1UL}) {
    const Documents documents = some_documents(count);
    CHECK(embed_corpus(generator, source_of(documents), folder / "few.set").finished);
    CHECK(load_embeddings(folder / "few.set").documents == documents);
    EmbedCorpusOptions options;
    options.store = CorpusStore::files;
    CHECK(embed_corpus(generator, source_of(documents), folder / "few.files", options).finished);
  }
  std::size_t given = 0;
  const auto many = [&]() -> std::optional<Document> {
    if (given == 100'000) return std::nullopt;
    ++given;
    return document(given, fmt::format("read {}", given));
  };
  const CorpusSummary summary = embed_corpus(generator, many, folder / "many.set");
  CHECK(summary.items.newly_embedded == 100'000);
  CHECK(load_embeddings(folder / "many.set").documents[99'999].content == "read 100000");
  given = 0;
  CHECK(embed_corpus(generator, many, folder / "many.set").items.cached == 100'000);

  const Documents alike(10'000, document(1, "the same"));
  CHECK(embed_corpus(generator, source_of(alike), folder / "alike.set").items.newly_embedded == 1);
  CHECK(load_embeddings(folder / "alike.set").documents.size() == 10'000);
}

TEST_CASE("places and arguments that cannot be used are errors, and nothing is changed") {
  const TemporaryFolder folder;
  const auto generator = load();
  const Documents documents = some_documents(5);
  write(folder / "mine" / "notes.txt", "mine");
  for (const auto store : {CorpusStore::set, CorpusStore::files}) {
    EmbedCorpusOptions options;
    options.store = store;
    check_error(Status::invalid_argument, {"mine", "left as it is"},
                [&] { embed_corpus(generator, source_of(documents), folder / "mine", options); });
    check_error(Status::invalid_argument, {"source"}, [&] { embed_corpus(generator, {}, folder / "a", options); });
    options.max_memory = 0;
    check_error(Status::invalid_argument, {"max_memory"}, [&] { embed_corpus(generator, source_of(documents), folder / "a", options); });
    options.max_memory = 100;
    options.long_text.chunk_overlap = 1000;
    check_error(Status::invalid_argument, {"1000"}, [&] { embed_corpus(generator, source_of(documents), folder / "b", options); });
  }
  CHECK(read(folder / "mine" / "notes.txt") == "mine");
  CHECK_FALSE(fs::exists(folder / "a"));
  CHECK_FALSE(is_embedding_set(folder / "b"));
}

TEST_CASE("options that leave no room for a text destroy nothing") {
  const TemporaryFolder folder;
  const auto generator = load();
  const Documents documents = some_documents(5);
  EmbedCorpusOptions options;
  options.store = CorpusStore::files;
  embed_corpus(generator, source_of(documents), folder / "a", options);
  options.fresh = true;
  options.long_text.chunk_size = 1;
  check_error(Status::invalid_argument, {"no room"}, [&] { embed_corpus(generator, source_of(documents), folder / "a", options); });
  CHECK(load_average_embeddings_with_fallback(std::vector<std::string>{TextPreparator{}(documents[0])}, folder / "a")
            .begin()
            ->second.has_value());
  write(folder / "mine" / "notes.txt", "mine");
  check_error(Status::invalid_argument, {"mine"}, [&] { embed_corpus(generator, source_of(documents), folder / "mine"); });
  CHECK(names(folder.path()) == std::set<std::string>{"a", "mine"});
}

TEST_CASE("a damaged file of a store is made good from the cache") {
  const TemporaryFolder folder;
  const auto generator = load();
  const Documents documents = some_documents(5);
  EmbedCorpusOptions options;
  options.store = CorpusStore::files;
  options.cache = open_cache("memory:");
  embed_corpus(generator, source_of(documents), folder / "a", options);
  const std::string key = content_key(TextPreparator{}(documents[2]));
  const fs::path file = folder / "a" / "embeddings_data" / (key + ".json");
  const std::string whole = read(file);
  write(file, whole.substr(0, whole.size() / 2));
  const CorpusSummary summary = embed_corpus(generator, source_of(documents), folder / "a", options);
  CHECK(summary.items.newly_embedded == 0);
  CHECK(summary.written);
  CHECK(nlohmann::json::parse(read(file)).at("embedding") == nlohmann::json::parse(whole).at("embedding"));
  CHECK(nlohmann::json::parse(read(file)).at("label") == "src/0.py:3");
}

TEST_CASE("one process at a time writes a set") {
  const TemporaryFolder folder;
  const auto generator = load();
  const Documents documents = some_documents(5);
  bool tried = false;
  EmbedCorpusOptions options;
  options.on_item = [&](const Document&, const ItemReport&) {
    if (std::exchange(tried, true)) return;
    check_error(Status::io_error, {"being written"}, [&] { embed_corpus(load(), source_of(documents), folder / "a.set"); });
  };
  CHECK(embed_corpus(generator, source_of(documents), folder / "a.set", options).finished);
  CHECK(tried);
}

}  // namespace inlay::test
