// Where a client request goes that this agent cannot answer: with the server role to the node, over the stream the node keeps
// open; without it to a server, which does the same. Loop only; what it refers to outlives it.
#pragma once

#include "agent/api/elsewhere.h"
#include "lib/wire/streams.h"
#include "server/rpc/node_sessions.h"

namespace drover::cli {

class Forwarder final : public agent::Elsewhere {
 public:
  // `nodes`: null without the server role. `here`: this node's id, empty without the client role.
  Forwarder(wire::StreamOpener& servers, rpc::NodeSessions* nodes, std::string here) : servers_(servers), nodes_(nodes), here_(std::move(here)) {}

  [[nodiscard]] Async<std::optional<http::Response>> ask_alloc(std::string alloc_id, const http::Request& request) override;
  [[nodiscard]] Async<http::Response> ask_node(std::string node_id, const http::Request& request) override;
  // Only without the server role.
  [[nodiscard]] Async<http::Response> ask_server(http::Request request);

 private:
  wire::StreamOpener& servers_;
  rpc::NodeSessions* nodes_;
  std::string here_;
};

}  // namespace drover::cli
