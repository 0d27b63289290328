#include "cli/agent/forwarder.h"

#include "lib/relay/relay.h"

namespace drover::cli {
namespace {
using http::Response;
// For the head of an answer. Nothing asked of a node takes longer; streams have no limit.
constexpr std::chrono::seconds head_limit{60};

// Errors between agents are 500 unless they name a status, as the reference sends them.
Response failed(const Error& error, std::string_view step) {
  const int status = error.http_status() != 0 ? error.http_status() : error.code() == Code::resource_exhausted ? 429 : 500;
  return Response::text(status, step.empty() ? error.message() : fmt::format("{}: {}", step, error.message()));
}
}  // namespace

Async<Response> Forwarder::ask_server(http::Request request) {
  auto stream = co_await servers_.open(wire::streams::http_relay, relay::to_message(request));
  if (!stream) co_return failed(stream.error(), "asking a server");
  auto answer = co_await relay::receive_answer(std::move(*stream), head_limit, "asking a server");
  co_return answer;
}

Async<Response> Forwarder::ask_node(std::string node_id, const http::Request& request) {
  if (nodes_ == nullptr) {
    auto answer = co_await ask_server(request);
    co_return answer;
  }
  if (!relay::goes_no_further(request) && !nodes_->connected(node_id)) {
    auto elsewhere = co_await ask_others(node_id, request);
    if (elsewhere) co_return std::move(*elsewhere);
  }
  auto stream = co_await nodes_->open(node_id, model::to_msgpack(relay::to_message(request)));
  if (!stream) co_return failed(stream.error(), "");
  auto answer = co_await relay::receive_answer(std::move(*stream), head_limit, fmt::format("asking node \"{}\"", node_id));
  co_return answer;
}

// A node is connected to one server; which one, only that server knows. Whoever is asked so asks nobody else.
Async<std::optional<Response>> Forwarder::ask_others(std::string node_id, const http::Request& request) {
  const std::vector<std::string> addresses = others_();
  for (const std::string& address : addresses) {
    auto& caller = callers_[address];
    if (!caller) caller = std::make_unique<wire::RemoteCaller>(executor_, std::vector<std::string>{address}, tls_);
    model::HttpRelayRequest message = relay::to_message(request);
    message.node = node_id;
    auto stream = co_await caller->open(wire::streams::http_relay, std::move(message));
    if (!stream) continue;
    auto answer = co_await relay::receive_answer(std::move(*stream), head_limit, fmt::format("asking server {}", address));
    if (answer.status < 500 && !relay::says_no_path(answer)) co_return answer;
  }
  co_return std::nullopt;
}

// Whoever asks may have heard of the allocation from a server that is ahead of this one.
Async<std::string> Forwarder::node_of(std::string alloc_id) {
  std::string known = nodes_->node_of(alloc_id);
  if (!known.empty() || others_().empty()) co_return known;
  model::ObjectRequest request;
  request.id = std::move(alloc_id);
  const auto alloc = co_await caller_.call(wire::endpoints::alloc_get, std::move(request));
  co_return alloc && alloc->item ? alloc->item->node_id : std::string();
}

Async<std::optional<Response>> Forwarder::ask_alloc(std::string alloc_id, const http::Request& request) {
  if (nodes_ == nullptr) {
    auto answer = co_await ask_server(request);
    co_return answer;
  }
  const std::string node_id = co_await node_of(std::move(alloc_id));
  // An allocation of this node that is not here has been collected.
  if (node_id.empty() || node_id == here_) co_return std::nullopt;
  auto answer = co_await ask_node(node_id, request);
  co_return answer;
}

}  // namespace drover::cli
