// Typed calls of endpoints. A handler in this process gets the request as a value; a remote one gets it as MessagePack.
//
// Registry: filled at start by server/rpc, then read only. Caller: one for each role that calls. Loop only.
#pragma once

#include <any>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <type_traits>

#include "lib/model/codec.h"
#include "lib/wire/endpoints.h"
#include "sdk/async/asio.h"

namespace drover::wire {

using BytesHandler = std::function<Async<Result<std::string>>(std::string payload)>;

// What a call does, for whoever counts them.
enum class CallKind : std::uint8_t { read, list, write };

template <class Req, class Rep>
constexpr CallKind call_kind() {
  if constexpr (!std::is_base_of_v<model::QueryOptions, Req>) return CallKind::write;
  else return requires(Rep reply) { reply.items; } ? CallKind::list : CallKind::read;
}

class Registry {
 public:
  using Start = std::chrono::steady_clock::time_point;
  // Told of each call when it has ended; `endpoint` is its full name.
  using Observer = std::function<void(const char* endpoint, CallKind kind, Start start, bool succeeded)>;

  template <class Req, class Rep>
  void add(Endpoint<Req, Rep> endpoint, std::function<Async<Result<Rep>>(Req)> handler) {
    bytes_[endpoint.name] = [this, endpoint, handler](std::string payload) { return serve_bytes<Req, Rep>(*this, endpoint, handler, std::move(payload)); };
    typed_[endpoint.name] = std::move(handler);
  }
  void observe(Observer observer) { observer_ = std::move(observer); }
  template <class Req, class Rep>
  void note(Endpoint<Req, Rep> endpoint, Start start, bool succeeded) const {
    if (observer_) observer_(endpoint.name, call_kind<Req, Rep>(), start, succeeded);
  }
  // Null when nobody handles the endpoint.
  template <class Req, class Rep>
  [[nodiscard]] const std::function<Async<Result<Rep>>(Req)>* find(Endpoint<Req, Rep> endpoint) const {
    const auto at = typed_.find(endpoint.name);
    return at == typed_.end() ? nullptr : std::any_cast<std::function<Async<Result<Rep>>(Req)>>(&at->second);
  }
  // For the RPC server: every handler as bytes to bytes.
  [[nodiscard]] const std::map<std::string, BytesHandler, std::less<>>& bytes_handlers() const { return bytes_; }

 private:
  template <class Req, class Rep>
  static Async<Result<std::string>> serve_bytes(const Registry& registry, Endpoint<Req, Rep> endpoint,
                                                std::function<Async<Result<Rep>>(Req)> handler, std::string payload) {
    const Start start = std::chrono::steady_clock::now();
    Req request{};
    if (auto decoded = model::from_msgpack(payload, request); !decoded) co_return fail(decoded.error());
    auto reply = co_await handler(std::move(request));
    registry.note(endpoint, start, reply.has_value());
    if (!reply) co_return fail(reply.error());
    co_return model::to_msgpack(*reply);
  }

  std::map<std::string, std::any, std::less<>> typed_;
  std::map<std::string, BytesHandler, std::less<>> bytes_;
  Observer observer_;
};

class Caller {
 public:
  using Duration = std::chrono::nanoseconds;
  virtual ~Caller() = default;

  // Deadline: `limit` for the whole call; blocking queries add their wait.
  template <class Req, class Rep>
  [[nodiscard]] Async<Result<Rep>> call(Endpoint<Req, Rep> endpoint, Req request, Duration limit = std::chrono::seconds(30)) {
    if (const Registry* registry = local(); registry != nullptr) {
      const auto* handler = registry->find(endpoint);
      if (handler == nullptr) co_return fail(Code::unimplemented, "no handler for {}", endpoint.name);
      const Registry::Start start = std::chrono::steady_clock::now();
      auto reply = co_await (*handler)(std::move(request));
      registry->note(endpoint, start, reply.has_value());
      co_return reply;
    }
    if constexpr (requires { request.max_query_time; }) limit += request.max_query_time + request.max_query_time / 16;
    std::string payload = model::to_msgpack(request);
    auto bytes = co_await call_bytes(endpoint.name, std::move(payload), limit);
    if (!bytes) co_return fail(bytes.error());
    Rep reply{};
    if (auto decoded = model::from_msgpack(*bytes, reply); !decoded) co_return fail(decoded.error(), "answer of {}", endpoint.name);
    co_return reply;
  }

 protected:
  // The handlers of this process, null when calls leave it.
  [[nodiscard]] virtual const Registry* local() const = 0;
  [[nodiscard]] virtual Async<Result<std::string>> call_bytes(std::string method, std::string payload, Duration limit) = 0;
};

// Calls handlers of this process without encoding.
class LocalCaller final : public Caller {
 public:
  explicit LocalCaller(const Registry& registry) : registry_(registry) {}

 private:
  [[nodiscard]] const Registry* local() const override { return &registry_; }
  [[nodiscard]] Async<Result<std::string>> call_bytes(std::string, std::string, Duration) override {
    co_return fail(Code::internal, "a local caller does not send bytes");
  }
  const Registry& registry_;
};

}  // namespace drover::wire
