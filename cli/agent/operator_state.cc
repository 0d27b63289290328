// operator raft logs, operator raft state, operator snapshot state: what a stopped server or a snapshot file holds, as JSON. No server is
// asked.
#include <nlohmann/json.hpp>

#include "cli/agent/stored_raft.h"
#include "cli/commands.h"
#include "cli/snapshot_file.h"
#include "lib/model/codec.h"
#include "lib/snapshot/archive.h"
#include "server/api/filter.h"
#include "server/fsm/entry_text.h"
#include "server/fsm/fsm.h"

namespace drover::cli {
namespace {
using Document = nlohmann::ordered_json;

// Writes tables one object at a time: a state may be larger than the memory.
class StateWriter {
 public:
  StateWriter(Ui& ui, std::vector<rpc::Matcher> filters) : ui_(ui), filters_(std::move(filters)) {}

  template <class Items>
  void table(const char* name, const Items& items) {
    ui_.out_raw(fmt::format("{}  \"{}\": [", first_table_ ? "{\n" : ",\n", name));
    first_table_ = false;
    bool first = true;
    items.scan([&](const auto& item) {
      if (!wanted(item)) return true;
      ui_.out_raw(fmt::format("{}{}", first ? "\n" : ",\n", indented(model::to_json(*item))));
      first = false;
      return true;
    });
    ui_.out_raw(first ? "]" : "\n  ]");
  }
  void object(const char* name, const std::string& json) {
    ui_.out_raw(fmt::format(",\n  \"{}\": [\n{}\n  ]", name, indented(json)));
  }
  [[nodiscard]] bool filters() const { return !filters_.empty(); }
  void end() { ui_.out_raw("\n}\n"); }

 private:
  template <class Item>
  [[nodiscard]] bool wanted(const Item& item) const {
    for (const auto& filter : filters_) {
      if constexpr (std::is_constructible_v<state::Object, Item>) {
        // What has no such field does not match.
        const auto matches = filter(state::Object(item));
        if (!matches || !*matches) return false;
      } else {
        return false;
      }
    }
    return true;
  }
  static std::string indented(const std::string& json) {
    const std::string text = Document::parse(json).dump(2);
    std::string out = "    ";
    for (const char c : text) {
      out.push_back(c);
      if (c == '\n') out += "    ";
    }
    return out;
  }

  Ui& ui_;
  std::vector<rpc::Matcher> filters_;
  bool first_table_ = true;
};

std::string indexes_json(const state::Tables& tables) {
  Document out = Document::object();
  for (std::size_t i = 0; i < state::table_count; ++i) out[std::string(to_string(static_cast<state::Table>(i)))] = tables.indexes[i];
  return out.dump();
}

// The names are the reference's, in the order of its output.
void write_state(Ui& ui, const state::Tables& tables, std::vector<rpc::Matcher> filters) {
  StateWriter out(ui, std::move(filters));
  out.table("Allocs", tables.allocs);
  out.table("Deployments", tables.deployments);
  out.table("Evals", tables.evals);
  out.table("HostVolumes", tables.host_volumes);
  if (!out.filters()) out.object("Indexes", indexes_json(tables));
  out.table("JobSubmissions", tables.submissions);
  out.table("JobSummaries", tables.summaries);
  out.table("JobVersions", tables.versions);
  out.table("Jobs", tables.jobs);
  out.table("Namespaces", tables.namespaces);
  out.table("NodePools", tables.node_pools);
  out.table("Nodes", tables.nodes);
  out.table("PeriodicLaunches", tables.periodic_launches);
  out.table("ScalingEvents", tables.scaling_events);
  out.table("ScalingPolicies", tables.scaling_policies);
  if (tables.scheduler_config && !out.filters()) out.object("SchedulerConfig", model::to_json(*tables.scheduler_config));
  out.table("TaskGroupHostVolumeClaims", tables.volume_claims);
  out.end();
}

class SnapshotState final : public Command {
 public:
  void flags(FlagSet& set) override { set.list("filter", filters_, "Show only objects that match this expression; may be repeated."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <file>");
    std::vector<rpc::Matcher> filters;
    for (const auto& text : filters_) {
      auto filter = api::parse_filter(text);
      if (!filter) return context.failed(fmt::format("Invalid filter expression \"{}\": {}", text, filter.error().message()));
      filters.push_back(std::move(*filter));
    }
    auto file = open_snapshot(arguments[0]);
    if (!file) return context.failed(fmt::format("Error opening snapshot file: {}", file.error().message()));
    fsm::StateLoader loader;
    fsm::RecordSplitter records;
    const auto read = snapshot::read_archive(file->get(), [&](std::string_view bytes) {
      return records.take(bytes, [&](std::string_view record) { return loader.take(record); });
    });
    if (!read) return context.failed(fmt::format("Failed to read archive file: {}", read.error().message()));
    loader.complete();
    write_state(context.ui, loader.tables, std::move(filters));
    return 0;
  }

 private:
  std::vector<std::string> filters_;
};

const char* log_type(EntryType type) {
  switch (type) {
    case EntryType::command: return "LogCommand";
    case EntryType::barrier: return "LogBarrier";
    case EntryType::change: return "LogConfiguration";
  }
  return "Unknown";
}

Document members_document(const std::string& encoded) {
  Document servers = Document::array();
  if (const auto members = decode_members(encoded)) {
    for (const auto& one : *members) {
      servers.push_back({{"Suffrage", one.role == MemberRole::voter ? "Voter" : "Nonvoter"}, {"ID", one.node_id}, {"Address", one.address}, {"Name", one.name}});
    }
  }
  return {{"Servers", servers}};
}

class RaftLogs final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("pretty", pretty_, "Write each entry on several lines."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <path>");
    const auto lock = lock_stopped_server(arguments[0]);
    if (!lock) return context.failed(lock.error().message());
    auto log = read_segmented_log(arguments[0] + "/server/raft/log");
    if (!log) return context.failed(fmt::format("failed to get raft logs: {}", log.error().message()));
    for (std::size_t i = 0; i < log->entries.size(); ++i) {
      const LogEntry& entry = *log->entries[i];
      Document line{{"LogType", log_type(entry.type)}, {"Term", entry.term}, {"Index", log->first_index + i}};
      if (entry.type == EntryType::command) {
        const auto text = fsm::entry_text(entry.data);
        if (!text) return context.failed(fmt::format("failed to decode the log at index {}: {}", log->first_index + i, text.error().message()));
        line["CommandType"] = text->type;
        if (text->ignore_unknown) line["IgnoreUnknownTypeFlag"] = true;
        if (!text->body.empty()) line["Body"] = Document::parse(text->body);
      } else if (entry.type == EntryType::change) {
        line["Body"] = members_document(entry.data);
      }
      context.ui.out(line.dump(pretty_ ? 2 : -1, ' ', false, Document::error_handler_t::replace));
    }
    return 0;
  }

 private:
  bool pretty_ = false;
};

class RaftState final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.integer("last-index", last_, "The last entry that is applied; negative or 0 counts from the last one in the log. Default: all of them.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <path>");
    const auto lock = lock_stopped_server(arguments[0]);
    if (!lock) return context.failed(lock.error().message());
    fsm::Fsm fsm;
    if (auto done = replay(arguments[0], fsm); !done) return context.failed(fmt::format("failed to replay logs: {}", done.error().message()));
    write_state(context.ui, fsm.store().tables(), {});
    return 0;
  }

 private:
  Result<> replay(const std::string& data_dir, fsm::Fsm& fsm) const {
    auto stored = read_stored_raft(data_dir);
    if (!stored) return fail(stored.error());
    const std::int64_t newest = static_cast<std::int64_t>(stored->last_index());
    const std::int64_t last = last_ > 0 ? last_ : newest + last_;
    std::int64_t applied = 0;
    if (stored->snapshot) {
      applied = static_cast<std::int64_t>(stored->snapshot->meta().index);
      if (last < applied) return fail(Code::invalid_argument, "entry {} is not in the log any more: the snapshot ends at {}", last, applied);
      DROVER_TRY(restore_state(*stored->snapshot, fsm));
    }
    for (std::int64_t index = applied + 1; index <= std::min(last, static_cast<std::int64_t>(stored->log.last_index())); ++index) {
      const LogEntry& entry = *stored->log.entries[static_cast<std::size_t>(index) - stored->log.first_index];
      if (entry.type != EntryType::command) continue;
      if (auto done = fsm.apply(static_cast<std::uint64_t>(index), entry.data); !done) return fail(done.error(), "entry {}", index);
    }
    return {};
  }

  std::int64_t last_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_operator_snapshot_state() { return std::make_unique<SnapshotState>(); }
std::unique_ptr<Command> make_operator_raft_logs() { return std::make_unique<RaftLogs>(); }
std::unique_ptr<Command> make_operator_raft_state() { return std::make_unique<RaftState>(); }

}  // namespace drover::cli
