#include "lib/store/database.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>

#include "sdk/base/fd.h"

namespace drover {
namespace {
Error to_error(sqlite3* database, int code, const std::string& step) {
  const int primary = code & 0xff;
  const int extended = database == nullptr ? code : sqlite3_extended_errcode(database);
  const char* text = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
  const std::string message = fmt::format("{}: {}", step, text);
  switch (primary) {
    case SQLITE_FULL:
      return Error(Code::resource_exhausted, message).with_errno(ENOSPC);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Code::unavailable, message + ": another process has the file open");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(Code::internal, message).with_errno(EUCLEAN);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: {
      const int number = database == nullptr ? 0 : sqlite3_system_errno(database);
      const bool full = number == ENOSPC || number == EDQUOT;
      return Error(full ? Code::resource_exhausted : Code::internal, fmt::format("{} (code {})", message, extended))
          .with_errno(full ? ENOSPC : EIO);
    }
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Error(Code::permission_denied, message);
    case SQLITE_CONSTRAINT:
      return Error(Code::conflict, message);
    default:
      return Error(Code::internal, message);
  }
}
}  // namespace

bool is_corrupt(const Error& error) { return error.sys_errno() == EUCLEAN; }
bool is_io_error(const Error& error) { return error.sys_errno() == EIO; }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Statement& Statement::bind(int at, std::int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_.get(), at, value);
  return *this;
}
Statement& Statement::bind_text(int at, std::string_view value) {
  bind_error_ |= sqlite3_bind_text64(statement_.get(), at, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_blob(int at, std::string_view value) {
  bind_error_ |= sqlite3_bind_blob64(statement_.get(), at, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind_null(int at) {
  bind_error_ |= sqlite3_bind_null(statement_.get(), at);
  return *this;
}

Result<bool> Statement::step() {
  sqlite3* database = sqlite3_db_handle(statement_.get());
  const std::string sql(sqlite3_sql(statement_.get()));
  if (bind_error_ != SQLITE_OK) return fail(Code::internal, "binding values of \"{}\" failed", sql);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(to_error(database, code, fmt::format("running \"{}\"", sql)));
}

Result<> Statement::run() {
  Result<bool> more = true;
  while (more && *more) more = step();
  reset();
  if (!more) return fail(std::move(more).error());
  return {};
}

void Statement::reset() {
  bind_error_ = SQLITE_OK;
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
std::string Statement::text(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

Result<Database> Database::open(const std::string& path) {
  // SQLite would make the file readable for others; its log and index files take over the mode.
  { auto fd = open_file(path, O_RDWR | O_CREAT, 0600); if (!fd) return fail(std::move(fd).error()); }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database out(raw, path);
  if (code != SQLITE_OK) return fail(to_error(raw, code, fmt::format("opening \"{}\"", path)));
  sqlite3_busy_timeout(raw, 900);
  const auto set = out.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                               "PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;");
  if (!set) return fail(set.error(), "opening \"{}\"", path);
  return out;
}

Result<> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(to_error(database_.get(), code, fmt::format("running \"{}\"", sql)));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return fail(to_error(database_.get(), code, fmt::format("preparing \"{}\"", sql)));
  return Statement(raw);
}

Result<std::int64_t> Database::query_integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(std::move(statement).error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  if (!*row) return fail(Code::not_found, "\"{}\" gave no row", sql);
  return statement->integer(0);
}

Result<> Database::check() {
  auto statement = prepare("PRAGMA quick_check(1)");
  if (!statement) return fail(std::move(statement).error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  const std::string answer = statement->text(0);
  if (answer == "ok") return {};
  return fail(Error(Code::internal, fmt::format("\"{}\" is damaged: {}", path_, answer)).with_errno(EUCLEAN));
}

Result<> Database::checkpoint() { return execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

Result<Transaction> Transaction::begin(Database& database) {
  DROVER_TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(&database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

Result<> Transaction::commit() {
  DROVER_TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace drover
