#include "agent/sync/reverse_stream.h"

#include <algorithm>

namespace drover::agent {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::nanoseconds first_retry = 100ms;
constexpr std::chrono::nanoseconds longest_retry = 5s;
}  // namespace

ReverseStream::ReverseStream(Scope& scope, wire::StreamOpener& servers, model::NodeConnectRequest identity, Serve serve, Rng& rng, Logger log)
    : scope_(scope), servers_(servers), identity_(std::move(identity)), serve_(std::move(serve)), rng_(rng), log_(std::move(log)) {}

Async<> ReverseStream::run() {
  std::chrono::nanoseconds retry = first_retry;
  for (;;) {
    auto ended = co_await connect();
    if (accepted_) retry = first_retry;
    // Half of the pause is chance, so that the nodes of a restarted server do not come back in one moment.
    const auto half = static_cast<std::uint64_t>(retry.count() / 2);
    const std::chrono::nanoseconds pause(static_cast<std::int64_t>(half + rng_.below(half + 1)));
    log_.debug("the stream for requests to this node ended and is opened again", "reason",
               ended ? "the server closed it" : ended.error().message());
    co_await sleep_for(pause);
    retry = std::min(retry * 2, longest_retry);
  }
}

Async<Result<>> ReverseStream::connect() {
  accepted_ = false;
  auto stream = co_await servers_.open(wire::streams::node_connect, identity_);
  if (!stream) co_return fail(stream.error());
  for (;;) {
    const auto bytes = co_await (*stream)->receive();
    if (!bytes) co_return (*stream)->end();
    model::NodeSessionOffer offer;
    DROVER_CO_TRY(model::from_msgpack(*bytes, offer));
    if (offer.session_id.empty()) accepted_ = true;
    else scope_.spawn(serve_session(std::move(offer.session_id)));
  }
}

Async<> ReverseStream::serve_session(std::string session_id) {
  auto opened = co_await servers_.open(wire::streams::node_session, model::NodeSessionRequest{std::move(session_id)});
  if (!opened) co_return;
  NodeStream& stream = **opened;
  auto bytes = co_await stream.receive();
  model::HttpRelayRequest request;
  if (!bytes || !model::from_msgpack(*bytes, request)) co_return;
  co_await serve_(std::move(request), stream);
  // The server ends the stream when it has read the answer; dropping it now could overtake the last parts.
  stream.close();
  while (bytes) bytes = co_await stream.receive();
}

}  // namespace drover::agent
