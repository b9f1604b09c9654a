#include "store/cache/sqlite.hpp"

#include <fmt/format.h>

#include <string>

#include "store/cache/cache_file.hpp"

namespace inlay::store {
namespace {

Trouble trouble_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return Trouble::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:  // our own statements are right: the schema is not what it says it is
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT: return Trouble::damaged;
    default: return Trouble::unavailable;
  }
}

// A path as a URI, for the parameters that only those have.
std::string immutable_uri(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : path.string()) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '.' || c == '-';
    plain ? uri.append(1, c) : uri.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
  }
  return uri + "?immutable=1";
}

}  // namespace

Connection::Connection(const std::filesystem::path& path, Access access) : path_(path) {
  const bool immutable = access == Access::immutable;
  const int flags = (immutable ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                    (access == Access::create ? SQLITE_OPEN_CREATE : 0);
  const std::string name = immutable ? immutable_uri(path) : path.string();
  const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
  try {
    if (code != SQLITE_OK) fail(code);
    sqlite3_extended_result_codes(handle_, 1);
    // The file may be anybody's: nothing in it is run.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Connection::~Connection() {
  for (auto* statement : {&begin_read_, &begin_write_, &commit_}) statement->reset();
  sqlite3_close(handle_);
}

void Connection::wait_for_others(std::chrono::milliseconds at_most) noexcept {
  sqlite3_busy_timeout(handle_, static_cast<int>(at_most.count()));
}

void Connection::execute(const char* sql) {
  if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

void Connection::run(std::unique_ptr<Statement>& kept, const char* sql) {
  if (kept == nullptr) kept = std::make_unique<Statement>(*this, sql);
  kept->run();
}

void Connection::begin_read() { run(begin_read_, "BEGIN"); }

void Connection::begin_write() { run(begin_write_, "BEGIN IMMEDIATE"); }

void Connection::commit() { run(commit_, "COMMIT"); }

std::int64_t Connection::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.number(0) : 0;
}

bool Connection::writable() const noexcept { return sqlite3_db_readonly(handle_, "main") == 0; }

std::int64_t Connection::changes() const noexcept { return sqlite3_changes(handle_); }

void Connection::fail(int code) const {
  const char* detail = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  throw CacheFailure(trouble_of(code), fmt::format("the vector cache {}: {}", path_.string(), detail));
}

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
  const int code = sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()), 0, &handle_, nullptr);
  if (code != SQLITE_OK) connection.fail(code);
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int index, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(handle_, index, value); code != SQLITE_OK) connection_.fail(code);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const char* bytes = text.data() == nullptr ? "" : text.data();  // a null pointer would be NULL
  const int code = sqlite3_bind_text64(handle_, index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

Statement& Statement::bind(int index, std::span<const float> vector) {
  const int code = sqlite3_bind_blob64(handle_, index, vector.data(), vector.size_bytes(), SQLITE_STATIC);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_.fail(code);
}

void Statement::run() {
  const Using use(*this);
  while (step()) {
  }
}

void Statement::reset() noexcept { sqlite3_reset(handle_); }

std::int64_t Statement::number(int column) const noexcept { return sqlite3_column_int64(handle_, column); }

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

std::string_view Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  kind == Kind::write ? connection_.begin_write() : connection_.begin_read();
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);  // of no use where an error has done it already
}

void Transaction::commit() {
  connection_.commit();
  open_ = false;
}

}  // namespace inlay::store
