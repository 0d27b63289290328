// Handlers and calls with protobuf messages instead of bytes. Include only where generated messages are at home.
#pragma once

#include <google/protobuf/arena.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "sdk/async/channel.h"
#include "sdk/rpc/client.h"
#include "sdk/rpc/server.h"

namespace drover::rpc {

template <class Req, class Rep>
using TypedHandler = std::function<Async<Result<Rep>>(Req request)>;

template <class Req, class Rep>
Async<Result<std::string>> answer_typed(const TypedHandler<Req, Rep>& handler, std::string method, std::string bytes) {
  Req request;
  if (!request.ParseFromString(bytes)) co_return fail(Code::invalid_argument, "{}: the request is malformed", method);
  auto reply = co_await handler(std::move(request));
  if (!reply) co_return fail(reply.error());
  co_return reply->SerializeAsString();
}

template <class Req, class Rep>
void handle_typed(Server& server, std::string path, TypedHandler<Req, Rep> handler) {
  server.handle(std::move(path), [handler = std::move(handler)](CallInfo info, std::string bytes) {
    return answer_typed<Req, Rep>(handler, std::move(info.method), std::move(bytes));
  });
}

template <class Rep, class Req>
Async<Result<Rep>> call_typed(Client& client, std::string path, const Req& request, std::chrono::nanoseconds deadline) {
  std::string bytes = request.SerializeAsString();
  auto answer = co_await client.call(path, std::move(bytes), deadline);
  if (!answer) co_return fail(answer.error());
  Rep reply;
  if (!reply.ParseFromString(*answer)) co_return fail(Code::internal, "{}: the answer is malformed", path);
  co_return reply;
}

// One request, then every message of the answer, each as convert() makes a value of it, until the stream or the receiver ends. What
// cannot be parsed is passed over. The error is the stream's own.
template <class Rep, class T, class Req, class Convert>
Async<Result<>> follow_typed(std::shared_ptr<Client> client, std::string path, Req request, Channel<T>& out, Convert convert) {
  const auto stream = client->open(path);
  std::string bytes = request.SerializeAsString();
  [[maybe_unused]] const bool sent = co_await stream->send(std::move(bytes));
  stream->close_send();
  for (;;) {
    const auto message = co_await stream->receive();
    if (!message) break;
    // Messages of many parts are one piece of memory, instead of one a part.
    google::protobuf::Arena arena;
    Rep& reply = *google::protobuf::Arena::CreateMessage<Rep>(&arena);
    if (!reply.ParseFromString(*message)) continue;
    T value = convert(reply);
    const bool taken = co_await out.send(std::move(value));
    if (!taken) co_return Result<>{};
  }
  co_return stream->status();
}

}  // namespace drover::rpc
