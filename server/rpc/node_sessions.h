// Ways from this server to the nodes: each node keeps one stream open on which the server tells it of requests, and opens a
// stream of its own for each of them (lib/wire/streams.h). Nodes need not be reachable from outside. Owned by the Server; loop only.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "lib/model/relay.h"
#include "sdk/async/channel.h"
#include "sdk/rpc/node_rpc.h"
#include "server/state/store.h"

namespace drover::rpc {

class NodeSessions {
 public:
  // How long a node may take to come for a request it was told of.
  static constexpr std::chrono::seconds attach_limit{10};
  // Requests of one node at the same time, each holding at most `queued` messages of at most 64 KiB here.
  static constexpr std::size_t most_sessions = 256;
  static constexpr std::size_t queued = 4;

  NodeSessions(Executor executor, const state::Store& store) : executor_(std::move(executor)), store_(store) {}

  // Handlers of the two streams.
  [[nodiscard]] Async<Result<>> connect(model::NodeConnectRequest request, NodeStream& stream);
  [[nodiscard]] Async<Result<>> attach(model::NodeSessionRequest request, NodeStream& stream);

  // The node of an allocation; empty when there is no such allocation.
  [[nodiscard]] std::string node_of(std::string_view alloc_id) const;
  [[nodiscard]] bool connected(const std::string& node_id) const { return links_.contains(node_id); }
  // A stream to the node with `first` sent on it; dropping it cancels what the node does. The errors are the API's.
  [[nodiscard]] Async<Result<std::unique_ptr<NodeStream>>> open(std::string node_id, std::string first);

 private:
  struct Link {
    explicit Link(const Executor& executor) : offers(executor, most_sessions) {}
    Channel<std::string> offers;
    std::size_t sessions = 0;
  };
  struct Session;
  class SessionStream;
  [[nodiscard]] static Async<> send_offers(std::shared_ptr<Link> link, NodeStream& stream);
  [[nodiscard]] static Async<> carry_down(std::shared_ptr<Session> session, NodeStream& stream);
  [[nodiscard]] static Async<> carry_up(std::shared_ptr<Session> session, NodeStream& stream);

  Executor executor_;
  const state::Store& store_;
  std::map<std::string, std::shared_ptr<Link>, std::less<>> links_;        // by node
  std::map<std::string, std::shared_ptr<Session>, std::less<>> waiting_;   // by session, until the node comes
};

// Registers both handlers with the RPC server.
void serve_node_streams(NodeSessions& sessions, NodeRpcServer& server);

}  // namespace drover::rpc
