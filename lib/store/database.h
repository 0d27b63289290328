// SQLite with errors as values: one connection, used by one thread at a time. Blocking.
//
// Every committed transaction has reached the disk (WAL, synchronous = FULL). Errors: Code::resource_exhausted when the disk is
// full, Code::unavailable when another process holds the file, sys_errno EUCLEAN when the file is damaged (`is_corrupt`),
// sys_errno EIO when reading, writing or syncing failed: then close the database and open it again (F-40).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sdk/base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace drover {

[[nodiscard]] bool is_corrupt(const Error& error);
[[nodiscard]] bool is_io_error(const Error& error);

// A prepared statement. Bind from 1, step until false, read columns from 0; reset() makes it ready again.
class Statement {
 public:
  Statement& bind(int at, std::int64_t value);
  Statement& bind_text(int at, std::string_view value);
  Statement& bind_blob(int at, std::string_view value);
  Statement& bind_null(int at);
  // True: a row is there. False: done.
  [[nodiscard]] Result<bool> step();
  // Steps to the end, ignoring rows, and resets.
  [[nodiscard]] Result<> run();
  void reset();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;  // also blobs
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = 0;
};

class Database {
 public:
  // Opens or creates the file with mode 0600 and sets it up. Does not look at its content.
  [[nodiscard]] static Result<Database> open(const std::string& path);

  // Any number of statements without results.
  [[nodiscard]] Result<> execute(const std::string& sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] Result<std::int64_t> query_integer(std::string_view sql);
  // PRAGMA quick_check: structure of all pages.
  [[nodiscard]] Result<> check();
  [[nodiscard]] const std::string& path() const { return path_; }
  // Moves the content of the write-ahead log into the file.
  [[nodiscard]] Result<> checkpoint();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(sqlite3* database, std::string path) : database_(database), path_(std::move(path)) {}
  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

// Rolls back unless committed. The database must outlive it.
class Transaction {
 public:
  [[nodiscard]] static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  // Durable when it returns.
  [[nodiscard]] Result<> commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace drover
