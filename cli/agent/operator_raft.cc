// operator raft info and recover: what a stopped server has in its data directory, and a cluster that lost its quorum led again.
#include <algorithm>

#include "cli/commands.h"
#include "lib/store/dir_lock.h"
#include "sdk/base/text.h"
#include "server/cluster/identity.h"
#include "server/raft/snapshots.h"

namespace drover::cli {
namespace {

// What is below the data directory of an agent with the server role.
struct Stored {
  std::string directory;  // of the server role
  std::string node_id;
  std::string cluster_id;
  LogContents log;
  std::optional<SnapshotMeta> snapshot;
  std::vector<Member> members;
  [[nodiscard]] std::uint64_t last_index() const { return std::max(log.last_index(), snapshot ? snapshot->index : 0); }
  [[nodiscard]] std::uint64_t last_term() const { return !log.entries.empty() ? log.entries.back()->term : snapshot ? snapshot->term : 0; }
};

Result<Stored> read_stored(const std::string& data_dir) {
  Stored out{.directory = data_dir + "/server"};
  auto log = read_segmented_log(out.directory + "/raft/log");
  if (!log) return fail(log.error(), "reading the raft log below \"{}\"", data_dir);
  out.log = std::move(*log);
  auto node_id = cluster::load_node_id(out.directory);
  if (!node_id) return fail(node_id.error());
  out.node_id = *node_id;
  auto cluster_id = cluster::load_cluster_id(out.directory);
  if (!cluster_id) return fail(cluster_id.error());
  out.cluster_id = *cluster_id;
  auto store = SnapshotStore::open(out.directory + "/raft/snapshots");
  if (!store) return fail(store.error());
  auto newest = store->open_newest();
  if (!newest) return fail(newest.error());
  std::string configuration;
  if (newest->reader) {
    out.snapshot = newest->reader->meta();
    configuration = out.snapshot->configuration;
  }
  for (const auto& entry : out.log.entries) {
    if (entry->type == EntryType::change) configuration = entry->data;
  }
  if (configuration.empty()) return fail(Code::not_found, "the server below \"{}\" never belonged to a cluster", data_dir);
  auto members = decode_members(configuration);
  if (!members) return fail(members.error());
  out.members = std::move(*members);
  return out;
}

std::string servers_text(const std::vector<Member>& members) {
  std::vector<std::vector<std::string>> rows{{"Node", "ID", "Address", "Voter"}};
  for (const auto& one : members) rows.push_back({one.name, one.node_id, one.address, one.role == MemberRole::voter ? "true" : "false"});
  return format_table(rows);
}

class RaftInfo final : public Command {
 public:
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <path>");
    auto lock = DirLock::acquire(arguments[0]);
    if (!lock) return context.failed(fmt::format("Stop the agent first: {}", lock.error().message()));
    auto stored = read_stored(arguments[0]);
    if (!stored) return context.failed(fmt::format("Error reading data directory: {}", stored.error().message()));
    const std::uint64_t first = stored->log.entries.empty() ? 0 : stored->log.first_index;
    context.ui.out(format_pairs({{"Path", stored->directory + "/raft"},
                                 {"Server ID", stored->node_id},
                                 {"Cluster ID", stored->cluster_id},
                                 {"Log Entries", std::to_string(stored->log.entries.size())},
                                 {"First Index", std::to_string(first)},
                                 {"Last Index", std::to_string(stored->last_index())},
                                 {"Last Term", std::to_string(stored->last_term())},
                                 {"Current Term", std::to_string(stored->log.vote.term)},
                                 {"Snapshot Index", std::to_string(stored->snapshot ? stored->snapshot->index : 0)}}));
    context.ui.out("\n" + servers_text(stored->members));
    return 0;
  }
};

class RaftRecover final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("dry-run", dry_run_, "Show what would be done and change nothing.");
    set.list("peer", peers_, "A server that is to belong to the cluster, as id=host:port; may be repeated. Default: this one alone.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <path>");
    auto lock = DirLock::acquire(arguments[0]);
    if (!lock) return context.failed(fmt::format("Stop the agent first: {}", lock.error().message()));
    auto stored = read_stored(arguments[0]);
    if (!stored) return context.failed(fmt::format("Error reading data directory: {}", stored.error().message()));
    auto wanted = servers(*stored);
    if (!wanted) return context.failed(wanted.error().message());
    context.ui.out(fmt::format("This server holds entries up to {} of term {}. Compare with the other servers that are left, by\n"
                               "\"operator raft info\": recover the one with the highest term, and of those the highest index.\n",
                               stored->last_index(), stored->last_term()));
    context.ui.out("Servers now:\n" + servers_text(stored->members));
    context.ui.out("\nServers afterwards:\n" + servers_text(*wanted));
    if (dry_run_) {
      context.ui.out("\nNothing was changed.");
      return 0;
    }
    if (auto done = cluster::store_peers(stored->directory, *wanted); !done) return context.failed(done.error().message());
    context.ui.out(fmt::format("\n{}/raft/peers.json was written and takes effect when the agent starts. Empty the data directories of the\n"
                               "other servers before they start again.", stored->directory));
    return 0;
  }

 private:
  [[nodiscard]] Result<std::vector<Member>> servers(const Stored& stored) const {
    std::vector<Member> out;
    for (const std::string& text : peers_) {
      const auto [id, address] = split_once(text, '=');
      const auto known = std::ranges::find(stored.members, id, &Member::node_id);
      if (address.empty()) return fail(Code::invalid_argument, "-peer \"{}\" must be id=host:port", text);
      out.push_back({.id = member_id(id), .address = std::string(address), .role = MemberRole::voter, .node_id = std::string(id),
                     .name = known != stored.members.end() ? known->name : "server"});
    }
    if (!out.empty()) return out;
    const auto own = std::ranges::find(stored.members, stored.node_id, &Member::node_id);
    if (own == stored.members.end()) return fail(Code::invalid_argument, "server {} is none of its cluster's: name it with -peer id=host:port", stored.node_id);
    out.push_back(*own);
    out.back().role = MemberRole::voter;
    return out;
  }

  bool dry_run_ = false;
  std::vector<std::string> peers_;
};

}  // namespace

std::unique_ptr<Command> make_operator_raft_info() { return std::make_unique<RaftInfo>(); }
std::unique_ptr<Command> make_operator_raft_recover() { return std::make_unique<RaftRecover>(); }

}  // namespace drover::cli
