#include "server/rpc/node_sessions.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "lib/model/codec.h"
#include "lib/wire/streams.h"
#include "sdk/base/defer.h"
#include "sdk/base/uuid.h"

namespace drover::rpc {
namespace {
using namespace asio::experimental::awaitable_operators;

Error no_path(const std::string& node_id, std::string_view why) {
  return Error(Code::not_found, fmt::format("No path to node \"{}\": {}", node_id, why)).with_http_status(404);
}

// A peer that says nothing more: returns when it is gone.
Async<> until_closed(NodeStream& stream) {
  for (;;) {
    const auto message = co_await stream.receive();
    if (!message) co_return;
  }
}
}  // namespace

// Between the request's coroutine and the node's stream, each of which may end first.
struct NodeSessions::Session {
  Session(const Executor& executor, std::string node)
      : node_id(std::move(node)), down(executor, queued), up(executor, queued), attached(executor), dropped(executor) {}
  std::string node_id;
  Channel<std::string> down, up;
  Event attached, dropped;
};

class NodeSessions::SessionStream final : public NodeStream {
 public:
  SessionStream(std::shared_ptr<Session> session, std::shared_ptr<Link> link) : session_(std::move(session)), link_(std::move(link)) {}
  ~SessionStream() override {
    --link_->sessions;
    session_->dropped.set();
    session_->up.close();
    session_->down.close();
  }
  Async<std::optional<std::string>> receive() override { return session_->up.receive(); }
  Async<bool> send(std::string message) override { return session_->down.send(std::move(message)); }
  void close() override { session_->down.close(); }
  Result<> end() const override { return fail(no_path(session_->node_id, "the connection to its agent broke")); }

 private:
  std::shared_ptr<Session> session_;
  std::shared_ptr<Link> link_;
};

Async<> NodeSessions::send_offers(std::shared_ptr<Link> link, NodeStream& stream) {
  for (;;) {
    auto offer = co_await link->offers.receive();
    if (!offer) co_return;
    const bool sent = co_await stream.send(std::move(*offer));
    if (!sent) co_return;
  }
}

Async<Result<>> NodeSessions::connect(model::NodeConnectRequest request, NodeStream& stream) {
  {
    const auto node = store_.snapshot()->node(request.node_id);
    if (!node) co_return fail(Code::not_found, "node not found");
    // Whoever could speak for a node would read what others ask of it.
    if (node->secret_id != request.secret_id) co_return fail(Code::permission_denied, "Permission denied");
  }
  const auto link = std::make_shared<Link>(executor_);
  // The newest connection is the living one: an older was cut without our knowing.
  auto& place = links_[request.node_id];
  if (place) place->offers.close();
  place = link;
  const Defer leave([&] {
    const auto at = links_.find(request.node_id);
    if (at != links_.end() && at->second == link) links_.erase(at);
    link->offers.close();
  });
  std::string accepted = model::to_msgpack(model::NodeSessionOffer{});
  const bool sent = co_await stream.send(std::move(accepted));
  if (!sent) co_return Result<>{};
  auto either = send_offers(link, stream) || until_closed(stream);
  co_await std::move(either);
  co_return Result<>{};
}

Async<> NodeSessions::carry_down(std::shared_ptr<Session> session, NodeStream& stream) {
  for (;;) {
    auto message = co_await session->down.receive();
    if (!message) break;
    const bool sent = co_await stream.send(std::move(*message));
    if (!sent) co_return;
  }
  // Closed for sending only: what the node answers still comes up.
  co_await session->dropped.wait();
}

Async<> NodeSessions::carry_up(std::shared_ptr<Session> session, NodeStream& stream) {
  for (;;) {
    auto message = co_await stream.receive();
    if (!message) co_return;
    const bool taken = co_await session->up.send(std::move(*message));
    if (!taken) co_return;
  }
}

Async<Result<>> NodeSessions::attach(model::NodeSessionRequest request, NodeStream& stream) {
  const auto at = waiting_.find(request.session_id);
  if (at == waiting_.end()) co_return fail(Code::not_found, "nobody waits for this session any more");
  const std::shared_ptr<Session> session = at->second;
  waiting_.erase(at);
  const Defer leave([&] { session->up.close(); });
  session->attached.set();
  auto any = carry_down(session, stream) || carry_up(session, stream) || session->dropped.wait();
  co_await std::move(any);
  co_return Result<>{};
}

std::string NodeSessions::node_of(std::string_view alloc_id) const {
  const auto alloc = store_.snapshot()->alloc(alloc_id);
  return alloc ? alloc->node_id : std::string();
}

Async<Result<std::unique_ptr<NodeStream>>> NodeSessions::open(std::string node_id, std::string first) {
  const auto at = links_.find(node_id);
  if (at == links_.end()) {
    if (!store_.snapshot()->node(node_id)) {
      co_return fail(Error(Code::not_found, fmt::format("Unknown node {}", node_id)).with_http_status(404));
    }
    co_return fail(no_path(node_id, "it is not connected to this server; check that its agent runs and reaches the server's RPC port"));
  }
  const std::shared_ptr<Link> link = at->second;
  if (link->sessions >= most_sessions) {
    co_return fail(Code::resource_exhausted, "node \"{}\" is serving {} requests already; try again when some have ended", node_id,
                   most_sessions);
  }
  const auto session = std::make_shared<Session>(executor_, node_id);
  ++link->sessions;
  std::unique_ptr<NodeStream> out = std::make_unique<SessionStream>(session, link);
  // Unguessable: it is all that a node shows when it comes.
  model::NodeSessionOffer offer{.session_id = make_uuid()};
  waiting_[offer.session_id] = session;
  const Defer forget([&] { waiting_.erase(offer.session_id); });
  [[maybe_unused]] const bool room = session->down.try_send(std::move(first));
  if (!link->offers.try_send(model::to_msgpack(offer))) co_return fail(no_path(node_id, "the connection to its agent broke"));
  const bool attached = co_await session->attached.wait_for(attach_limit);
  if (!attached) co_return fail(no_path(node_id, fmt::format("its agent did not answer within {} s", attach_limit.count())));
  co_return out;
}

void serve_node_streams(NodeSessions& sessions, NodeRpcServer& server) {
  wire::serve_stream<model::NodeConnectRequest>(
      server, wire::streams::node_connect,
      [&sessions](model::NodeConnectRequest request, NodeStream& stream) { return sessions.connect(std::move(request), stream); });
  wire::serve_stream<model::NodeSessionRequest>(
      server, wire::streams::node_session,
      [&sessions](model::NodeSessionRequest request, NodeStream& stream) { return sessions.attach(std::move(request), stream); });
}

}  // namespace drover::rpc
