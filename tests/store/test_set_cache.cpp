#include <limits>

#include "cache_support.hpp"
#include "platform/memory.hpp"
#include "store/cache_chain.hpp"
#include "store/set_cache.hpp"
#include "store/vector_journal.hpp"
#include "support/child.hpp"
#include "support/errors.hpp"
#include "support/sanitized.hpp"

using namespace inlay;
using namespace inlay::test;
using store::CacheChain;
using store::SetCache;
namespace fs = std::filesystem;

namespace {

ModelInfo info_of(const CacheModel& model) { return {.name = model.name, .dimension = model.dimension, .fingerprint = model.fingerprint}; }

Document document_of(std::size_t number) {
  return {"text " + std::to_string(number),
          {.file_path = "src/file.py",
           .function_name = "function_" + std::to_string(number),
           .line_number = static_cast<std::int64_t>(number)}};
}

void write_set(const fs::path& place, const CacheModel& model, std::size_t first, std::size_t count) {
  EmbeddingSetWriter writer(place, info_of(model));
  for (std::size_t i = first; i < first + count; ++i) writer.append(document_of(i), cache_key(i), cache_vector(model, cache_key(i)));
  writer.commit();
}

}  // namespace

TEST_CASE("a set's vectors are found by its keys, for its model alone, and stay so when the set is replaced or deleted") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(7);
  write_set(folder / "a.set", model, 0, 100);
  const auto cache = SetCache::open(folder / "a.set");
  CHECK((cache->model() == model));
  CHECK(count_found(*cache, model, 0, 200) == 100);
  CHECK(count_found(*cache, cache_test_model(7, "fingerprint-b"), 0, 100) == 0);
  CHECK(count_found(*cache, cache_test_model(8), 0, 100) == 0);
  CHECK(cache->statistics().entries == 100);
  CHECK(cache->statistics().hits == 100);
  CHECK(cache->statistics().misses == 300);
  CHECK_FALSE(cache->statistics().persistent);
  CHECK(cache->verify().entries == 100);
  CHECK(cache->verify().ok());

  write_set(folder / "a.set", model, 500, 3);
  CHECK(count_found(*cache, model, 0, 100) == 100);
  CHECK(count_found(*SetCache::open(folder / "a.set"), model, 500, 3) == 3);
  fs::remove_all(folder / "a.set");
  CHECK(count_found(*cache, model, 0, 100) == 100);

  cache->insert(model, cache_entries(model, 100, 5));
  CHECK(count_found(*cache, model, 100, 5) == 0);
  check_error(Status::invalid_argument, {"fingerprint"}, [&] { cache->insert({}, {}); });
  check_error(Status::unsupported, {"a.set"}, [&] { cache->prune({}); });
}

TEST_CASE("a walk over a set hands over labels and names") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  write_set(folder / "a.set", model, 1, 20);
  const auto cache = SetCache::open(folder / "a.set");
  std::vector<CacheEntry> entries;
  cache->for_each([&](const CacheModel& walked, const CacheEntry& entry) {
    CHECK((walked == model));
    entries.push_back(entry);
  });
  CHECK((entries == cache_entries(model, 1, 20)));
}

TEST_CASE("rows of any keys are found, of equal ones the later, and sets without keys hold nothing") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  EmbeddingSet set;
  set.model = info_of(model);
  set.vectors = {{1, 1}, {2, 2}, {3, 3}};
  set.documents.resize(3);
  set.keys = {"a key with \"quotes\"", "b", "b"};
  save_embeddings(folder / "a.set", set);
  std::vector<float> vectors(4);
  CHECK(SetCache::open(folder / "a.set")->find(model, std::vector<std::string>{"b", set.keys[0]}, vectors) ==
        std::vector<bool>{true, true});
  CHECK(vectors == std::vector<float>{3, 3, 1, 1});
  set.keys.clear();
  save_embeddings(folder / "a.set", set);
  CHECK(SetCache::open(folder / "a.set")->statistics().entries == 0);
  CHECK(SetCache::open(folder / "a.set")->verify().entries == 3);
  EmbeddingSetWriter(folder / "a.set", info_of(model)).commit();
  CHECK(SetCache::open(folder / "a.set")->statistics().entries == 0);
}

TEST_CASE("a damaged set is refused as load_embeddings refuses it") {
  const TemporaryFolder folder;
  const fs::path set = folder / "a.set";
  const CacheModel model = cache_test_model(3);
  const std::string good = "{\"content\": \"a\", \"key\": \"k\"}";
  std::vector<std::pair<std::string, std::string>> damages;
  for (const std::string& rows : {std::string(),
                                  std::string("["),
                                  std::string("[]"),
                                  std::string("]"),
                                  std::string("3"),
                                  std::string("{}"),
                                  "[" + good,
                                  "[" + good + ",",
                                  "[" + good + "," + good + ",]",
                                  "[" + good + "," + good + "] x",
                                  "[" + good + " " + good + "]",
                                  "[" + good + ",," + good + "]",
                                  "[" + good + "," + good + "}",
                                  "[" + good + ",{\"content\": \"a\"}]",
                                  "[" + good + ",{\"key\": \"k\"}]",
                                  "[" + good + ",{\"content\": 1}]",
                                  "[" + good + ",{\"content\": \"\xFF\"}]",
                                  "[" + good + ",{\"content\": \"a\" \"b\"}]",
                                  "[" + good + ",{\"content\": \"a]]]}]",
                                  "[" + good + ",[]]",
                                  "[" + good + ",{\"content\": \"a\", \"line_number\": \"1\"}]",
                                  "[" + good + ",{\"content\": [}]}]"}) {
    damages.emplace_back("metadata.json", rows);
  }
  damages.emplace_back("embeddings.npy", "");
  damages.emplace_back("embeddings.npy", "\x93NUMPY");
  damages.emplace_back("model_info.json", "{}");
  damages.emplace_back("model_info.json", R"({"dimension": 4, "fingerprint": "f"})");
  for (const auto& [file, bytes] : damages) {
    INFO(file << ": " << bytes);
    write_set(set, model, 0, 2);
    write(set / file, bytes);
    std::string message;
    try {
      static_cast<void>(load_embeddings(set));
    } catch (const Error& error) {
      CHECK(error.status() == Status::invalid_data);
      message = error.what();
    }
    REQUIRE_FALSE(message.empty());
    check_error(Status::invalid_data, {message}, [&] { static_cast<void>(SetCache::open(set)); });
  }
  write_set(set, model, 0, 2);
  write(set / "metadata.json", "\xEF\xBB\xBF \n[ " + good + "\t,\r\n" + good + " ] \n");
  CHECK(SetCache::open(set)->statistics().entries == 1);
  CHECK(load_embeddings(set).keys == std::vector<std::string>{"k", "k"});
  for (const char* file : {"metadata.json", "model_info.json", "embeddings.npy"}) {
    write_set(set, model, 0, 2);
    fs::remove(set / file);
    check_error(Status::not_found, {file}, [&] { static_cast<void>(SetCache::open(set)); });
    fs::remove_all(set);
  }
  check_error(Status::not_found, {"none"}, [&] { static_cast<void>(SetCache::open(folder / "none")); });
}

TEST_CASE("a vector that cannot be read any more is left out, and told once") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  write_set(folder / "a.set", model, 0, 10);
  const auto cache = SetCache::open(folder / "a.set");
  fs::resize_file(folder / "a.set/embeddings.npy", 128 + 4 * 12 + 5);
  const LogCapture log;
  CHECK(count_found(*cache, model, 0, 10) == 4);
  CHECK(cache->verify().problems.size() == 6);
  CHECK(log.warnings().size() == 1);
}

TEST_CASE("a set of 100,000 rows is found whole, in an index's memory") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(96);  // 38 MB of vectors, 50 MB of metadata
  {
    EmbeddingSetWriter writer(folder / "a.set", info_of(model));
    const std::string filling(400, 'x');
    for (std::size_t i = 0; i < 100'000; ++i) writer.append({filling, {}}, cache_key(i), cache_vector(model, cache_key(i)));
    writer.commit();
  }
  SharedNumber bytes;
  platform::release_free_memory();  // which the child would use first
  CHECK(Child([&] {
          const std::size_t before = platform::peak_resident_bytes();
          const auto cache = SetCache::open(folder / "a.set");
          std::vector<std::string> keys(1000);
          std::vector<float> vectors(keys.size() * model.dimension);
          for (std::size_t first = 0; first < 100'000; first += keys.size()) {
            for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = cache_key(first + i);
            const auto known = cache->find(model, keys, vectors);
            if (std::ranges::count(known, true) != 1000) return 1;
            if (!std::ranges::equal(cache_vector(model, keys[7]), std::span(vectors).subspan(7 * model.dimension, model.dimension)))
              return 2;
          }
          *bytes = platform::peak_resident_bytes() - before;
          return 0;
        }).wait() == 0);
  INFO(*bytes);
  CHECK(*bytes > 2'000'000);
  if (!inlay::test::sanitized) CHECK(*bytes < 30'000'000);  // 16 MB of which are the window over metadata.json
}

TEST_CASE("a chain asks its caches in order, and writes where it is to") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  write_set(folder / "a.set", model, 10, 10);
  const std::shared_ptr<VectorCache> journal = store::VectorJournal::open(folder / "x.journal", model).journal;
  const std::shared_ptr<VectorCache> set = SetCache::open(folder / "a.set");
  const auto shared = open_cache("memory:");
  const auto unwritten = open_cache("memory:");
  CacheChain chain({{journal}, {set}, {shared, true}, {unwritten}});
  CHECK(count_found(chain, model, 0, 30) == 10);
  chain.insert(model, cache_entries(model, 0, 5));
  unwritten->insert(model, cache_entries(model, 25, 2));
  CHECK(count_found(*journal, model, 0, 30) == 5);
  CHECK(count_found(*shared, model, 0, 30) == 5);
  CHECK(count_found(*unwritten, model, 0, 30) == 2);
  CHECK(count_found(chain, model, 0, 30) == 17);
  CHECK(count_found(chain, model, 0, 0) == 0);
  chain.flush();

  const std::string key = cache_key(12);  // the first that knows it answers
  journal->insert(model, std::vector<CacheEntry>{{.key = key, .vector = {9, 9, 9, 9}}});
  std::vector<float> vector(4);
  CHECK(chain.find(model, {&key, 1}, vector).front());
  CHECK(vector == std::vector<float>(4, 9));

  const CacheStatistics statistics = chain.statistics();
  CHECK(statistics.persistent);
  CHECK(statistics.path == journal->statistics().path);
  CHECK(statistics.hits == 10 + 17 + 1);
  CHECK(statistics.misses == 20 + 13);
  CHECK(statistics.inserted == 5);
  CHECK(statistics.entries == 6 + 10 + 5 + 2);
  REQUIRE(statistics.models.size() == 1);
  CHECK(statistics.models[0].entries == statistics.entries);
  std::vector<std::string> keys;
  chain.for_each([&](const CacheModel&, const CacheEntry& entry) { keys.push_back(entry.key); });
  CHECK(keys.size() == 17);
  std::ranges::sort(keys);
  CHECK(std::ranges::adjacent_find(keys) == keys.end());
  CHECK(chain.verify().ok());
  check_error(Status::unsupported, {"pruned"}, [&] { chain.prune({}); });
  check_error(Status::invalid_argument, {"caches"}, [&] { CacheChain({}); });
  check_error(Status::invalid_argument, {"caches"}, [&] { CacheChain({{nullptr}}); });
  std::vector<float> room(3);
  check_error(Status::invalid_argument, {"3 numbers"}, [&] { static_cast<void>(chain.find(model, {&key, 1}, room)); });
}
