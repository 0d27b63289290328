// This server among the others: the replicated log that the rest of the server writes to, who belongs to the cluster, and where
// calls are answered that only a leader may answer.
//
// Made by the Server, lives on the loop. Leading means here: raft elected this server, and everything that was committed before has
// been applied. `start()` begins to look for other servers; until they are found nobody leads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/model/cluster.h"
#include "lib/wire/remote_caller.h"
#include "sdk/async/scope.h"
#include "sdk/base/reckoning.h"
#include "server/cluster/autopilot.h"
#include "server/cluster/raft_fsm.h"
#include "server/cluster/transport.h"
#include "server/fsm/writer.h"

namespace drover::cluster {

struct ClusterOptions {
  std::string data_dir;  // of the server role; empty: everything is kept in memory
  std::string node_id;
  std::string name;      // without the region
  std::string address;   // host:port of the RPC listener, as others reach it
  std::string region = "global";
  std::string datacenter = "dc1";
  std::string build;
  std::int64_t expect = 1;                  // servers that begin a cluster together; 1: this one alone, at once
  std::vector<std::string> join;            // host:port of servers to ask
  std::int64_t retry_max = 0;               // rounds of asking; 0: no end
  std::chrono::nanoseconds retry_interval = std::chrono::seconds(30);
  bool non_voter = false;
  std::uint32_t raft_multiplier = 1;
  std::uint64_t snapshot_threshold = 8192;
  std::uint32_t snapshot_trailing = 1024;
  const Clock* clock = nullptr;             // null: the machine's
  std::uint32_t seed = 1;
  std::shared_ptr<const NodeTls> tls;       // of calls to other servers; null: none
  Logger log;
};

class Cluster final : public fsm::Log, public wire::Router {
 public:
  // Reads what is stored into `fsm`; blocking.
  [[nodiscard]] static Result<std::unique_ptr<Cluster>> open(const Executor& executor, ClusterOptions options, fsm::Fsm& fsm);
  ~Cluster() override;

  void serve(NodeRpcServer& server) { transport_.serve(server); }
  // Once the RPC listener is open. `failed` is called when nobody could be joined in `retry_max` rounds.
  void start(std::function<void(Error)> failed);

  // fsm::Log
  Async<Result<std::uint64_t>> propose(std::string entry) override;
  [[nodiscard]] bool is_leader() const override { return ready_; }
  [[nodiscard]] std::string leader() const override;
  void on_leadership(std::function<void(bool)> callback) override;
  [[nodiscard]] std::map<std::string, std::string> stats() const override;
  [[nodiscard]] std::optional<std::chrono::milliseconds> last_contact() const override { return raft_->last_contact(); }
  void set_snapshot_policy(std::uint64_t threshold, std::uint32_t trailing) override { raft_->set_snapshot_policy(threshold, trailing); }
  Async<> close() override;

  // wire::Router
  Async<Result<std::string>> find() override;
  Async<Result<std::string>> forward(std::string address, std::string method, std::string payload, Duration limit, bool write) override;
  [[nodiscard]] bool leads() const override { return ready_; }
  [[nodiscard]] bool knows_all() const override { return ever_ready_ && raft_->members().size() == 1; }

  // What this server says of itself, and learns of one that asks.
  [[nodiscard]] model::ServerInfo info() const;
  void note(const model::ServerInfo& other);
  [[nodiscard]] std::vector<Member> members() const { return raft_->members(); }
  [[nodiscard]] std::uint64_t last_index() const { return raft_->last_index(); }
  [[nodiscard]] const std::string& node_id() const { return options_.node_id; }

  // On the leader.
  [[nodiscard]] Async<Result<>> verify() { return raft_->verify_leadership(); }
  [[nodiscard]] Async<Result<model::ServerJoinReply>> add(model::ServerJoinRequest request);
  [[nodiscard]] Async<Result<>> promote(std::string node_id);
  // The servers as they were judged last; asks them when they were not yet.
  [[nodiscard]] Async<model::ClusterHealth> health();
  [[nodiscard]] model::AutopilotConfiguration autopilot_config() const;
  // When it is the leader itself that goes, another server leads first.
  [[nodiscard]] Async<Result<>> remove(std::string node_id);
  [[nodiscard]] Async<Result<>> transfer(std::string node_id);

  // Streams to another server.
  [[nodiscard]] wire::StreamOpener& streams(const std::string& address) { return caller(address); }

  // The first configuration, from the server that chose it.
  [[nodiscard]] Async<Result<>> bootstrap(model::ClusterBootstrapRequest request);
  // Asks another server at the address to bring the two together: this one joins its cluster, or it joins ours.
  [[nodiscard]] Async<Result<>> join(std::string address);
  [[nodiscard]] Async<Result<model::ServerInfo>> ask(std::string address, std::chrono::nanoseconds limit);

 private:
  Cluster(const Executor& executor, ClusterOptions options, fsm::Fsm& fsm);
  void leadership(bool leads);
  Async<> become_ready(std::uint64_t turn);
  Async<> look_after_servers(std::uint64_t turn);
  Async<> judge_servers();
  Async<> ask_one(Answer& answer);
  Async<> look_for_servers(std::function<void(Error)> failed);
  // One round of asking; whether somebody answered.
  Async<bool> look_once();
  Async<Result<>> begin(std::vector<model::ClusterMember> members);
  Async<> hand_out_configuration();
  Async<Result<>> ask_to_join(std::string address);
  Async<> wait_for_other_leader(std::string address, bool write);
  [[nodiscard]] Result<> adopt(const std::string& cluster_id);
  [[nodiscard]] wire::RemoteCaller& caller(const std::string& address);
  [[nodiscard]] std::vector<std::string> addresses_to_ask() const;
  [[nodiscard]] bool needs_others() const;

  Executor executor_;
  ClusterOptions options_;
  Logger log_;
  const Clock& clock_;
  Reckoning reckoning_;
  fsm::Fsm& state_;
  RaftFsm fsm_;
  Transport transport_;
  std::string cluster_id_;
  std::unique_ptr<Raft> raft_;
  Condition changed_;              // who leads
  std::vector<std::function<void(bool)>> callbacks_;
  bool ready_ = false;
  bool ever_ready_ = false;        // in this process
  std::uint64_t turn_ = 0;         // of leading; what was begun in an earlier one ends
  std::map<std::string, model::ServerInfo> seen_;  // by node: who said something and belonged to no cluster then
  std::map<std::string, std::unique_ptr<wire::RemoteCaller>> callers_;
  std::vector<model::ClusterMember> handed_out_;   // the first configuration, until a leader is known
  Autopilot autopilot_;
  std::optional<model::ClusterHealth> health_;
  bool closing_ = false;
  Scope scope_;
};

}  // namespace drover::cluster
