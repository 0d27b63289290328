// Raft's messages between servers, over the node RPC: one lasting stream to each of the others, opened by whoever sends.
//
// Sending never waits: what a link cannot carry is dropped, raft sends it again. A link that has heard nothing of the other side for
// a while is cut and made anew, since after a partition TCP takes long to try again. Snapshots go over streams of their own, so that
// heartbeats do not wait behind them. Servers of another cluster are refused on both sides. Loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lib/model/cluster.h"
#include "sdk/async/pool.h"
#include "sdk/async/scope.h"
#include "sdk/base/log.h"
#include "sdk/rpc/node_rpc.h"
#include "server/raft/raft.h"

namespace drover::cluster {

class Transport final : public RaftTransport {
 public:
  // Messages to one server that wait for its stream; beyond that they are dropped.
  static constexpr std::size_t most_waiting = 1024;
  static constexpr std::size_t most_waiting_bytes = 64u << 20;
  // Silence after which a link is made anew.
  static constexpr std::chrono::seconds silence{2};

  // `tls` as NodeRpcClient takes it.
  Transport(const Executor& executor, Member self, Logger log, std::shared_ptr<const NodeTls> tls = nullptr);
  ~Transport() override;

  void set_cluster_id(std::string id) { cluster_id_ = std::move(id); }
  // A server that belongs to no cluster yet is spoken to by one it has been added to: keeps that cluster's id, durably.
  void on_adopted(std::function<Result<>(const std::string& cluster_id)> adopt) { adopt_ = std::move(adopt); }
  void on_message(std::function<void(RaftMessage)> receive) { receive_ = std::move(receive); }
  // The process of another server has ended: its stream broke, and nobody listens at its address.
  void on_lost(std::function<void(std::uint64_t member)> lost) { lost_ = std::move(lost); }
  // Where a snapshot is written as it comes; without it, or when it gives null, it is held in memory.
  using ReceiveSnapshot = std::function<Result<std::shared_ptr<PendingSnapshot>>(const SnapshotMeta& meta)>;
  void on_snapshot(ReceiveSnapshot begin) { begin_receiving_ = std::move(begin); }
  // Handlers of both streams.
  void serve(NodeRpcServer& server);

  void send(RaftMessage message) override;
  void set_members(const std::vector<Member>& members) override;
  [[nodiscard]] Async<> close();

 private:
  struct Link;
  Link& link(std::uint64_t id, const std::string& address);
  [[nodiscard]] model::RaftHello hello(const Link& to) const;
  [[nodiscard]] Result<> accept(const model::RaftHello& hello);
  void deliver(const model::RaftHello& hello, RaftMessage message);
  Async<> run(std::shared_ptr<Link> link);
  Async<Result<>> connected(std::shared_ptr<Link> link);
  static Async<Result<>> send_waiting(std::shared_ptr<Link> link, NodeStream& stream);
  Async<> look_for(std::uint64_t member, std::string address);
  Async<Result<>> send_parts(RaftMessage message, NodeStream& stream);
  Async<> send_snapshot(std::shared_ptr<Link> link, RaftMessage message);
  Async<Result<>> serve_messages(model::RaftHello hello, NodeStream& stream);
  Async<Result<>> serve_install(model::RaftInstallHello hello, NodeStream& stream);

  Executor executor_;
  Member self_;
  Logger log_;
  std::shared_ptr<const NodeTls> tls_;
  std::string cluster_id_;
  std::function<Result<>(const std::string&)> adopt_;
  std::function<void(RaftMessage)> receive_;
  ReceiveSnapshot begin_receiving_;
  std::function<void(std::uint64_t)> lost_;
  bool closing_ = false;
  Pool files_{1};  // parts of snapshots, read and written
  std::map<std::uint64_t, std::shared_ptr<Link>> links_;
  Scope scope_;
};

}  // namespace drover::cluster
