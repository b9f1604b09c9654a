// Caches in SQLite: the file, what may be wrong with it, and who else is at it.
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <inlay/error.hpp>

#include "store/cache_support.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::test;
namespace fs = std::filesystem;

namespace {

// The test's own way to the file, with plain SQLite.
class Database {
 public:
  explicit Database(const fs::path& path) { REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK); }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql) {
    CAPTURE(sql, sqlite3_errmsg(handle_));
    REQUIRE(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    std::string result;
    if (sqlite3_step(statement) == SQLITE_ROW) result = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return result;
  }

 private:
  sqlite3* handle_ = nullptr;
};

const CacheModel model = cache_test_model(16);

void fill(const fs::path& path, std::size_t first, std::size_t count) {
  open_cache(path.string())->insert(model, cache_entries(model, first, count));
}

std::vector<std::string> names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// A file system of its own, where that is permitted.
class SmallDisk {
 public:
  SmallDisk(const fs::path& place, const char* size) : place_(place) {
    fs::create_directories(place);
    mounted_ = ::mount("tmpfs", place.c_str(), "tmpfs", 0, size) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(place_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const noexcept { return mounted_; }
  [[nodiscard]] bool make_read_only() const { return ::mount("tmpfs", place_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0; }

 private:
  fs::path place_;
  bool mounted_ = false;
};

// Files may not grow beyond this; writing there fails.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("the schema is as the header says") {
  const TemporaryFolder folder;
  fill(folder / "a.db", 0, 3);
  CHECK(names(folder.path()) == std::vector<std::string>{"a.db"});
  Database database(folder / "a.db");
  CHECK(database.text("PRAGMA application_id") == std::to_string(0x496E6C79));
  CHECK(database.text("PRAGMA user_version") == "1");
  CHECK(database.text("PRAGMA journal_mode") == "wal");
  CHECK(database.text("SELECT group_concat(name) FROM pragma_table_info('models')") == "id,fingerprint,name,dimension");
  CHECK(database.text("SELECT group_concat(name) FROM pragma_table_info('vectors')") == "id,model,key,label,name,created,checksum,vector");
  CHECK(database.text("SELECT fingerprint || name || dimension FROM models") == "fingerprint-atest-model16");
  CHECK(database.text("SELECT key || label || name FROM vectors WHERE id = 2") == cache_key(1) + "src/file.py:1function_1");
  CHECK(database.text("SELECT length(vector) FROM vectors") == "64");
  CHECK(database.text("SELECT abs(created / 1000 - strftime('%s')) < 1000 FROM vectors") == "1");
}

TEST_CASE("a cache of a newer version is not used and not touched, and that is said once") {
  const TemporaryFolder folder;
  fill(folder / "a.db", 0, 5);
  Database(folder / "a.db").run("PRAGMA user_version = 7; ALTER TABLE vectors ADD COLUMN more");
  const std::string before = read(folder / "a.db");
  const LogCapture log;
  {
    const auto cache = open_cache((folder / "a.db").string());
    CHECK(count_found(*cache, model, 0, 5) == 0);
    cache->insert(model, cache_entries(model, 10, 5));
    cache->insert(model, cache_entries(model, 20, 5));
    CHECK(count_found(*cache, model, 10, 15) == 10);
    CHECK_FALSE(cache->statistics().persistent);
    check_error(Status::unsupported, {"a.db", "7", "newer"}, [&] { static_cast<void>(cache->verify()); });
    check_error(Status::unsupported, {"a.db", "7"}, [&] { cache->prune({.max_entries = 1}); });
    check_error(Status::unsupported, {"a.db", "7"}, [&] { cache->for_each([](const CacheModel&, const CacheEntry&) {}); });
  }
  CHECK(log.count("newer version") == 1);
  CHECK(read(folder / "a.db") == before);
}

TEST_CASE("a newer version that changes the schema while the cache is open is noticed") {
  const TemporaryFolder folder;
  const std::string change = GENERATE("ALTER TABLE vectors ADD COLUMN more", "ALTER TABLE vectors RENAME COLUMN checksum TO checks");
  fill(folder / "a.db", 0, 5);
  const LogCapture log;
  const auto cache = open_cache((folder / "a.db").string(), no_memory);
  CHECK(count_found(*cache, model, 0, 5) == 5);
  Database database(folder / "a.db");
  database.run(change + "; PRAGMA user_version = 2");
  count_found(*cache, model, 0, 5);
  cache->insert(model, cache_entries(model, 10, 5));
  CHECK(log.count("newer version") == 1);
  CHECK(database.text("SELECT count(*) FROM vectors") == "5");
  for (const std::string& name : names(folder.path())) CHECK(name.find("damaged") == std::string::npos);
}

TEST_CASE("a database of another program is not touched") {
  const TemporaryFolder folder;
  Database(folder / "a.db").run("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x')");
  const std::string before = read(folder / "a.db");
  const LogCapture log;
  {
    const auto cache = open_cache((folder / "a.db").string());
    cache->insert(model, cache_entries(model, 0, 5));
    CHECK(count_found(*cache, model, 0, 5) == 5);
  }
  CHECK(log.count("another program") == 1);
  CHECK(read(folder / "a.db") == before);
}

TEST_CASE("an empty file is a cache without entries") {
  const TemporaryFolder folder;
  test::write(folder / "a.db", "");
  const LogCapture log;
  const auto cache = open_cache((folder / "a.db").string());
  CHECK(count_found(*cache, model, 0, 5) == 0);
  cache->insert(model, cache_entries(model, 0, 5));
  CHECK(cache->statistics().persistent);
  CHECK(log.warnings().empty());
}

TEST_CASE("a file that is no database is kept aside when the first entries are written, and not before") {
  const TemporaryFolder folder;
  const std::string text = GENERATE(std::string("this is not a database"), std::string(100'000, 'x'));
  test::write(folder / "a.db", text);
  const LogCapture log;
  const auto cache = open_cache((folder / "a.db").string());
  CHECK(count_found(*cache, model, 0, 5) == 0);
  CHECK(count_found(*cache, model, 0, 5) == 0);
  CHECK_FALSE(cache->verify().ok());
  CHECK(names(folder.path()) == std::vector<std::string>{"a.db"});
  CHECK(log.count("not a database") == 1);
  cache->insert(model, cache_entries(model, 0, 5));
  CHECK(cache->statistics().persistent);
  CHECK(count_found(*open_cache((folder / "a.db").string()), model, 0, 5) == 5);
  CHECK(read(folder / "a.db.damaged-1") == text);
  CHECK(log.count("a.db.damaged-1") == 1);
  CHECK(cache->verify().ok());
}

TEST_CASE("a damaged row is not found, said once, listed by verify, and replaced") {
  const TemporaryFolder folder;
  fill(folder / "a.db", 0, 10);
  const std::string damage = GENERATE("vector = zeroblob(64)", "vector = zeroblob(60)", "vector = ''", "checksum = checksum + 1",
                                      "vector = (SELECT vector FROM vectors WHERE id = 7)", "key = key || 'x'");
  CAPTURE(damage);
  Database(folder / "a.db").run("UPDATE vectors SET " + damage + " WHERE id = 4");
  const LogCapture log;
  const auto cache = open_cache((folder / "a.db").string(), no_memory);
  CHECK(count_found(*cache, model, 0, 10) == 9);
  CHECK(count_found(*cache, model, 0, 10) == 9);
  if (!damage.starts_with("key")) CHECK(log.count("damaged entry") == 1);
  const CacheCheck check = cache->verify();
  CHECK(check.entries == 9);
  REQUIRE(check.problems.size() == 1);
  CHECK(check.problems[0].label == "src/file.py:3");
  CHECK(check.problems[0].key.starts_with(cache_key(3)));
  std::size_t visited = 0;
  cache->for_each([&](const CacheModel&, const CacheEntry&) { ++visited; });
  CHECK(visited == 9);
  cache->insert(model, cache_entries(model, 3, 1));
  CHECK(count_found(*cache, model, 0, 10) == 10);
  if (!damage.starts_with("key")) CHECK(cache->verify().ok());
}

TEST_CASE("vectors never come to another model, even where the file says so") {
  const TemporaryFolder folder;
  const CacheModel other = cache_test_model(16, "fingerprint-b");
  fill(folder / "a.db", 0, 10);
  open_cache((folder / "a.db").string())->insert(other, cache_entries(other, 100, 1));
  Database(folder / "a.db").run("UPDATE vectors SET model = 2 WHERE model = 1");
  const auto cache = open_cache((folder / "a.db").string(), no_memory);
  CHECK(count_found(*cache, model, 0, 10) == 0);
  CHECK(count_found(*cache, other, 0, 10) == 0);
  CHECK(count_found(*cache, other, 100, 1) == 1);
  CHECK(cache->verify().problems.size() == 10);
  Database(folder / "a.db").run("DELETE FROM models");
  CHECK(cache->verify().problems.size() == 11);
}

TEST_CASE("bytes flipped anywhere in the file never give a wrong vector, and the cache goes on") {
  const TemporaryFolder folder;
  fill(folder / "whole.db", 0, 200);
  const std::string whole = read(folder / "whole.db");
  const LogCapture log;
  const std::size_t step = whole.size() / 150 | 1;
  for (std::size_t offset = 0; offset < whole.size(); offset += offset < 300 ? 3 : step) {
    CAPTURE(offset);
    std::string bytes = whole;
    for (std::size_t i = offset; i < std::min(offset + 1 + offset % 7, bytes.size()); ++i) bytes[i] = static_cast<char>(~bytes[i]);
    const fs::path path = folder / "a.db";
    test::write(path, bytes);
    {
      const auto cache = open_cache(path.string(), no_memory);
      count_found(*cache, model, 0, 200);
      try {
        static_cast<void>(cache->verify());
        cache->for_each([](const CacheModel& of, const CacheEntry& entry) {
          if (entry.vector != cache_vector(of, entry.key)) FAIL_CHECK("a wrong vector under " << entry.key);
        });
      } catch (const Error&) {  // as it may
      }
    }
    {
      const auto cache = open_cache(path.string());
      cache->insert(model, cache_entries(model, 0, 200));
      CHECK(count_found(*cache, model, 0, 200) == 200);
    }
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      if (entry.path().filename() != "whole.db") fs::remove(entry.path());
    }
  }
}

TEST_CASE("a file cut short anywhere never gives a wrong vector, and the cache goes on") {
  const TemporaryFolder folder;
  fill(folder / "whole.db", 0, 200);
  const std::string whole = read(folder / "whole.db");
  const LogCapture log;
  for (std::size_t size = 1; size < whole.size(); size += size < 200 ? 50 : 4001) {
    CAPTURE(size);
    const fs::path path = folder / "a.db";
    test::write(path, whole.substr(0, size));
    auto cache = open_cache(path.string(), no_memory);
    CHECK(count_found(*cache, model, 0, 200) < 200);
    cache->insert(model, cache_entries(model, 0, 200));
    CHECK(count_found(*cache, model, 0, 200) == 200);
    CHECK(cache->verify().ok());
    cache.reset();
    fs::remove(path);
  }
}

TEST_CASE("a cache that is deleted or replaced while it is open is noticed") {
  const TemporaryFolder folder;
  const fs::path path = folder / "sub" / "a.db";
  const LogCapture log;
  const auto cache = open_cache(path.string(), no_memory);
  cache->insert(model, cache_entries(model, 0, 10));
  fs::remove_all(folder / "sub");
  CHECK(count_found(*cache, model, 0, 10) == 0);
  cache->insert(model, cache_entries(model, 5, 10));
  CHECK(count_found(*cache, model, 0, 20) == 10);
  CHECK(log.count("was deleted or replaced") == 1);

  fill(folder / "other.db", 50, 10);
  fs::rename(folder / "other.db", path);
  CHECK(count_found(*cache, model, 50, 10) == 10);
  cache->insert(model, cache_entries(model, 60, 10));
  CHECK(count_found(*open_cache(path.string()), model, 50, 20) == 20);
  CHECK(cache->verify().ok());
  CHECK(cache->statistics().persistent);
  CHECK(log.warnings().size() == 1);
}

TEST_CASE("what a busy file does not take is written with the next insert") {
  const TemporaryFolder folder;
  const LogCapture log;
  fill(folder / "a.db", 0, 1);
  const auto cache = open_cache((folder / "a.db").string(), {.busy_timeout = std::chrono::milliseconds(50)});
  {
    Database other(folder / "a.db");
    other.run("BEGIN IMMEDIATE");
    cache->insert(model, cache_entries(model, 1, 5));
    cache->insert(model, cache_entries(model, 6, 5));
    CHECK(count_found(*cache, model, 0, 11) == 11);
    CHECK(cache->statistics().entries == 11);
    check_error(Status::io_error, {"a.db"}, [&] { cache->prune({.max_entries = 1}); });
    CHECK(count_found(*cache, model, 0, 11) == 11);
    cache->flush();
    CHECK_FALSE(cache->statistics().persistent);
    const auto from = open_cache("memory:");
    from->insert(model, cache_entries(model, 20, 3));
    check_error(Status::io_error, {"a.db", "could not be written"}, [&] { copy_cache(*from, *cache); });
    other.run("COMMIT");
  }
  cache->insert(model, cache_entries(model, 11, 1));
  CHECK(count_found(*open_cache((folder / "a.db").string()), model, 0, 12) == 12);
  CHECK(cache->statistics().persistent);
  CHECK(log.warnings().empty());
}

TEST_CASE("what waits is written by flush, and at the end") {
  const TemporaryFolder folder;
  fill(folder / "a.db", 0, 1);
  for (const bool flush : {true, false}) {
    auto cache = open_cache((folder / "a.db").string(), {.busy_timeout = std::chrono::milliseconds(10)});
    {
      Database other(folder / "a.db");
      other.run("BEGIN IMMEDIATE");
      cache->insert(model, cache_entries(model, flush ? 1 : 2, 1));
      other.run("COMMIT");
    }
    flush ? cache->flush() : cache.reset();
    CHECK(count_found(*open_cache((folder / "a.db").string()), model, 0, 3) == (flush ? 2 : 3));
  }
}

TEST_CASE("a full disk: the cache goes on in memory, says so once, and writes what waits when there is room") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder / "disk", "size=1m");
  if (!disk.mounted()) {
    WARN("skipped: a file system may not be mounted here");
    return;
  }
  const LogCapture log;
  const CacheModel wide = cache_test_model(384);
  const auto cache = open_cache((folder / "disk" / "a.db").string());
  for (std::size_t i = 0; i < 2000; i += 100) cache->insert(wide, cache_entries(wide, i, 100));
  CHECK(count_found(*cache, wide, 0, 2000) == 2000);
  CHECK_FALSE(cache->statistics().persistent);
  CHECK(log.count("going on in memory") == 1);
  CHECK(log.count("full") == 1);
  {
    const auto kept = open_cache((folder / "disk" / "a.db").string());
    CHECK(count_found(*kept, wide, 0, 2000) > 0);  // none of them wrong
    CHECK(kept->verify().ok());
  }
  REQUIRE(::mount("tmpfs", (folder / "disk").c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0);
  cache->flush();
  CHECK(cache->statistics().persistent);
  CHECK(count_found(*open_cache((folder / "disk" / "a.db").string()), wide, 0, 2000) == 2000);
}

TEST_CASE("a file that may not grow: the cache goes on in memory") {
  const TemporaryFolder folder;
  const LogCapture log;
  const CacheModel wide = cache_test_model(384);
  const auto cache = open_cache((folder / "a.db").string());
  {
    const FileSizeLimit limit(300'000);
    for (std::size_t i = 0; i < 1000; i += 100) cache->insert(wide, cache_entries(wide, i, 100));
    CHECK(count_found(*cache, wide, 0, 1000) == 1000);
    CHECK_FALSE(cache->statistics().persistent);
  }
  CHECK(log.count("going on in memory") == 1);
  cache->flush();
  CHECK(cache->statistics().persistent);
  CHECK(count_found(*open_cache((folder / "a.db").string()), wide, 0, 1000) == 1000);
  CHECK(cache->verify().ok());
}

TEST_CASE("a cache on a read-only file system is read, and gone on with in memory") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder / "disk", "size=16m");
  if (!disk.mounted()) {
    WARN("skipped: a file system may not be mounted here");
    return;
  }
  fill(folder / "disk" / "a b%.db", 0, 100);
  REQUIRE(disk.make_read_only());
  const LogCapture log;
  {
    const auto cache = open_cache((folder / "disk" / "a b%.db").string());
    CHECK(count_found(*cache, model, 0, 110) == 100);
    CHECK(log.warnings().empty());
    cache->insert(model, cache_entries(model, 100, 10));
    CHECK(count_found(*cache, model, 0, 110) == 110);
    CHECK_FALSE(cache->statistics().persistent);
    CHECK(cache->verify().ok());
    std::size_t visited = 0;
    cache->for_each([&](const CacheModel&, const CacheEntry&) { ++visited; });
    CHECK(visited == 110);
  }
  CHECK(log.count("going on in memory") == 1);
  CHECK(log.count("10 vectors are lost") == 1);
}

TEST_CASE("a file whose schema has triggers runs none of them") {
  const TemporaryFolder folder;
  fill(folder / "a.db", 0, 1);
  Database(folder / "a.db").run("CREATE TRIGGER t AFTER INSERT ON vectors BEGIN DELETE FROM vectors; END");
  const auto cache = open_cache((folder / "a.db").string(), no_memory);
  cache->insert(model, cache_entries(model, 1, 5));
  CHECK(count_found(*cache, model, 0, 6) == 6);
}
