#include <inlay/resumable.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "cache_support.hpp"
#include "store/file_store.hpp"
#include "support/child.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::test;
using store::FileStore;
namespace fs = std::filesystem;

namespace {

std::string text_of(std::size_t number) { return "text " + std::to_string(number); }  // whose key is cache_key(number)

nlohmann::json index_of(const fs::path& folder) { return nlohmann::json::parse(read(folder / "embeddings_index.json")); }

fs::path file_of(const fs::path& folder, std::size_t number) { return folder / "embeddings_data" / (cache_key(number) + ".json"); }

void write_store(const fs::path& folder, const CacheModel& model, std::size_t count) {
  const auto store = FileStore::open(folder, model);
  store->insert(model, cache_entries(model, 0, count));
}

}  // namespace

TEST_CASE("a store of files gives back what it was given, bit for bit, also when it is opened again") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(5);
  std::vector<CacheEntry> entries = cache_entries(model, 0, 3);
  entries[0].vector = {-0.0F, std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max(), 0.1F, -1e-38F};
  entries[1].key = "no content_key: ../\xE4\xB8\xAD";
  entries[2].label = "a \"quoted\"\n\xFF.py:1";
  std::vector<std::string> keys;
  for (const CacheEntry& entry : entries) keys.push_back(entry.key);
  keys.push_back(cache_key(99));
  const auto check = [&](FileStore& store) {
    std::vector<float> vectors(20, 7);
    CHECK(store.find(model, keys, vectors) == std::vector<bool>{true, true, true, false});
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::memcmp(vectors.data() + 5 * i, entries[i].vector.data(), 20) == 0);
    CHECK(store.statistics().entries == 3);
    CHECK(store.statistics().models.at(0).model == model);
    CHECK(store.verify().entries == 3);
    std::size_t walked = 0;
    store.for_each([&](const CacheModel& of, const CacheEntry& entry) {
      CHECK((of == model));
      const auto original = std::ranges::find(entries, entry.key, &CacheEntry::key);
      REQUIRE(original != entries.end());
      CHECK(entry.name == original->name);
      CHECK((entry.label == original->label || entry.label == "a \"quoted\"\n\xEF\xBF\xBD.py:1"));
      CHECK(std::memcmp(entry.vector.data(), original->vector.data(), 20) == 0);
      ++walked;
    });
    CHECK(walked == 3);
  };
  {
    const auto store = FileStore::open(folder / "new/x", model);
    store->insert(model, entries);
    check(*store);
  }
  const LogCapture log;
  check(*FileStore::open(folder / "new/x", model));
  CHECK(log.warnings().empty());
  CHECK(store::is_file_store(folder / "new/x"));
}

TEST_CASE("the index says what became of each text, and where it is") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  std::string longer;
  for (int i = 0; i < 150; ++i) longer += "a\xC3\xA9";  // 300 characters
  {
    const auto store = FileStore::open(folder / "x", model);
    store->insert(model, cache_entries(model, 0, 2));
    store->describe(cache_key(0), {.text = text_of(0), .label = "src/a.py:1", .name = "a"});
    store->describe(cache_key(1), {.text = longer});
    store->describe(cache_key(2), {.text = "bad", .label = "src/b.py:2", .error = "it is not UTF-8"});
  }
  const auto expected = [&] {
    return nlohmann::json{{cache_key(0),
                           {{"text", text_of(0)},
                            {"label", "src/a.py:1"},
                            {"name", "a"},
                            {"file", "embeddings_data/" + cache_key(0) + ".json"},
                            {"status", "completed"},
                            {"model_name", "test-model"},
                            {"model_version", "fingerprint-a"},
                            {"dimensions", 2}}},
                          {cache_key(1),
                           {{"preview", longer.substr(0, 300)},
                            {"file", "embeddings_data/" + cache_key(1) + ".json"},
                            {"status", "completed"},
                            {"model_name", "test-model"},
                            {"model_version", "fingerprint-a"},
                            {"dimensions", 2}}},
                          {cache_key(2), {{"text", "bad"}, {"label", "src/b.py:2"}, {"status", "failed"}, {"error", "it is not UTF-8"}}}};
  };
  CHECK(index_of(folder / "x") == expected());
  const auto file = nlohmann::json::parse(read(file_of(folder / "x", 0)));
  CHECK(file["embedding"].get<std::vector<float>>() == cache_vector(model, cache_key(0)));
  CHECK(file["model_version"] == "fingerprint-a");
  CHECK(file["content_hash"] == cache_key(0));
  {
    const auto store = FileStore::open(folder / "x", model);
    store->describe(cache_key(0), {.text = text_of(0), .label = "src/a.py:1", .name = "a"});
  }
  CHECK(index_of(folder / "x") == expected());
}

TEST_CASE("what the index lacks is found in the files, and what it has too much goes") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  const fs::path place = folder / "x";
  write_store(place, model, 10);
  const auto whole = index_of(place);
  REQUIRE(whole.size() == 10);
  SECTION("no index") { fs::remove(place / "embeddings_index.json"); }
  SECTION("an index of a part") { write(place / "embeddings_index.json", "{\n}\n"); }
  SECTION("a damaged index") {
    write(place / "embeddings_index.json", read(place / "embeddings_index.json").substr(0, 100));
    const LogCapture log;
    CHECK(count_found(*FileStore::open(place, model), model, 0, 20) == 10);
    CHECK(log.count("embeddings_index.json.damaged-1") == 1);
  }
  {
    const auto store = FileStore::open(place, model);
    CHECK(count_found(*store, model, 0, 20) == 10);
    CHECK(store->statistics().entries == 10);
  }
  CHECK(index_of(place) == whole);
  fs::remove(file_of(place, 3));
  CHECK(FileStore::open(place, model)->statistics().entries == 9);
  CHECK(index_of(place).size() == 9);
}

TEST_CASE("whatever bit of a text's file turns, its vector is never wrong") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  write_store(folder / "x", model, 2);
  const auto store = FileStore::open(folder / "x", model);
  const fs::path path = file_of(folder / "x", 0);
  const std::string bytes = read(path);
  const LogCapture log;
  const std::vector<float> vector = cache_entries(model, 0, 1).front().vector;
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
      write(path, damaged);
      const auto found = store::read_stored_vector(folder / "x", cache_key(0));
      CHECK((!found || found->vector == vector));
    }
  }
  for (std::size_t size = 0; size < bytes.size() - 2; ++size) {
    write(path, std::string_view(bytes).substr(0, size));
    CHECK_FALSE(store::read_stored_vector(folder / "x", cache_key(0)).has_value());
  }
  CHECK(count_found(*store, model, 0, 2) == 1);
  CHECK(store->verify().problems.size() == 1);
  CHECK(log.count(cache_key(0)) > 100);
  fs::copy_file(file_of(folder / "x", 1), path, fs::copy_options::overwrite_existing);  // another text's file
  CHECK(count_found(*store, model, 0, 2) == 1);
  store->insert(model, cache_entries(model, 0, 1));
  CHECK(count_found(*store, model, 0, 2) == 2);
}

TEST_CASE("another model's vectors are not found, and replaced") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4, "fingerprint-a");
  const CacheModel other = cache_test_model(4, "fingerprint-b");
  write_store(folder / "x", model, 5);
  {
    const auto store = FileStore::open(folder / "x", other);
    CHECK(count_found(*store, other, 0, 5) == 0);
    CHECK(count_found(*store, model, 0, 5) == 0);
    const LogCapture log;
    store->insert(model, cache_entries(model, 5, 2));
    CHECK(log.count("fingerprint-a") == 1);
    store->insert(other, cache_entries(other, 0, 2));
    CHECK(count_found(*store, other, 0, 5) == 2);
  }
  CHECK(count_found(*FileStore::open(folder / "x", model), model, 0, 5) == 3);
  CHECK(FileStore::open(folder / "x", model, FileStore::Existing::discard)->statistics().entries == 0);
  CHECK(index_of(folder / "x").empty());
}

TEST_CASE("a file that turns out to be damaged or another model's is written anew") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  write_store(folder / "x", model, 3);
  test::write(file_of(folder / "x", 1), "");
  const LogCapture log;
  const auto store = FileStore::open(folder / "x", model);
  CHECK(store->has(cache_key(1)));  // as far as the index says
  std::vector<float> vector(3);
  const std::vector<std::string> keys = {cache_key(1)};
  CHECK(store->find(model, keys, vector) == std::vector<bool>{false});
  CHECK_FALSE(store->has(cache_key(1)));
  store->insert(model, cache_entries(model, 1, 1));
  CHECK(store->has(cache_key(1)));
  CHECK(store->find(model, keys, vector) == std::vector<bool>{true});
}

TEST_CASE("completed texts are found by the model's fingerprint, whatever became of long texts") {
  const TemporaryFolder folder;
  CacheModel model = cache_test_model(3);
  const std::string fingerprint = model.fingerprint;
  model.fingerprint += "+average(256,0)";
  write_store(folder / "x", model, 2);
  const std::vector<std::string> texts = {text_of(0), text_of(5)};
  using Left = std::vector<std::string>;
  CHECK(remove_completed_texts(texts, folder / "x", {.fingerprint = fingerprint}) == Left{text_of(5)});
  CHECK(remove_completed_texts(texts, folder / "x", {.fingerprint = model.fingerprint}) == Left{text_of(5)});
  CHECK(remove_completed_texts(texts, folder / "x", {.fingerprint = fingerprint.substr(1)}) == texts);
  CHECK(remove_completed_texts(texts, folder / "x", {.fingerprint = fingerprint + "+whole"}) == texts);
}

TEST_CASE("folders of something else, and stores that are open, are refused and stay") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  write(folder / "mine/notes.txt", "mine");
  check_error(Status::invalid_argument, {"mine"}, [&] { static_cast<void>(FileStore::open(folder / "mine", model)); });
  check_error(Status::invalid_argument, {"notes.txt"}, [&] { static_cast<void>(FileStore::open(folder / "mine/notes.txt", model)); });
  check_error(Status::invalid_argument, {"fingerprint"}, [&] { static_cast<void>(FileStore::open(folder / "x", {})); });
  CHECK(std::distance(fs::directory_iterator(folder / "mine"), {}) == 1);
  const auto store = FileStore::open(folder / "x", model);
  check_error(Status::io_error, {"another process"}, [&] { static_cast<void>(FileStore::open(folder / "x", model)); });
  check_error(Status::unsupported, {"pruned"}, [&] { store->prune({}); });
}

TEST_CASE("a full disk is told once, and the run goes on") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  const LogCapture log;
  const auto store = FileStore::open(folder / "x", model);
  store->insert(model, cache_entries(model, 0, 2));
  {
    const FileSizeLimit limit(50);
    store->insert(model, cache_entries(model, 2, 2));
    store->insert(model, cache_entries(model, 2, 2));
    store->flush();
    CHECK_FALSE(store->statistics().persistent);
  }
  CHECK(log.warnings().size() == 1);
  CHECK(count_found(*store, model, 0, 10) == 2);
  store->insert(model, cache_entries(model, 2, 2));
  CHECK(store->statistics().persistent);
  CHECK(count_found(*store, model, 0, 10) == 4);
}

TEST_CASE("a process killed at any moment loses no file that insert returned from") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(8);
  const std::vector<CacheEntry> entries = cache_entries(model, 0, 5000);
  std::mt19937 random(4);
  std::size_t kept = 0;
  for (int round = 0; round < 50; ++round) {
    SharedNumber returned;
    *returned = kept;
    Child child([&] {
      const auto store = FileStore::open(folder / "x", model);
      for (std::size_t next = kept; next + 3 <= entries.size(); next += 3) {
        store->insert(model, std::span(entries).subspan(next, 3));
        *returned = next + 3;
      }
      while (true) ::pause();
      return 0;
    });
    REQUIRE(returned.wait_for(kept + random() % 60));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
    REQUIRE(child.kill());
    const LogCapture log;
    const auto store = FileStore::open(folder / "x", model);
    CHECK(log.warnings().empty());
    kept = *returned;
    REQUIRE(count_found(*store, model, 0, kept) == kept);
    const auto files = static_cast<std::size_t>(std::distance(fs::directory_iterator(folder / "x/embeddings_data"), {}));
    REQUIRE(store->statistics().entries == files);  // nothing temporary is left
  }
  CHECK(kept > 0);
}

TEST_CASE("threads write and read a store at once") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(8);
  const auto store = FileStore::open(folder / "x", model);
  const std::vector<CacheEntry> entries = cache_entries(model, 0, 400);
  std::atomic<std::size_t> lost = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t next = thread * 100; next < (thread + 1) * 100; next += 10) {
          const auto batch = std::span(entries).subspan(next, 10);
          store->insert(model, batch);
          std::vector<std::string> keys;
          for (const CacheEntry& entry : batch) keys.push_back(entry.key);
          std::vector<float> vectors(10 * model.dimension);
          lost += static_cast<std::size_t>(std::ranges::count(store->find(model, keys, vectors), false));
          store->describe(batch[0].key, {.text = "text"});
          store->flush();
        }
      });
    }
  }
  CHECK(lost == 0);
  CHECK(count_found(*store, model, 0, 400) == 400);
}

TEST_CASE("completed texts are removed, and their vectors loaded, from files and from a set") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  const std::vector<std::string> texts = {text_of(0), "new", text_of(1), text_of(0), "", text_of(2)};
  bool prompted = false;
  CompletedOptions options;
  SECTION("files") { write_store(folder / "x", model, 3); }
  SECTION("a set") {
    EmbeddingSetWriter writer(folder / "x", {.name = model.name, .dimension = 3, .fingerprint = model.fingerprint});
    for (std::size_t i = 0; i < 3; ++i) writer.append({"prepared", {}}, cache_key(i), cache_vector(model, cache_key(i)));
    writer.commit();
  }
  SECTION("a prompt in front") {
    prompted = true;
    options.prompt = "te";
    write_store(folder / "x", model, 3);
  }
  if (prompted) {
    CHECK(remove_completed_texts({"xt 0", "text 0"}, folder / "x", options) == std::vector<std::string>{"text 0"});
    return;
  }
  CHECK(remove_completed_texts(texts, folder / "x") == std::vector<std::string>{"new", ""});
  const auto vectors = load_average_embeddings_with_fallback(texts, folder / "x");
  REQUIRE(vectors.size() == 5);
  CHECK_FALSE(vectors.at("new").has_value());
  CHECK_FALSE(vectors.at("").has_value());
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& vector = vectors.at(text_of(i));
    REQUIRE(vector.has_value());
    CHECK(std::vector<float>(vector->begin(), vector->end()) == cache_vector(model, cache_key(i)));
  }
  CHECK(remove_completed_texts(texts, folder / "x", {.fingerprint = model.fingerprint}).size() == 2);
  CHECK(remove_completed_texts(texts, folder / "x", {.fingerprint = "another"}) == texts);
  CHECK(remove_completed_texts({}, folder / "x").empty());
  CHECK(load_average_embeddings_with_fallback({}, folder / "x").empty());
}

TEST_CASE("a store that is not there has nothing done; a damaged one tells") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  const std::vector<std::string> texts = {text_of(0), text_of(1)};
  const LogCapture log;
  CHECK(remove_completed_texts(texts, folder / "none") == texts);
  write(folder / "other/notes.txt", "mine");
  CHECK(remove_completed_texts(texts, folder / "other") == texts);
  CHECK(log.warnings().empty());

  write_store(folder / "files", model, 2);
  write(file_of(folder / "files", 1), "{");
  CHECK(remove_completed_texts(texts, folder / "files") == std::vector<std::string>{text_of(1)});
  CHECK_FALSE(load_average_embeddings_with_fallback(texts, folder / "files").at(text_of(1)).has_value());
  CHECK(log.count(cache_key(1)) == 2);
  save_embeddings(folder / "a.set", {.model = {.dimension = 3}});
  write(folder / "a.set/metadata.json", "[");
  CHECK(remove_completed_texts(texts, folder / "a.set") == texts);
  CHECK(log.count("metadata.json") == 1);
}
