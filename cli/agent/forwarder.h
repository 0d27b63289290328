// Where a client request goes that this agent cannot answer: with the server role to the node, over the stream the node keeps
// open, or to the other server that it keeps it open to; without it to a server, which does the same. Loop only; what it refers to
// outlives it.
#pragma once

#include <functional>
#include <map>

#include "agent/api/elsewhere.h"
#include "lib/wire/caller.h"
#include "lib/wire/remote_caller.h"
#include "server/rpc/node_sessions.h"

namespace drover::cli {

class Forwarder final : public agent::Elsewhere {
 public:
  // `nodes`: null without the server role. `here`: this node's id, empty without the client role. `others`: host:port of the other
  // servers, called with the server role only. `caller`: asks the server that leads.
  using Others = std::function<std::vector<std::string>()>;
  Forwarder(const Executor& executor, wire::StreamOpener& servers, wire::Caller& caller, rpc::NodeSessions* nodes, std::string here, Others others,
            std::shared_ptr<const NodeTls> tls = nullptr)
      : executor_(executor), servers_(servers), caller_(caller), nodes_(nodes), here_(std::move(here)), others_(std::move(others)), tls_(std::move(tls)) {}

  [[nodiscard]] Async<std::optional<http::Response>> ask_alloc(std::string alloc_id, const http::Request& request) override;
  [[nodiscard]] Async<http::Response> ask_node(std::string node_id, const http::Request& request) override;
  // Only without the server role.
  [[nodiscard]] Async<http::Response> ask_server(http::Request request);

 private:
  [[nodiscard]] Async<std::optional<http::Response>> ask_others(std::string node_id, const http::Request& request);
  [[nodiscard]] Async<std::string> node_of(std::string alloc_id);

  Executor executor_;
  wire::StreamOpener& servers_;
  wire::Caller& caller_;
  rpc::NodeSessions* nodes_;
  std::string here_;
  Others others_;
  std::shared_ptr<const NodeTls> tls_;
  std::map<std::string, std::unique_ptr<wire::RemoteCaller>> callers_;
};

}  // namespace drover::cli
