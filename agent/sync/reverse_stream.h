// Keeps a stream open to the node's server, by which the server tells of requests for this node, and takes each of them up on a
// stream of its own: so a node serves its part of the API without being reachable from outside. Loop only.
#pragma once

#include <functional>
#include <string>

#include "lib/wire/streams.h"
#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"

namespace drover::agent {

class ReverseStream {
 public:
  // Answers one request; returns when the answer is sent.
  using Serve = std::function<Async<>(model::HttpRelayRequest request, NodeStream& stream)>;
  // Requests are served in `scope`.
  ReverseStream(Scope& scope, wire::StreamOpener& servers, model::NodeConnectRequest identity, Serve serve, Rng& rng, Logger log);

  // Until cancelled. Call it when the node is registered: servers refuse others.
  [[nodiscard]] Async<> run();

 private:
  [[nodiscard]] Async<Result<>> connect();
  [[nodiscard]] Async<> serve_session(std::string session_id);

  Scope& scope_;
  wire::StreamOpener& servers_;
  model::NodeConnectRequest identity_;
  Serve serve_;
  Rng& rng_;
  Logger log_;
  bool accepted_ = false;  // by the last connection
};

}  // namespace drover::agent
