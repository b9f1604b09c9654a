// What every kind of cache does.
#include <inlay/error.hpp>
#include <limits>
#include <thread>
#include <tuple>

#include "store/cache_support.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::test;
namespace fs = std::filesystem;

namespace {

// The three kinds, each in a folder of its own.
std::string url(const std::string& kind, const TemporaryFolder& folder) {
  return kind == "memory" ? "memory:" : kind + ":" + (folder / "cache").string();
}

bool bits_equal(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<CacheEntry> all_entries(const VectorCache& cache) {
  std::vector<CacheEntry> entries;
  cache.for_each([&](const CacheModel&, const CacheEntry& entry) { entries.push_back(entry); });
  return entries;
}

class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("what was inserted is found by key, in this cache and, where there is a file, in the next") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  const std::size_t memory = GENERATE(std::size_t{0}, std::size_t{256} << 20);
  if (kind == "memory" && memory == 0) return;
  CAPTURE(kind, memory);
  const TemporaryFolder folder;
  const LogCapture log;
  const CacheModel model = cache_test_model();
  {
    const auto cache = open_cache(url(kind, folder), {.memory_bytes = memory});
    CHECK(count_found(*cache, model, 0, 100) == 0);
    cache->insert(model, cache_entries(model, 0, 60));
    CHECK(count_found(*cache, model, 0, 100) == 60);
    cache->insert(model, cache_entries(model, 50, 20));
    cache->flush();
    CHECK(count_found(*cache, model, 0, 100) == 70);
    const CacheStatistics statistics = cache->statistics();
    CHECK(to_string(statistics.kind) == kind);
    CHECK(statistics.persistent == (kind != "memory"));
    CHECK(statistics.entries == 70);
    REQUIRE(statistics.models.size() == 1);
    CHECK(statistics.models[0].model == model);
    CHECK(statistics.models[0].entries == 70);
    CHECK(statistics.hits == 130);
    CHECK(statistics.misses == 170);
    CHECK(statistics.inserted == 80);
    CHECK((statistics.memory_entries > 0) == (memory > 0));
    CHECK((statistics.file_bytes > 0) == (kind != "memory"));
    CHECK(cache->verify().ok());
    CHECK(cache->verify().entries == 70);
  }
  if (kind != "memory") {
    const auto cache = open_cache(url(kind, folder), {.memory_bytes = memory});
    CHECK(count_found(*cache, model, 0, 100) == 70);
    CHECK(cache->statistics().entries == 70);
  }
  CHECK(log.warnings().empty());
}

TEST_CASE("a function that moved is found, an edited one on the same line is not") {
  const std::string kind = GENERATE("sqlite", "json");
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model();
  {
    const auto cache = open_cache(url(kind, folder));
    CacheEntry entry = cache_entry(model, 1);
    entry.label = "src/a.py:10";
    cache->insert(model, {&entry, 1});
  }
  const auto cache = open_cache(url(kind, folder));
  CHECK(count_found(*cache, model, 1, 1) == 1);  // wherever it stands now
  CHECK(count_found(*cache, model, 2, 1) == 0);  // another text, at src/a.py:10 or elsewhere
  CacheEntry edited = cache_entry(model, 2);
  edited.label = "src/a.py:10";
  cache->insert(model, {&edited, 1});
  CHECK(count_found(*cache, model, 2, 1) == 1);
}

TEST_CASE("vectors of several models lie side by side in SQLite and in memory") {
  const std::string kind = GENERATE("sqlite", "memory");
  const TemporaryFolder folder;
  const auto cache = open_cache(url(kind, folder));
  const std::vector<CacheModel> models = {cache_test_model(8, "a"), cache_test_model(8, "bb"), cache_test_model(384, "ccc"),
                                          cache_test_model(4, "a")};  // the last: one fingerprint, two dimensions
  for (const CacheModel& model : models) cache->insert(model, cache_entries(model, 0, 20));
  for (const CacheModel& model : models) CHECK(count_found(*cache, model, 0, 20) == 20);
  CHECK(count_found(*cache, cache_test_model(8, "dddd"), 0, 20) == 0);
  CHECK(cache->statistics().models.size() == 4);
  CHECK(cache->statistics().entries == 80);

  const PruneResult pruned = cache->prune({.drop_fingerprint = "bb"});
  CHECK(pruned.removed == 20);
  CHECK(pruned.kept == 60);
  CHECK(count_found(*cache, models[1], 0, 20) == 0);
  CHECK(count_found(*cache, models[2], 0, 20) == 20);
  CHECK(cache->prune({.keep_fingerprint = "ccc"}).removed == 40);
  CHECK(cache->statistics().models.size() == 1);
  CHECK(count_found(*cache, models[2], 0, 20) == 20);
}

TEST_CASE("of two entries with one key the later counts, whatever the clock says") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  CAPTURE(kind);
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  const auto future = std::chrono::system_clock::now() + std::chrono::hours(24 * 365);
  CacheEntry first{cache_key(1), "a:1", "f", {1, 2}, future};
  CacheEntry second{cache_key(1), "a:1", "f", {3, 4}};
  CacheEntry third{cache_key(1), "a:1", "f", {5, 6}, std::chrono::system_clock::time_point(std::chrono::hours(1))};
  const auto check = [&](VectorCache& cache, std::vector<float> expected) {
    std::vector<float> row(2);
    const std::string key = cache_key(1);
    CHECK(cache.find(model, {&key, 1}, row) == std::vector<bool>{true});
    CHECK(row == expected);
  };
  {
    const auto cache = open_cache(url(kind, folder), {.memory_bytes = kind == "memory" ? std::size_t{1} << 20 : 0});
    cache->insert(model, {&first, 1});
    cache->insert(model, {&second, 1});
    cache->flush();
    check(*cache, {3, 4});
    cache->insert(model, {&third, 1});
    cache->flush();
    check(*cache, {5, 6});
    CHECK(cache->statistics().entries == 1);
    const std::vector<CacheEntry> both = {second, first};
    cache->insert(model, both);
    cache->flush();
    check(*cache, {1, 2});
  }
  if (kind == "memory") return;
  const auto cache = open_cache(url(kind, folder));
  check(*cache, {1, 2});
}

TEST_CASE("labels, names and times come back; bytes that are not UTF-8 as U+FFFD") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  CAPTURE(kind);
  const TemporaryFolder folder;
  const LogCapture log;
  const CacheModel model = cache_test_model(3);
  const auto time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1709251199123));
  const std::string long_label = std::string(65'535, 'x') + "\xC3\xA9";  // the last character would be cut in half
  std::vector<CacheEntry> entries = {
      {"k1", "src/a.py:1", "login", {1, 2, 3}, time},
      {"k2",
       "\xE4\xB8\xAD\xE6\x96\x87/\xF0\x9F\x98\x80.py:7",
       "na\xC3\xAFve",
       {0.1F, -0.0F, std::numeric_limits<float>::denorm_min()},
       time},
      {"k3", std::string("a\0b\"\\\n\x01\x7f", 8), std::string("\0", 1), {-1e38F, 1e-38F, 3.14159265F}, time},
      {"k4", "bad \xFF\xC3(\xE4\xB8 end", "\x80", {std::numeric_limits<float>::max(), 16777217.0F, 5e-45F}, time},
      {"k5", "", "", {0, -1, 1}, time},
      {"k6", long_label, "f", {1, 1, 1}, time},
      {"bad and long", std::string(70'000, '\x80'), "f", {1, 1, 1}, time},
      {"k\"7\\\xE4\xB8\xAD", "x:1", "f", {2, 2, 2}, time}};
  auto cache = open_cache(url(kind, folder));
  cache->insert(model, entries);
  if (kind != "memory") cache = open_cache(url(kind, folder));
  entries[3].label = "bad \xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD end";
  entries[3].name = "\xEF\xBF\xBD";
  entries[5].label = std::string(65'535, 'x');
  entries[6].label.clear();
  for (int i = 0; i < 65'536 / 3; ++i) entries[6].label += "\xEF\xBF\xBD";
  if (kind == "json") entries[4].label = "content:k5";
  const std::vector<CacheEntry> kept = all_entries(*cache);
  REQUIRE(kept.size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CAPTURE(i);
    CHECK(kept[i].key == entries[i].key);
    CHECK((kept[i].label == entries[i].label));
    CHECK((kept[i].name == entries[i].name));
    CHECK(bits_equal(kept[i].vector, entries[i].vector));
    CHECK((kept[i].created == entries[i].created));
  }
  CHECK(log.warnings().empty());
}

TEST_CASE("arguments that make no sense are errors, and nothing is kept") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  const TemporaryFolder folder;
  const auto cache = open_cache(url(kind, folder));
  const CacheModel model = cache_test_model(2);
  const CacheEntry good{"key", "label", "name", {1, 2}};
  std::vector<float> row(2);
  const std::vector<std::string> keys = {"key"};
  const auto refuse = [](std::initializer_list<std::string_view> named, const std::function<void()>& call) {
    check_error(Status::invalid_argument, named, call);
  };
  refuse({"fingerprint"}, [&] { cache->insert({"m", "", 2}, {&good, 1}); });
  refuse({"0 dimensions"}, [&] { cache->insert({"m", "f", 0}, {&good, 1}); });
  refuse({"1048577"}, [&] { cache->find({"m", "f", 1048577}, keys, row); });
  refuse({"\xFF"}, [&] { cache->find({"m", "\xFF", 2}, keys, row); });
  refuse({"2", "1"}, [&] { cache->find(model, keys, std::span(row).first(1)); });
  refuse({"2 numbers of room", "0 keys"}, [&] { cache->find(model, {}, row); });
  for (const std::string& key : {std::string(), std::string(1025, 'k'), std::string("\xFF")}) {
    const std::vector<CacheEntry> entries = {good, {key, "l", "n", {1, 2}}};
    refuse({"1024"}, [&] { cache->insert(model, entries); });
  }
  const std::vector<CacheEntry> entries = {good, {"short", "l", "n", {1}}};
  refuse({"short", "1 components", "2"}, [&] { cache->insert(model, entries); });
  CHECK(cache->find(model, keys, row) == std::vector<bool>{false});
  CHECK(cache->statistics().inserted == 0);
}

TEST_CASE("no keys and no entries are fine, and make no file") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  const TemporaryFolder folder;
  const auto cache = open_cache(url(kind, folder));
  const CacheModel model = cache_test_model();
  CHECK(cache->find(model, {}, {}).empty());
  cache->insert(model, {});
  cache->flush();
  CHECK(cache->statistics().entries == 0);
  CHECK(cache->verify().ok());
  CHECK(cache->prune({.max_entries = 0}).removed == 0);
  CHECK(all_entries(*cache).empty());
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a hundred thousand keys in one call") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  constexpr std::size_t count = 100'000;
  const auto cache = open_cache(url(kind, folder));
  cache->insert(model, cache_entries(model, 0, count));
  CHECK(count_found(*cache, model, 1000, count) == count - 1000);
  if (kind == "memory") return;
  cache->flush();
  CHECK(count_found(*open_cache(url(kind, folder), no_memory), model, 1000, count) == count - 1000);
}

TEST_CASE("a vector that is not of finite numbers is left out, and said once") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  const TemporaryFolder folder;
  const LogCapture log;
  const auto cache = open_cache(url(kind, folder));
  const CacheModel model = cache_test_model(2);
  const std::vector<CacheEntry> entries = {{"nan", "a:1", "", {1, std::numeric_limits<float>::quiet_NaN()}},
                                           {"infinite", "a:2", "", {std::numeric_limits<float>::infinity(), 1}},
                                           {"good", "a:3", "", {1, 2}}};
  cache->insert(model, entries);
  cache->insert(model, entries);
  const std::vector<std::string> keys = {"nan", "infinite", "good"};
  std::vector<float> rows(6);
  CHECK(cache->find(model, keys, rows) == std::vector<bool>{false, false, true});
  CHECK(log.warnings().size() == 1);
  CHECK(log.count("2 of 3 vectors are not of finite numbers") == 1);
}

TEST_CASE("the memory layer answers without the file, and keeps to its bound") {
  const std::string kind = GENERATE("sqlite", "json");
  CAPTURE(kind);
  const TemporaryFolder folder;
  const LogCapture log;
  const CacheModel model = cache_test_model(384);
  constexpr std::size_t bound = 1 << 20;
  {
    const auto cache = open_cache(url(kind, folder), {.memory_bytes = bound});
    for (std::size_t i = 0; i < 2000; i += 100) {
      cache->insert(model, cache_entries(model, i, 100));
      CHECK(cache->statistics().memory_bytes <= bound);
    }
    CHECK(cache->statistics().memory_entries > 300);
    cache->flush();
    CHECK(count_found(*cache, model, 0, 2000) == 2000);
    CHECK(cache->statistics().memory_bytes <= bound);
    CHECK(count_found(*cache, model, 1990, 10) == 10);
    // Found last, so still there when the file is not.
    fs::remove(folder / "cache");
    CHECK(count_found(*cache, model, 1990, 10) == 10);
  }
  CHECK(log.count("dropped") == 0);
}

TEST_CASE("prune removes by age, by number and by size, and gives the space back") {
  const std::string kind = GENERATE("sqlite", "json");
  CAPTURE(kind);
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(128);
  const auto day = [](int number) { return std::chrono::system_clock::time_point(std::chrono::hours(24 * number)); };
  const auto cache = open_cache(url(kind, folder));
  std::vector<CacheEntry> entries = cache_entries(model, 0, 1000);
  for (std::size_t i = 0; i < 1000; ++i) entries[i].created = day(1000 + static_cast<int>(i));
  cache->insert(model, entries);
  CHECK(cache->prune({}).removed == 0);

  PruneResult result = cache->prune({.created_before = day(1100)});
  CHECK(result.removed == 100);
  CHECK(result.kept == 900);
  CHECK(count_found(*cache, model, 0, 1000) == 900);
  CHECK(count_found(*cache, model, 0, 100) == 0);

  result = cache->prune({.max_entries = 500});
  CHECK(result.removed == 400);
  CHECK(result.kept == 500);
  CHECK(result.bytes_after < result.bytes_before);
  CHECK(count_found(*cache, model, 500, 500) == 500);

  const std::uint64_t half = result.bytes_after / 2;
  result = cache->prune({.max_bytes = half});
  CHECK(result.bytes_after <= half);
  CHECK(result.kept > 100);
  CHECK(count_found(*cache, model, 1000 - result.kept, result.kept) == result.kept);
  CHECK(cache->statistics().entries == result.kept);
  CHECK(cache->statistics().file_bytes == result.bytes_after);

  CHECK(cache->prune({.max_bytes = 1}).kept == 0);
  CHECK(cache->prune({.max_entries = 0}).removed == 0);
  CHECK(cache->verify().ok());
  cache->insert(model, cache_entries(model, 0, 10));
  CHECK(count_found(*cache, model, 0, 10) == 10);
}

TEST_CASE("prune on a cache in memory") {
  const auto cache = open_cache("memory:");
  const CacheModel model = cache_test_model(128);
  cache->insert(model, cache_entries(model, 0, 1000));
  CHECK(cache->prune({.max_entries = 600}).removed == 400);
  CHECK(count_found(*cache, model, 400, 600) == 600);
  const PruneResult result = cache->prune({.max_bytes = cache->statistics().memory_bytes / 2});
  CHECK(result.kept >= 299);
  CHECK(result.kept <= 300);
  CHECK(count_found(*cache, model, 1000 - result.kept, result.kept) == result.kept);
  CHECK(cache->prune({.max_bytes = 0}).kept == 0);
}

TEST_CASE("copy_cache carries every entry from one kind to another") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model();
  const CacheModel other = cache_test_model(8, "another");
  const auto sqlite = open_cache((folder / "a.db").string());
  sqlite->insert(model, cache_entries(model, 0, 2500));
  const auto json = open_cache((folder / "b.json").string());
  CHECK(copy_cache(*sqlite, *json) == 2500);
  const auto back = open_cache((folder / "c.db").string());
  CHECK(copy_cache(*open_cache((folder / "b.json").string()), *back) == 2500);
  CHECK(count_found(*back, model, 0, 2500) == 2500);
  CHECK((all_entries(*back) == all_entries(*sqlite)));

  sqlite->insert(other, cache_entries(other, 0, 10));
  const auto second = open_cache((folder / "d.json").string());
  check_error(Status::invalid_argument, {"fingerprint-a", "another"}, [&] { copy_cache(*sqlite, *second); });
  CHECK(copy_cache(*sqlite, *second, "another") == 10);
  check_error(Status::invalid_argument, {"fingerprint-a", "another"}, [&] { copy_cache(*sqlite, *second, "fingerprint-a"); });
  check_error(Status::invalid_argument, {"a.db", "itself"}, [&] { copy_cache(*sqlite, *sqlite); });
  check_error(Status::invalid_argument, {"a.db", "itself"}, [&] { copy_cache(*sqlite, *open_cache((folder / "a.db").string())); });
  const auto unwritable = open_cache("/proc/nothing/a.db");
  check_error(Status::io_error, {"/proc/nothing/a.db"}, [&] { copy_cache(*sqlite, *unwritable); });
}

TEST_CASE("a visitor of for_each may call the cache, and what it throws ends the walk") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  const TemporaryFolder folder;
  const auto cache = open_cache(url(kind, folder));
  const CacheModel model = cache_test_model();
  cache->insert(model, cache_entries(model, 0, 1000));
  cache->flush();
  std::size_t visited = 0;
  cache->for_each([&](const CacheModel& of, const CacheEntry& entry) {
    std::vector<float> row(of.dimension);
    REQUIRE(cache->find(of, {&entry.key, 1}, row)[0]);
    if (kind == "sqlite") cache->insert(of, {&entry, 1});  // which gives it a new place at the end
    ++visited;
  });
  CHECK(visited == 1000);
  CHECK_THROWS_AS(cache->for_each([&](const CacheModel&, const CacheEntry&) { throw std::runtime_error("enough"); }), std::runtime_error);
  CHECK(cache->statistics().entries == 1000);
}

TEST_CASE("any number of threads use one cache") {
  const std::string kind = GENERATE("sqlite", "json", "memory");
  CAPTURE(kind);
  const TemporaryFolder folder;
  const LogCapture log;
  const CacheModel model = cache_test_model();
  const auto cache = open_cache(url(kind, folder), {.memory_bytes = kind == "memory" ? std::size_t{64} << 20 : std::size_t{1} << 17});
  constexpr std::size_t each = 400;
  std::vector<std::thread> threads;
  std::atomic<std::size_t> wrong = 0;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < each; i += 20) {
        cache->insert(model, cache_entries(model, t * each + i, 20));
        for (std::size_t k = 0; k < 20; ++k) {
          const std::string key = cache_key(t * each + i + k);
          std::vector<float> row(model.dimension);
          if (!cache->find(model, {&key, 1}, row)[0] || row != cache_vector(model, key)) ++wrong;
        }
        if (i % 100 == 0) static_cast<void>(cache->statistics());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  cache->flush();
  CHECK(count_found(*cache, model, 0, 4 * each) == 4 * each);
  CHECK(cache->verify().ok());
  CHECK(log.warnings().empty());
}

TEST_CASE("a path or URL says which kind of cache, and where") {
  const TemporaryFolder folder;
  const Variable home("HOME", (folder / "home").string());
  const Variable caches("XDG_CACHE_HOME", "");
  const auto check = [&](std::string_view text, std::string_view kind, const fs::path& path) {
    CAPTURE(text);
    const CacheStatistics statistics = open_cache(text)->statistics();
    CHECK(to_string(statistics.kind) == kind);
    CHECK(statistics.path == path);
  };
  const fs::path place = fs::weakly_canonical(folder.path());
  check((folder / "a.json").string(), "json", place / "a.json");
  check("json:" + (folder / "a.db").string(), "json", place / "a.db");
  check("sqlite:" + (folder / "a.json").string(), "sqlite", place / "a.json");
  check((folder / "a.db").string(), "sqlite", place / "a.db");
  check((folder / "x" / ".." / "anything").string(), "sqlite", place / "anything");
  check("memory:", "memory", {});
  check("", "sqlite", place / "home/.cache/inlay/vectors.db");
  check("sqlite:", "sqlite", place / "home/.cache/inlay/vectors.db");
  check("json:", "json", place / "home/.codesearch/embeddings/cache.json");
  check("~/c/cache.json", "json", place / "home/c/cache.json");
  check("sqlite:~/c.db", "sqlite", place / "home/c.db");
  check("./a:b.db", "sqlite", fs::weakly_canonical(fs::current_path()) / "a:b.db");
  check("relative.db", "sqlite", fs::weakly_canonical(fs::current_path()) / "relative.db");
  {
    const Variable relative("XDG_CACHE_HOME", "not/absolute");
    check("", "sqlite", place / "home/.cache/inlay/vectors.db");
  }
  {
    const Variable given("XDG_CACHE_HOME", (folder / "caches").string());
    check("", "sqlite", place / "caches/inlay/vectors.db");
  }
  check_error(Status::invalid_argument, {"redis://host", "json:PATH", "sqlite:PATH", "memory:"},
              [] { std::ignore = open_cache("redis://host"); });
  check_error(Status::invalid_argument, {"memory:x"}, [] { std::ignore = open_cache("memory:x"); });
  check_error(Status::invalid_argument, {"folder"}, [&] { std::ignore = open_cache(folder.path().string()); });
  check_error(Status::invalid_argument, {"folder"}, [&] { std::ignore = open_cache((folder / "new").string() + "/"); });
  check_error(Status::invalid_argument, {"\"a\"", "NUL"}, [&] { std::ignore = open_cache(std::string_view("a\0b", 3)); });
  CHECK(!fs::exists(folder / "home"));
}

TEST_CASE("the folders that a cache lies in are made, and links are followed") {
  const std::string kind = GENERATE("sqlite", "json");
  const TemporaryFolder folder;
  const LogCapture log;
  const CacheModel model = cache_test_model();
  fs::create_directories(folder / "real");
  fs::create_symlink("../real/deep", folder / "real" / "link");
  fs::create_symlink(folder / "real" / "target", folder / "direct");
  for (const fs::path& path : {folder / "direct", folder / "new" / "folders" / "cache"}) {
    const auto cache = open_cache(kind + ":" + path.string());
    cache->insert(model, cache_entries(model, 0, 5));
    cache->flush();
    CHECK(cache->statistics().persistent);
  }
  CHECK(fs::is_symlink(folder / "direct"));
  CHECK(fs::is_regular_file(folder / "real" / "target"));
  CHECK(fs::is_regular_file(folder / "new" / "folders" / "cache"));
  CHECK(log.warnings().empty());
}

TEST_CASE("a cache that cannot be written is gone on with in memory, and says so once") {
  const std::string kind = GENERATE("sqlite", "json");
  CAPTURE(kind);
  const TemporaryFolder folder;
  test::write(folder / "file", "not a folder");
  fs::create_symlink("loop", folder / "loop");
  for (const std::string& place : {std::string("/proc/nothing/cache"), (folder / "file" / "cache").string(), (folder / "loop").string()}) {
    CAPTURE(place);
    const LogCapture log;
    const CacheModel model = cache_test_model();
    {
      const auto cache = open_cache(kind + ":" + place);
      CHECK(count_found(*cache, model, 0, 10) == 0);
      for (std::size_t i = 0; i < 10; ++i) cache->insert(model, cache_entries(model, i, 1));
      CHECK(count_found(*cache, model, 0, 10) == 10);
      CHECK_FALSE(cache->statistics().persistent);
      CHECK(cache->statistics().entries == 10);
      CHECK(all_entries(*cache).size() == 10);
      CHECK(log.count("going on in memory") == 1);
    }
    CHECK(log.count("10 vectors are lost") == 1);
    CHECK(log.warnings().size() <= 3);
  }
}
