#include "lib/wire/remote_caller.h"

#include <algorithm>

namespace drover::wire {
namespace {
Unexpected no_servers() {
  return fail(Code::no_leader, "no servers are known; set client.servers or server_join in the configuration");
}
}  // namespace

RemoteCaller::RemoteCaller(Executor executor, std::vector<std::string> servers, std::shared_ptr<const NodeTls> tls)
    : executor_(std::move(executor)), tls_(std::move(tls)) {
  learn(servers);
}

void RemoteCaller::learn(const std::vector<std::string>& servers) {
  for (const std::string& server : servers) {
    if (std::ranges::find(servers_, server) != servers_.end()) continue;
    servers_.push_back(server);
    clients_.push_back(NodeRpcClient::connect(executor_, server, tls_));
  }
}

RemoteCaller::RemoteCaller(Executor executor, NodeRpcServer& server) : executor_(executor) {
  clients_.push_back(NodeRpcClient::in_process(executor, server));
}

RemoteCaller::~RemoteCaller() = default;

Async<Result<std::string>> RemoteCaller::call_bytes(std::string method, std::string payload, Duration limit, bool write) {
  if (clients_.empty()) co_return no_servers();
  Result<std::string> reply = fail(Code::unavailable, "no server answered");
  for (std::size_t attempt = 0; attempt < clients_.size(); ++attempt) {
    const std::shared_ptr<NodeRpcClient> client = clients_[current_];
    reply = co_await client->call(method, payload, limit);
    if (reply) break;
    // The next call goes to another server either way; this one only when it cannot have been done already.
    const Code code = reply.error().code();
    if (code == Code::unavailable || code == Code::no_leader) current_ = (current_ + 1) % clients_.size();
    if (!may_repeat(reply.error(), write)) break;
  }
  co_return reply;
}

Async<Result<std::string>> RemoteCaller::send(std::string method, std::string payload, Duration limit) {
  if (clients_.empty()) co_return no_servers();
  const std::shared_ptr<NodeRpcClient> client = clients_[current_];
  auto reply = co_await client->call(std::move(method), std::move(payload), limit);
  co_return reply;
}

Async<Result<std::unique_ptr<NodeStream>>> RemoteCaller::open_bytes(std::string name, std::string payload) {
  if (clients_.empty()) co_return no_servers();
  const std::shared_ptr<NodeRpcClient> client = clients_[current_];
  auto stream = co_await client->open(std::move(name), std::move(payload));
  if (!stream) current_ = (current_ + 1) % clients_.size();
  co_return stream;
}

namespace {
Async<Result<std::string>> answer(BytesHandler handler, std::string payload) {
  auto reply = co_await handler(std::move(payload));
  co_return reply;
}
}  // namespace

void serve_registry(const Registry& registry, NodeRpcServer& server) {
  for (const auto& [name, handler] : registry.bytes_handlers()) {
    server.handle(name, [handler](const CallInfo&, std::string payload) { return answer(handler, std::move(payload)); });
  }
}

}  // namespace drover::wire
