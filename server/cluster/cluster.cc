#include "server/cluster/cluster.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "sdk/base/uuid.h"
#include "server/cluster/identity.h"

namespace drover::cluster {
namespace {
using namespace asio::experimental::awaitable_operators;
constexpr std::chrono::seconds find_limit{5};
// A write that was under way when its leader lost the leadership is answered by it within this time, or never.
constexpr std::chrono::seconds last_words{2};

Member to_member(const ClusterOptions& options) {
  return {.id = member_id(options.node_id), .address = options.address, .role = MemberRole::voter, .node_id = options.node_id, .name = options.name};
}
}  // namespace

Cluster::Cluster(const Executor& executor, ClusterOptions options, fsm::Fsm& fsm)
    : executor_(executor),
      options_(std::move(options)),
      log_(options_.log.named("raft")),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      reckoning_(clock_),
      state_(fsm),
      fsm_(fsm, options_.log.named("fsm")),
      transport_(executor, to_member(options_), log_, options_.tls),
      changed_(executor),
      scope_(executor) {}

Cluster::~Cluster() = default;

Result<std::unique_ptr<Cluster>> Cluster::open(const Executor& executor, ClusterOptions options, fsm::Fsm& fsm) {
  auto cluster_id = load_cluster_id(options.data_dir);
  if (!cluster_id) return fail(cluster_id.error());
  std::unique_ptr<Cluster> self(new Cluster(executor, std::move(options), fsm));
  const ClusterOptions& given = self->options_;
  const Member own = to_member(given);
  RaftOptions raft;
  if (!given.data_dir.empty()) raft.data_dir = given.data_dir + "/raft";
  raft.id = own.id;
  raft.address = own.address;
  if (given.expect == 1 && !given.non_voter) {
    raft.bootstrap = {own};
    if (cluster_id->empty()) {
      *cluster_id = make_uuid();
      DROVER_TRY(store_cluster_id(given.data_dir, *cluster_id));
    }
  }
  self->cluster_id_ = *cluster_id;
  self->transport_.set_cluster_id(*cluster_id);
  auto peers = load_peers(given.data_dir);
  if (!peers) return fail(peers.error());
  raft.recover = *peers;
  raft.executor = executor;
  raft.logger = self->log_;
  raft.clock = &self->clock_;
  raft.transport = &self->transport_;
  raft.heartbeat_ms *= std::max(1u, given.raft_multiplier);
  raft.election_ms *= std::max(1u, given.raft_multiplier);
  raft.seed = given.seed;
  raft.snapshot_threshold = given.snapshot_threshold;
  raft.snapshot_trailing = given.snapshot_trailing;
  auto opened = Raft::open(std::move(raft), self->fsm_);
  if (!opened) return fail(opened.error());
  self->raft_ = std::move(*opened);
  if (!peers->empty()) DROVER_TRY(retire_peers(given.data_dir));
  Cluster* const cluster = self.get();
  cluster->transport_.on_message([cluster](RaftMessage message) { cluster->raft_->receive(std::move(message)); });
  cluster->transport_.on_snapshot([cluster](const SnapshotMeta& meta) { return cluster->raft_->begin_receiving(meta); });
  cluster->transport_.on_lost([cluster](std::uint64_t member) { cluster->raft_->member_lost(member); });
  cluster->transport_.on_adopted([cluster](const std::string& id) { return cluster->adopt(id); });
  cluster->raft_->on_leadership([cluster](bool leads, std::uint64_t) { cluster->leadership(leads); });
  cluster->raft_->on_leader_known([cluster] { cluster->changed_.notify_all(); });
  return self;
}

// --- leading

void Cluster::leadership(bool leads) {
  ++turn_;
  if (leads) {
    if (!ready_ && !closing_) scope_.spawn(become_ready(turn_));
    return;
  }
  changed_.notify_all();
  if (!std::exchange(ready_, false)) return;
  for (const auto& callback : callbacks_) callback(false);
}

// What earlier leaders committed is applied here before anything is decided or read on it.
Async<> Cluster::become_ready(std::uint64_t turn) {
  const auto settled = co_await raft_->barrier();
  if (turn != turn_ || ready_ || closing_) co_return;
  if (!settled) {
    // Without the leadership there is nothing to do; with it the disk has failed, and the next turn begins when it works again.
    log_.warn("taking up the leadership failed", "error", settled.error());
    co_return;
  }
  ready_ = ever_ready_ = true;
  autopilot_.forget();
  health_.reset();
  changed_.notify_all();
  for (const auto& callback : callbacks_) callback(true);
  scope_.spawn(look_after_servers(turn));
}

void Cluster::on_leadership(std::function<void(bool)> callback) {
  asio::post(executor_, [this, callback] {
    if (!closing_) callback(ready_);
  });
  callbacks_.push_back(std::move(callback));
}

Async<Result<std::uint64_t>> Cluster::propose(std::string entry) {
  auto index = co_await raft_->propose(std::move(entry));
  co_return index;
}

std::string Cluster::leader() const {
  const Member leader = raft_->leader();
  return leader.id == member_id(options_.node_id) && !ready_ ? std::string() : leader.address;
}

std::map<std::string, std::string> Cluster::stats() const {
  const RaftStats s = raft_->stats();
  const auto contact = raft_->last_contact();
  return {{"term", std::to_string(s.term)},
          {"last_log_index", std::to_string(s.last_index)},
          {"commit_index", std::to_string(s.commit_index)},
          {"applied_index", std::to_string(s.applied_index)},
          {"last_snapshot_index", std::to_string(s.snapshot_index)},
          {"fsm_pending", std::to_string(s.waiting)},
          {"num_peers", std::to_string(members().empty() ? 0 : members().size() - 1)},
          {"last_contact", contact ? std::to_string(contact->count()) + "ms" : "never"},
          {"cluster_id", cluster_id_},
          {"writes", std::to_string(s.writes)},
          {"entries_written", std::to_string(s.entries_written)},
          {"bytes_written", std::to_string(s.bytes_written)}};
}

Async<> Cluster::close() {
  closing_ = true;
  ready_ = false;
  co_await scope_.close();
  co_await transport_.close();
  co_await raft_->close();
}

// --- where calls are answered

Async<Result<std::string>> Cluster::find() {
  const auto until = std::chrono::steady_clock::now() + find_limit;
  for (;;) {
    if (ready_) co_return std::string();
    const Member known = raft_->leader();
    if (known.id != 0 && known.id != member_id(options_.node_id)) co_return known.address;
    const auto left = until - std::chrono::steady_clock::now();
    if (closing_ || left.count() <= 0) co_return fail(Code::no_leader, "No cluster leader");
    co_await changed_.wait_for(left);
  }
}

Async<> Cluster::wait_for_other_leader(std::string address, bool write) {
  while (leader() == address) co_await changed_.wait();
  // What it has done of a write only the old leader can tell.
  if (write) co_await sleep_for(last_words);
}

Async<Result<std::string>> Cluster::forward(std::string address, std::string method, std::string payload, Duration limit, bool write) {
  auto either = caller(address).send(std::move(method), std::move(payload), limit) || wait_for_other_leader(address, write);
  auto which = co_await std::move(either);
  if (which.index() == 0) co_return std::get<0>(std::move(which));
  co_return fail(Code::unavailable, "server {} lost the leadership without an answer: it may or may not have been done", address);
}

wire::RemoteCaller& Cluster::caller(const std::string& address) {
  auto& place = callers_[address];
  if (!place) place = std::make_unique<wire::RemoteCaller>(executor_, std::vector<std::string>{address}, options_.tls);
  return *place;
}

// --- what servers say of themselves

model::ServerInfo Cluster::info() const {
  model::ServerInfo out;
  out.node_id = options_.node_id;
  out.name = options_.name;
  out.address = options_.address;
  out.region = options_.region;
  out.datacenter = options_.datacenter;
  out.build = options_.build;
  out.cluster_id = cluster_id_;
  out.expect = options_.expect;
  out.non_voter = options_.non_voter;
  out.leader = ready_;
  const Member leading = raft_->leader();
  out.leader_address = leading.address;
  out.leader_node = leading.node_id;
  const RaftStats s = raft_->stats();
  out.term = s.term;
  out.last_index = s.last_index;
  out.applied_index = s.applied_index;
  const auto contact = raft_->last_contact();
  out.last_contact = contact ? model::Duration(*contact) : model::Duration(-1);
  for (const auto& member : raft_->members()) {
    out.members.push_back({.node_id = member.node_id, .name = member.name, .address = member.address, .voter = member.role == MemberRole::voter});
  }
  for (const auto& [id, other] : seen_) out.known.push_back(other.address);
  return out;
}

void Cluster::note(const model::ServerInfo& other) {
  if (other.node_id.empty() || other.node_id == options_.node_id || other.region != options_.region) return;
  if (other.cluster_id.empty()) seen_[other.node_id] = other;
  else seen_.erase(other.node_id);
}

Async<Result<model::ServerInfo>> Cluster::ask(std::string address, std::chrono::nanoseconds limit) {
  model::ServerInfoRequest request{.asker = info()};
  auto reply = co_await caller(address).call(wire::endpoints::server_info, std::move(request), limit);
  if (reply) note(*reply);
  co_return reply;
}

}  // namespace drover::cluster
