// SQLite's handles as objects, and its errors as CacheFailure.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace inlay::store {

enum class Access { read_write, create, immutable };

class Statement;

/// One connection, for one thread at a time.
class Connection {
 public:
  /// `immutable`: reads a file that nobody can change, without its -wal and -shm. Throws CacheFailure.
  Connection(const std::filesystem::path& path, Access access);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void wait_for_others(std::chrono::milliseconds at_most) noexcept;
  void execute(const char* sql);
  void begin_read();
  void begin_write();  ///< waits for other writers now, not in the middle
  void commit();
  [[nodiscard]] std::int64_t number(const char* sql);  ///< the first column of the first row
  [[nodiscard]] bool writable() const noexcept;
  [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }
  [[nodiscard]] std::int64_t changes() const noexcept;  ///< rows that the last statement changed

  /// Throws what the result code of a call on this connection means.
  [[noreturn]] void fail(int code) const;

 private:
  void run(std::unique_ptr<Statement>& kept, const char* sql);

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
  std::unique_ptr<Statement> begin_read_;  // prepared once: a look-up of one key takes no longer than they would
  std::unique_ptr<Statement> begin_write_;
  std::unique_ptr<Statement> commit_;
};

/// A prepared statement. What is bound must outlive the step; what a column gives lives until the next one.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::span<const float> vector);

  /// Whether there is a (further) row.
  bool step();
  /// Runs it to its end.
  void run();
  void reset() noexcept;

  [[nodiscard]] std::int64_t number(int column) const noexcept;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;

 private:
  Connection& connection_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Resets a statement when its work is done, so that it holds no lock.
class Using {
 public:
  explicit Using(Statement& statement) noexcept : statement_(statement) {}
  ~Using() { statement_.reset(); }
  Using(const Using&) = delete;
  Using& operator=(const Using&) = delete;

 private:
  Statement& statement_;
};

/// Rolled back unless committed.
class Transaction {
 public:
  enum class Kind { read, write };
  Transaction(Connection& connection, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace inlay::store
