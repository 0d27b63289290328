#include "agent/state/table.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "lib/store/crc32c.h"
#include "lib/store/open.h"
#include "sdk/base/fd.h"

namespace drover {
namespace {
constexpr std::array<std::string_view, 18> kind_names = {
    "node_id",        "node_secret",       "node_identity",  "node_meta",          "node_registration", "plugin",
    "dynamic_plugin", "host_volume",       "alloc",          "deployment_status",  "network_status",    "acknowledged_state",
    "alloc_volumes",  "alloc_identities",  "check_result",   "task_local",         "task_state",        "task_handle"};

std::optional<StateKind> parse_kind(std::string_view name) {
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind_names[i] == name) return static_cast<StateKind>(i);
  }
  return std::nullopt;
}

const std::vector<std::string>& migrations() {
  static const std::vector<std::string> list = {
      "CREATE TABLE state (alloc_id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, crc INTEGER NOT NULL,"
      " PRIMARY KEY (alloc_id, kind, name)) WITHOUT ROWID"};
  return list;
}

// The key is covered too: a value must not turn up under a damaged name.
std::uint32_t checksum(std::string_view alloc_id, std::string_view kind, std::string_view name, std::string_view value) {
  return crc32c(value, crc32c(name, crc32c(kind, crc32c(alloc_id) + 1) + 1) + 1);
}

void take(StoredState& state, StateKey key, std::string value) {
  if (key.alloc_id.empty()) {
    if (key.kind == StateKind::node_id) state.node_id = std::move(value);
    else if (key.kind == StateKind::node_secret) state.node_secret = std::move(value);
    else if (key.kind == StateKind::plugin) state.plugins[key.name] = std::move(value);
    else state.others.emplace(std::move(key), std::move(value));
    return;
  }
  StoredAlloc& alloc = state.allocs[key.alloc_id];
  if (key.kind == StateKind::alloc) alloc.alloc = std::move(value);
  else if (key.kind == StateKind::task_local) alloc.tasks[key.name].local = std::move(value);
  else if (key.kind == StateKind::task_state) alloc.tasks[key.name].state = std::move(value);
  else if (key.kind == StateKind::task_handle) alloc.tasks[key.name].handle = std::move(value);
  else alloc.others.emplace(std::move(key), std::move(value));
}

Result<> read_all(Database& database, StoredState& state) {
  auto rows = database.prepare("SELECT alloc_id, kind, name, value, crc FROM state");
  if (!rows) return fail(std::move(rows).error());
  for (;;) {
    const auto more = rows->step();
    if (!more) return fail(more.error());
    if (!*more) return {};
    StateKey key{.alloc_id = rows->text(0), .name = rows->text(2)};
    const std::string kind = rows->text(1);
    std::string value = rows->text(3);
    const auto parsed = parse_kind(kind);
    if (!parsed || checksum(key.alloc_id, kind, key.name, value) != static_cast<std::uint32_t>(rows->integer(4))) {
      state.problems.push_back(fmt::format("client state: {} {} of allocation \"{}\" is damaged and was left out", kind, key.name, key.alloc_id));
      continue;
    }
    key.kind = *parsed;
    take(state, std::move(key), std::move(value));
  }
}
}  // namespace

std::string_view to_string(StateKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

StateTable::StateTable(const StateStore::Options& options, Database database)
    : path_(options.path), reserve_bytes_(options.reserve_bytes), database_(std::move(database)) {}

Result<StateTable> StateTable::open(const StateStore::Options& options, StoredState& state) {
  const auto probe = [&state](Database& database) {
    state = {};
    return read_all(database, state);
  };
  auto opened = open_database(options.path, migrations(), options.clock->unix_nanos(), probe);
  if (!opened) return fail(opened.error(), "opening the client state");
  if (opened->quarantined) {
    state.quarantined = true;
    state.problems.push_back(fmt::format("client state was damaged ({}) and moved to \"{}\"", opened->quarantined->reason, opened->quarantined->path));
  }
  StateTable out(options, std::move(opened->database));
  DROVER_TRY(out.prepare());
  out.make_reserve();
  return out;
}

Result<> StateTable::prepare() {
  auto put = database_->prepare(
      "INSERT INTO state (alloc_id, kind, name, value, crc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value,"
      " crc = excluded.crc WHERE value IS NOT excluded.value");
  if (!put) return fail(std::move(put).error());
  auto remove = database_->prepare("DELETE FROM state WHERE alloc_id = ? AND kind = ? AND name = ?");
  if (!remove) return fail(std::move(remove).error());
  auto remove_alloc = database_->prepare("DELETE FROM state WHERE alloc_id = ?");
  if (!remove_alloc) return fail(std::move(remove_alloc).error());
  statements_.emplace(Statements{.put = std::move(*put), .remove = std::move(*remove), .remove_alloc = std::move(*remove_alloc)});
  return {};
}

Result<> StateTable::apply_once(const std::vector<StateChange>& changes) {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return fail(std::move(transaction).error());
  for (const auto& change : changes) {
    const auto kind = to_string(change.key.kind);
    Statement* statement = &statements_->put;
    if (change.whole_alloc) {
      statement = &statements_->remove_alloc;
      statement->bind_text(1, change.key.alloc_id);
    } else {
      if (!change.value) statement = &statements_->remove;
      statement->bind_text(1, change.key.alloc_id).bind_text(2, kind).bind_text(3, change.key.name);
      if (change.value) {
        statement->bind_blob(4, *change.value).bind(5, checksum(change.key.alloc_id, kind, change.key.name, *change.value));
      }
    }
    DROVER_TRY(statement->run());
  }
  return transaction->commit();
}

Result<> StateTable::apply(const std::vector<StateChange>& changes) {
  if (!database_) {
    auto database = Database::open(path_);
    if (!database) return fail(database.error(), "opening the client state again");
    database_ = std::move(*database);
    DROVER_TRY(prepare());
  }
  auto done = apply_once(changes);
  if (!done && done.error().code() == Code::resource_exhausted && ::unlink((path_ + ".reserve").c_str()) == 0) {
    reserve_used_ = true;
    done = apply_once(changes);
  }
  if (!done) {
    // F-40: what the kernel dropped after a failed sync must be read again from the disk.
    if (is_io_error(done.error()) || is_corrupt(done.error())) {
      statements_.reset();
      database_.reset();
    }
    return fail(done.error(), "writing the client state");
  }
  if (reserve_used_) make_reserve();
  return {};
}

// Room that only stops and exits get: given up when nothing else is left.
void StateTable::make_reserve() {
  const std::string path = path_ + ".reserve";
  reserve_used_ = false;
  if (reserve_bytes_ == 0) return;
  auto fd = open_file(path, O_RDWR | O_CREAT, 0600);
  if (fd && ::posix_fallocate(fd->get(), 0, static_cast<off_t>(reserve_bytes_)) == 0) return;
  ::unlink(path.c_str());
  reserve_used_ = true;
}

}  // namespace drover
