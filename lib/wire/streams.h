// The streams between agents: each is a name and the type of the message that opens it; what follows is said here.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lib/model/cluster.h"
#include "lib/model/codec.h"
#include "lib/model/relay.h"
#include "sdk/async/asio.h"
#include "sdk/rpc/node_rpc.h"

namespace drover::wire {

template <class Req>
struct StreamEndpoint {
  using Request = Req;
  const char* name;
};

namespace streams {
// A node to its server. The server sends a NodeSessionOffer at once, without an id, and one for each request it has for the node.
inline constexpr StreamEndpoint<model::NodeConnectRequest> node_connect{"Node.Connect"};
// A node takes up an offer. The server then sends an HttpRelayRequest, the node answers as in `http_relay`.
inline constexpr StreamEndpoint<model::NodeSessionRequest> node_session{"Node.Session"};
// A request of one agent's HTTP API to another agent. The answer is an HttpRelayHead and HttpRelayParts.
inline constexpr StreamEndpoint<model::HttpRelayRequest> http_relay{"Agent.HTTP"};
// Raft's messages from one server to another, several in each message of the stream (server/raft/message_codec.h).
inline constexpr StreamEndpoint<model::RaftHello> raft_messages{"Raft.Messages"};
// A snapshot from one server to another, in pieces.
inline constexpr StreamEndpoint<model::RaftInstallHello> raft_install{"Raft.Install"};
// The whole state as a file. The answer is a SnapshotHead and parts of the file.
inline constexpr StreamEndpoint<model::SnapshotSaveRequest> snapshot_save{"Operator.SnapshotSave"};
// A file in the place of the state: its parts and an empty one. The answer is a WriteMeta.
inline constexpr StreamEndpoint<model::SnapshotRestoreRequest> snapshot_restore{"Operator.SnapshotRestore"};
}  // namespace streams

// Opens streams to a server. Loop only.
class StreamOpener {
 public:
  virtual ~StreamOpener() = default;
  template <class Req>
  [[nodiscard]] Async<Result<std::unique_ptr<NodeStream>>> open(StreamEndpoint<Req> endpoint, Req request) {
    return open_bytes(endpoint.name, model::to_msgpack(request));
  }

 protected:
  [[nodiscard]] virtual Async<Result<std::unique_ptr<NodeStream>>> open_bytes(std::string name, std::string payload) = 0;
};

template <class Req>
[[nodiscard]] Async<Result<>> serve_opened(std::function<Async<Result<>>(Req, NodeStream&)> handler, NodeStream& stream) {
  const auto first = co_await stream.receive();
  if (!first) co_return fail(Code::cancelled, "the stream was closed before it was opened");
  Req request{};
  if (auto decoded = model::from_msgpack(*first, request); !decoded) co_return fail(decoded.error());
  auto done = co_await handler(std::move(request), stream);
  co_return done;
}

// Handles a stream of `server`. The handler gets the opening message decoded; the stream lives until it returns.
template <class Req>
void serve_stream(NodeRpcServer& server, StreamEndpoint<Req> endpoint, std::function<Async<Result<>>(Req, NodeStream&)> handler) {
  server.handle_stream(endpoint.name, [handler](const CallInfo&, NodeStream& stream) { return serve_opened<Req>(handler, stream); });
}

}  // namespace drover::wire
