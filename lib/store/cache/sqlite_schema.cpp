#include "store/cache/sqlite_schema.hpp"

#include <fmt/format.h>

#include <thread>

#include "store/cache/cache_file.hpp"

namespace inlay::store {
namespace {

constexpr std::int64_t application_id = 0x496E6C79;  // "Inly"
constexpr std::int64_t schema_version = 1;

constexpr const char* schema = R"(
  CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    name TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    UNIQUE (fingerprint, dimension)
  );
  CREATE TABLE vectors (
    id INTEGER PRIMARY KEY,     -- order of insertion
    model INTEGER NOT NULL REFERENCES models (id),
    key TEXT NOT NULL,
    label TEXT NOT NULL,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,   -- milliseconds since 1970, UTC
    checksum INTEGER NOT NULL,  -- XXH3 of fingerprint, key and vector
    vector BLOB NOT NULL        -- float32, little-endian
  );
  CREATE UNIQUE INDEX vectors_by_key ON vectors (key, model);  -- the key first: one comparison decides
  PRAGMA application_id = 1231973497;
  PRAGMA user_version = 1;
)";
static_assert(application_id == 1231973497 && schema_version == 1);

// Two processes that turn one new file to WAL exclude each other without waiting.
void turn_to_wal(Connection& connection, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    try {
      connection.execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const CacheFailure& failure) {
      if (failure.trouble() != Trouble::busy || std::chrono::steady_clock::now() >= end) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

}  // namespace

bool has_schema(Connection& connection, const std::filesystem::path& path) {
  const std::int64_t owner = connection.number("PRAGMA application_id");
  const std::int64_t version = connection.number("PRAGMA user_version");
  if (owner == application_id && version == schema_version) return true;
  if (owner == application_id && version > schema_version) {
    throw CacheFailure(Trouble::foreign, fmt::format("the vector cache {} was made by a newer version of Inlay: its schema is {}, this "
                                                     "version knows {}; it is not used",
                                                     path.string(), version, schema_version));
  }
  if (owner == 0 && version == 0 && connection.number("SELECT count(*) FROM sqlite_schema") == 0) return false;
  if (owner == application_id) {
    throw CacheFailure(Trouble::damaged, fmt::format("the vector cache {} has the schema version {}", path.string(), version));
  }
  throw CacheFailure(Trouble::foreign,
                     fmt::format("{} is a database of another program, not a vector cache; it is not used", path.string()));
}

void create_schema(Connection& connection, const std::filesystem::path& path, std::chrono::milliseconds patience) {
  turn_to_wal(connection, patience);
  Transaction transaction(connection, Transaction::Kind::write);
  if (!has_schema(connection, path)) connection.execute(schema);
  transaction.commit();
}

void configure(Connection& connection) {
  // Without WAL, on a file system that cannot have it, NORMAL could leave a damaged file after a power failure.
  Statement mode(connection, "PRAGMA journal_mode");
  const bool wal = mode.step() && mode.text(0) == "wal";
  mode.reset();
  connection.execute(wal ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
  connection.execute(
      "PRAGMA wal_autocheckpoint = 8192;"
      "PRAGMA journal_size_limit = 67108864;"
      "PRAGMA cache_size = -16384;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA secure_delete = OFF");
}

}  // namespace inlay::store
