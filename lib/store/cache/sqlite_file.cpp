#include "store/cache/sqlite_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <system_error>

#include "store/cache/checksum.hpp"
#include "store/cache/file_lock.hpp"
#include "store/cache/keep_aside.hpp"
#include "store/cache/sqlite_schema.hpp"

namespace inlay::store {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> companions = {"-wal", "-shm"};
constexpr std::int64_t walk_rows = 256;  // read at a time

bool is_same_file(const std::optional<platform::FileIdentity>& a, const std::optional<platform::FileIdentity>& b) noexcept {
  return a && b && a->device == b->device && a->inode == b->inode;
}

}  // namespace

class SqliteFile::Session {
 public:
  explicit Session(std::unique_ptr<Connection> opened) : connection_(std::move(opened)) {}

  [[nodiscard]] Connection& connection() const noexcept { return *connection_; }

  /// Of the model; nothing where the file has none of its vectors.
  std::optional<std::int64_t> model_id(const CacheModel& model) {
    const Using use(select_model);
    select_model.bind(1, model.fingerprint).bind(2, static_cast<std::int64_t>(model.dimension));
    if (!select_model.step()) return std::nullopt;
    return select_model.number(0);
  }

 private:
  std::unique_ptr<Connection> connection_;

 public:
  platform::FileIdentity identity{};
  std::optional<platform::FileIdentity> log_identity{};  // of the -wal
  bool immutable = false;
  Statement select_model{*connection_, "SELECT id FROM models WHERE fingerprint = ?1 AND dimension = ?2"};
  Statement select_vector{*connection_, "SELECT vector, checksum FROM vectors WHERE model = ?1 AND key = ?2"};
  Statement insert_model{*connection_, "INSERT INTO models (fingerprint, name, dimension) VALUES (?1, ?2, ?3)"};
  Statement insert_vector{*connection_,
                          "INSERT OR REPLACE INTO vectors (model, key, label, name, created, checksum, vector) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
  Statement select_rows{*connection_,
                        "SELECT v.id, v.key, v.label, v.name, v.created, v.checksum, v.vector, m.fingerprint, m.name, m.dimension "
                        "FROM vectors v LEFT JOIN models m ON m.id = v.model WHERE v.id > ?1 AND v.id <= ?2 ORDER BY v.id LIMIT ?3"};
};

// As it lies in the file; `entry` is whole where `defect` is empty.
struct SqliteFile::Row {
  std::int64_t id = 0;
  CacheModel model;
  CacheEntry entry;
  std::string defect;
};

template <class Work>
auto SqliteFile::guarded(Work&& work) {
  try {
    return work();
  } catch (const CacheFailure& failure) {
    if (failure.trouble() == Trouble::damaged) {
      damaged_ = session_ != nullptr ? session_->identity : platform::file_identity(path_);
      damage_ = failure.what();
      session_.reset();
    }
    throw;
  }
}

// In steps, between which other calls may be made.
class SqliteFile::Walk final : public Cursor {
 public:
  Walk(SqliteFile& file, std::int64_t last) : file_(file), last_(last) {}

  std::vector<Kept> next() override {
    std::vector<Kept> entries;
    while (entries.empty() && file_.open_to_read()) {
      const std::int64_t before = done_;
      done_ = file_.guarded([&] {
        return file_.read_rows(done_, last_, walk_rows, [&](const Row& row) {
          if (!row.defect.empty()) return;
          if (model_ == nullptr || *model_ != row.model) model_ = std::make_shared<const CacheModel>(row.model);
          entries.push_back({model_, row.entry});
        });
      });
      if (done_ == before) break;
    }
    return entries;
  }

 private:
  SqliteFile& file_;
  std::int64_t done_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t last_;
  std::shared_ptr<const CacheModel> model_;
};

SqliteFile::SqliteFile(fs::path path, Warnings& warnings, std::chrono::milliseconds busy_timeout)
    : CacheFile(warnings), path_(std::move(path)), log_path_(fs::path(path_).concat(companions[0])), busy_timeout_(busy_timeout) {}

SqliteFile::~SqliteFile() = default;

bool SqliteFile::is_known_damage() const noexcept { return damaged_ && is_same_file(damaged_, platform::file_identity(path_)); }

void SqliteFile::drop_moved_file() {
  if (session_ == nullptr) return;
  const auto now = platform::file_identity(path_);
  if (session_->immutable ? now == session_->identity : is_same_file(now, session_->identity)) return;
  if (!session_->immutable) {
    warnings().once("moved", fmt::format("the vector cache {} was deleted or replaced while it was open; going on with what is there now",
                                         path_.string()));
  }
  // The log of the file that is gone would be taken for that of the file which has its name now. The session holds it, so its number is
  // no other's.
  const bool log_is_left = is_same_file(session_->log_identity, platform::file_identity(log_path_));
  session_.reset();
  if (!log_is_left) return;
  std::error_code ignored;
  for (const std::string_view companion : companions) fs::remove(fs::path(path_).concat(companion), ignored);
}

bool SqliteFile::is_ours(Connection& connection) const {
  const Transaction view(connection, Transaction::Kind::read);
  return has_schema(connection, path_);
}

std::unique_ptr<SqliteFile::Session> SqliteFile::connect(Access access, std::chrono::milliseconds patience) const {
  const auto before = platform::file_identity(path_);
  auto connection = std::make_unique<Connection>(path_, access);
  connection->wait_for_others(patience);
  if (!is_ours(*connection)) {
    if (access != Access::create) return nullptr;
    create_schema(*connection, path_, patience);
  }
  if (access != Access::immutable) configure(*connection);
  auto session = std::make_unique<Session>(std::move(connection));
  session->immutable = access == Access::immutable;
  const auto identity = platform::file_identity(path_);
  if (!identity || (before && !is_same_file(before, identity))) {
    throw CacheFailure(Trouble::busy, fmt::format("the vector cache {} was replaced just now", path_.string()));
  }
  session->identity = *identity;
  if (!session->immutable) session->log_identity = platform::file_identity(log_path_);
  return session;
}

bool SqliteFile::open_to_read() {
  drop_moved_file();
  if (session_ != nullptr) return true;
  const auto identity = platform::file_identity(path_);
  if (!identity || identity->size == 0 || is_known_damage()) return false;
  guarded([&] {
    try {
      session_ = connect(Access::read_write, busy_timeout_);
    } catch (const CacheFailure& failure) {
      const auto log = platform::file_identity(log_path_);
      if (failure.trouble() != Trouble::unavailable || (log && log->size != 0)) throw;
      session_ = connect(Access::immutable, busy_timeout_);  // in a folder where no -shm can be made
    }
  });
  return session_ != nullptr;
}

bool SqliteFile::open_undamaged() {
  if (open_to_read()) return true;
  if (is_known_damage()) throw CacheFailure(Trouble::damaged, damage_);
  return false;
}

void SqliteFile::open_to_write(std::chrono::milliseconds patience) {
  drop_moved_file();
  if (is_known_damage()) keep_damage_aside(patience);
  damaged_.reset();
  if (session_ == nullptr || session_->immutable || !session_->connection().writable()) {
    platform::create_folders(path_.parent_path());
    session_ = connect(Access::create, patience);
  }
  session_->connection().wait_for_others(patience);
}

void SqliteFile::keep_damage_aside(std::chrono::milliseconds patience) {
  const auto lock = lock_file(path_, patience);
  if (!is_known_damage()) return;  // another process was first
  damaged_.reset();
  try {  // what looks like damage may be a newer version's work of just now
    Connection connection(path_, Access::read_write);
    connection.wait_for_others(patience);
    static_cast<void>(is_ours(connection));
  } catch (const CacheFailure& failure) {
    if (failure.trouble() != Trouble::damaged) throw;
  }
  const fs::path kept = move_aside(path_, "damaged", companions);
  warnings().once(kept.string(), fmt::format("{}; the damaged file is kept as {}, and another is begun", damage_, kept.string()));
}

void SqliteFile::find(const CacheModel& model, std::span<const std::string> keys, std::span<const std::size_t> wanted, const Found& found) {
  if (!open_to_read()) return;
  std::vector<float> vector(model.dimension);
  guarded([&] {
    Transaction view(session_->connection(), Transaction::Kind::read);
    const auto id = session_->model_id(model);
    if (!id) return;
    Statement& select = session_->select_vector;
    for (const std::size_t i : wanted) {
      const Using use(select);
      select.bind(1, *id).bind(2, keys[i]);
      if (!select.step()) continue;
      const std::string_view bytes = select.blob(0);
      const bool fits = bytes.size() == vector.size() * sizeof(float);
      if (fits) std::memcpy(vector.data(), bytes.data(), bytes.size());
      if (fits && vector_checksum(model.fingerprint, keys[i], vector) == static_cast<std::uint64_t>(select.number(1))) {
        found(i, vector);
      } else {
        warnings().once("row",
                        fmt::format("the vector cache {} has a damaged entry, of the key {}: it is left out until it is inserted anew",
                                    path_.string(), keys[i]));
      }
    }
    view.commit();
  });
}

void SqliteFile::write(std::span<const Pending> entries, std::chrono::milliseconds patience) {
  try {
    write_once(entries, patience);
  } catch (const CacheFailure& failure) {
    if (failure.trouble() != Trouble::damaged) throw;
    write_once(entries, patience);  // into a new file
  }
}

void SqliteFile::write_once(std::span<const Pending> entries, std::chrono::milliseconds patience) {
  guarded([&] {
    open_to_write(patience);
    Transaction transaction(session_->connection(), Transaction::Kind::write);
    static_cast<void>(has_schema(session_->connection(), path_));  // a newer version may have changed it meanwhile
    const CacheModel* model = nullptr;
    std::int64_t id = 0;
    for (const Pending& entry : entries) {
      if (entry.model != model) {
        model = entry.model;
        const auto known = session_->model_id(*model);
        if (!known) {
          session_->insert_model.bind(1, model->fingerprint).bind(2, model->name).bind(3, static_cast<std::int64_t>(model->dimension));
          session_->insert_model.run();
        }
        id = known ? *known : sqlite3_last_insert_rowid(session_->connection().handle());
      }
      Statement& insert = session_->insert_vector;
      insert.bind(1, id).bind(2, entry.key).bind(3, entry.label).bind(4, entry.name);
      insert.bind(5, entry.created.time_since_epoch().count());
      insert.bind(6, static_cast<std::int64_t>(vector_checksum(model->fingerprint, entry.key, entry.vector))).bind(7, entry.vector);
      insert.run();
    }
    transaction.commit();
  });
}

void SqliteFile::flush() {
  if (session_ == nullptr || session_->immutable || !session_->connection().writable()) return;
  const bool complete = guarded([&] {
    Statement checkpoint(session_->connection(), "PRAGMA wal_checkpoint(PASSIVE)");
    return checkpoint.step() && checkpoint.number(0) == 0 && checkpoint.number(1) == checkpoint.number(2);
  });
  // Others are at it: then what we wrote is in the log alone, which SQLite does not flush.
  if (!complete && platform::file_identity(log_path_)) platform::AppendedFile(log_path_).flush_to_disk();
}

std::vector<CacheModelCount> SqliteFile::models() {
  std::vector<CacheModelCount> counts;
  if (!open_to_read()) return counts;
  guarded([&] {
    Statement select(
        session_->connection(),
        "SELECT models.name, fingerprint, dimension, count(*) FROM vectors JOIN models ON models.id = model GROUP BY model ORDER BY model");
    while (select.step()) {
      counts.push_back({{std::string(select.text(0)), std::string(select.text(1)), static_cast<std::size_t>(select.number(2))},
                        static_cast<std::size_t>(select.number(3))});
    }
  });
  return counts;
}

std::uint64_t SqliteFile::bytes() const noexcept {
  const auto file = platform::file_identity(path_);
  const auto log = platform::file_identity(log_path_);
  return (file ? file->size : 0) + (file && log ? log->size : 0);
}

std::int64_t SqliteFile::read_rows(std::int64_t after, std::int64_t last, std::int64_t most, const std::function<void(const Row&)>& visit) {
  Statement& select = session_->select_rows;
  const Using use(select);
  select.bind(1, after).bind(2, last).bind(3, most);
  while (select.step()) {
    Row row;
    row.id = after = select.number(0);
    row.model = {std::string(select.text(8)), std::string(select.text(7)), static_cast<std::size_t>(select.number(9))};
    row.entry.key = select.text(1);
    row.entry.label = select.text(2);
    row.entry.name = select.text(3);
    row.entry.created = clamped(Timestamp(std::chrono::milliseconds(select.number(4))));
    const std::string_view bytes = select.blob(6);
    if (row.model.fingerprint.empty()) {
      row.defect = "it is of a model that the file does not name";
    } else if (bytes.size() % sizeof(float) != 0 || bytes.size() / sizeof(float) != row.model.dimension) {
      row.defect = fmt::format("its vector has {} bytes, where the model has {} components", bytes.size(), row.model.dimension);
    } else {
      row.entry.vector.resize(row.model.dimension);
      std::memcpy(row.entry.vector.data(), bytes.data(), bytes.size());
      const std::uint64_t checksum = vector_checksum(row.model.fingerprint, row.entry.key, row.entry.vector);
      if (checksum != static_cast<std::uint64_t>(select.number(5))) row.defect = "its checksum is not that of its vector";
    }
    visit(row);
  }
  return after;
}

CacheCheck SqliteFile::verify() {
  CacheCheck check;
  try {
    if (!open_to_read()) {
      if (is_known_damage()) add_problem(check, {{}, {}, damage_});
      return check;
    }
    guarded([&] {
      Statement integrity(session_->connection(), "PRAGMA integrity_check");
      while (integrity.step()) {
        if (integrity.text(0) != "ok") add_problem(check, {{}, {}, std::string(integrity.text(0))});
      }
      read_rows(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), -1, [&](const Row& row) {
        if (row.defect.empty()) {
          ++check.entries;
        } else {
          add_problem(check, {row.entry.key, row.entry.label, row.defect});
        }
      });
    });
  } catch (const CacheFailure& failure) {
    if (failure.trouble() != Trouble::damaged) throw;
    add_problem(check, {{}, {}, failure.what()});
  }
  return check;
}

PruneResult SqliteFile::prune(const PruneOptions& options) {
  PruneResult result;
  result.bytes_before = result.bytes_after = bytes();
  if (!open_undamaged()) return result;
  guarded([&] {
    open_to_write(busy_timeout_);
    Connection& connection = session_->connection();
    result.removed = remove(options);
    const auto before = static_cast<std::size_t>(connection.number("SELECT count(*) FROM vectors"));
    if (result.removed > 0) connection.execute("VACUUM");
    if (options.max_bytes) shrink_to(*options.max_bytes);
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    result.kept = static_cast<std::size_t>(connection.number("SELECT count(*) FROM vectors"));
    result.removed += before - result.kept;
  });
  result.bytes_after = bytes();
  return result;
}

std::size_t SqliteFile::remove(const PruneOptions& options) {
  Connection& connection = session_->connection();
  std::size_t removed = 0;
  const auto run = [&](Statement& statement) {
    statement.run();
    removed += static_cast<std::size_t>(connection.changes());
  };
  Transaction transaction(connection, Transaction::Kind::write);
  if (options.created_before) {
    const auto limit = std::chrono::floor<std::chrono::milliseconds>(*options.created_before).time_since_epoch().count();
    Statement statement(connection, "DELETE FROM vectors WHERE created < ?1");
    run(statement.bind(1, limit));
  }
  if (options.keep_fingerprint) {
    Statement statement(connection, "DELETE FROM vectors WHERE model NOT IN (SELECT id FROM models WHERE fingerprint = ?1)");
    run(statement.bind(1, *options.keep_fingerprint));
  }
  if (options.drop_fingerprint) {
    Statement statement(connection, "DELETE FROM vectors WHERE model IN (SELECT id FROM models WHERE fingerprint = ?1)");
    run(statement.bind(1, *options.drop_fingerprint));
  }
  if (options.max_entries && *options.max_entries <= static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max())) {
    Statement statement(connection, "DELETE FROM vectors WHERE id <= (SELECT id FROM vectors ORDER BY id DESC LIMIT 1 OFFSET ?1)");
    run(statement.bind(1, static_cast<std::int64_t>(*options.max_entries)));
  }
  connection.execute("DELETE FROM models WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE model = models.id)");
  transaction.commit();
  return removed;
}

void SqliteFile::shrink_to(std::uint64_t bytes) {
  Connection& connection = session_->connection();
  while (true) {
    const auto pages = static_cast<std::uint64_t>(connection.number("PRAGMA page_count"));
    const std::uint64_t size = pages * static_cast<std::uint64_t>(connection.number("PRAGMA page_size"));
    const std::int64_t rows = connection.number("SELECT count(*) FROM vectors");
    if (size <= bytes || rows == 0) return;
    const double share = static_cast<double>(bytes) / static_cast<double>(size);
    const auto keep = std::min(rows - 1, static_cast<std::int64_t>(static_cast<double>(rows) * share));
    remove({.max_entries = static_cast<std::size_t>(keep)});
    connection.execute("VACUUM");
  }
}

std::unique_ptr<Cursor> SqliteFile::entries() {
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  if (open_undamaged()) last = guarded([&] { return session_->connection().number("SELECT max(id) FROM vectors"); });
  return std::make_unique<Walk>(*this, last);
}

}  // namespace inlay::store
