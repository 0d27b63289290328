#include "lib/store/open.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "sdk/base/file.h"

namespace drover {
namespace {
constexpr std::int64_t application_mark = 0x44520000;  // "DR", then the version

// The medium failing is not a reason to move a file aside; anything else SQLite says about a file of ours is.
bool is_damage(const Error& error) { return is_corrupt(error) || (error.code() == Code::internal && !is_io_error(error)); }

Result<> migrate(Database& database, const std::vector<std::string>& migrations) {
  auto version = database.query_integer("PRAGMA user_version");
  if (!version) return fail(std::move(version).error());
  const auto mark = database.query_integer("PRAGMA application_id");
  if (!mark) return fail(mark.error());
  // Written twice, so that a damaged version is not taken for one of a newer program.
  if (*mark != (*version == 0 ? 0 : application_mark + *version)) {
    return fail(Error(Code::internal, fmt::format("\"{}\" is damaged: version {} with mark {}", database.path(), *version, *mark))
                    .with_errno(EUCLEAN));
  }
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (*version > known) {
    return fail(Code::conflict, "\"{}\" has format {}, this program reads up to {}: start the newer program, or move the file away",
                database.path(), *version, known);
  }
  if (*version > 0 && *version < known) {
    const std::string backup = database.path() + ".backup";
    ::unlink(backup.c_str());
    auto copy = database.prepare("VACUUM INTO ?");
    if (!copy) return fail(std::move(copy).error());
    if (auto done = copy->bind_text(1, backup).run(); !done) return fail(done.error(), "making the backup \"{}\"", backup);
  }
  for (std::int64_t at = *version; at < known; ++at) {
    auto transaction = Transaction::begin(database);
    if (!transaction) return fail(std::move(transaction).error());
    DROVER_TRY(database.execute(migrations[static_cast<std::size_t>(at)]));
    DROVER_TRY(database.execute(fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", at + 1, application_mark + at + 1)));
    DROVER_TRY(transaction->commit());
  }
  return {};
}

Result<Database> open_checked(const std::string& path, const std::vector<std::string>& migrations,
                              const DatabaseProbe& probe) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    return fail(Error(Code::internal, fmt::format("\"{}\" is not a regular file", path)).with_errno(EUCLEAN));
  }
  auto database = Database::open(path);
  if (!database) return database;
  DROVER_TRY(database->check());
  DROVER_TRY(migrate(*database, migrations));
  if (probe) DROVER_TRY(probe(*database));
  return database;
}

Result<> move_aside(const std::string& path, const std::string& target) {
  if (::rename(path.c_str(), target.c_str()) != 0) return fail_errno("moving the damaged \"{}\" to \"{}\"", path, target);
  for (const char* suffix : {"-wal", "-shm"}) {
    if (::rename((path + suffix).c_str(), (target + suffix).c_str()) != 0 && errno != ENOENT) {
      return fail_errno("moving the damaged \"{}{}\"", path, suffix);
    }
  }
  return sync_directory(std::filesystem::path(path).parent_path().string());
}
}  // namespace

Result<OpenedDatabase> open_database(const std::string& path, const std::vector<std::string>& migrations, UnixNanos now,
                                     const DatabaseProbe& probe) {
  auto first = open_checked(path, migrations, probe);
  if (first) return OpenedDatabase{.database = std::move(*first), .quarantined = std::nullopt};
  if (!is_damage(first.error())) return fail(std::move(first).error());
  std::string target = fmt::format("{}.corrupt-{}", path, now / 1'000'000'000);
  std::error_code ignored;
  while (std::filesystem::exists(target, ignored)) target += "x";
  DROVER_TRY(move_aside(path, target));
  auto fresh = open_checked(path, migrations, probe);
  if (!fresh) return fail(std::move(fresh).error());
  return OpenedDatabase{.database = std::move(*fresh),
                        .quarantined = OpenedDatabase::Quarantine{.path = target, .reason = first.error().message()}};
}

}  // namespace drover
