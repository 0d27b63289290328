// operator raft info and recover: what a stopped server has in its data directory, and a cluster that lost its quorum led again.
#include <algorithm>

#include "cli/agent/stored_raft.h"
#include "cli/commands.h"
#include "sdk/base/text.h"
#include "server/cluster/identity.h"

namespace drover::cli {
namespace {

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
    const auto lock = lock_stopped_server(arguments[0]);
    if (!lock) return context.failed(lock.error().message());
    auto stored = read_stored_raft(arguments[0]);
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
                                 {"Snapshot Index", std::to_string(stored->snapshot_index())}}));
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
    const auto lock = lock_stopped_server(arguments[0]);
    if (!lock) return context.failed(lock.error().message());
    auto stored = read_stored_raft(arguments[0]);
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
  [[nodiscard]] Result<std::vector<Member>> servers(const StoredRaft& stored) const {
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
