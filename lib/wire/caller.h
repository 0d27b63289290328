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

// Where a call may be answered. `leader`: by the server that leads, except reads that may be stale. `here`: by whoever is asked.
enum class Place : std::uint8_t { leader, here };

// Finds the server that may answer a call and passes calls on to it. Of a server; without one every call is answered here.
class Router {
 public:
  using Duration = std::chrono::nanoseconds;
  virtual ~Router() = default;
  // "" when this server leads and is ready, else the leader's address. Waits for one; Code::no_leader when none came.
  [[nodiscard]] virtual Async<Result<std::string>> find() = 0;
  [[nodiscard]] virtual Async<Result<std::string>> forward(std::string address, std::string method, std::string payload, Duration limit,
                                                         bool write) = 0;
  // This server leads and is ready.
  [[nodiscard]] virtual bool leads() const = 0;
  // Nobody can know more than this server, whether it leads or not: there is no other, and all that was committed is applied here.
  [[nodiscard]] virtual bool knows_all() const = 0;
};

// Whether a call that failed may be made again without its being done twice.
[[nodiscard]] inline bool may_repeat(const Error& error, bool write) {
  if (error.code() == Code::no_leader) return true;
  return error.code() == Code::unavailable && (!write || error.recoverable());
}

// The name under which a server is asked that must answer itself or say that it does not lead, so that no call goes in circles.
[[nodiscard]] inline std::string unrouted(std::string_view method) { return "=" + std::string(method); }

class Registry {
 public:
  using Start = std::chrono::steady_clock::time_point;
  // Told of each call when it has ended; `endpoint` is its full name.
  using Observer = std::function<void(const char* endpoint, CallKind kind, Start start, bool succeeded)>;

  template <class Req, class Rep>
  void add(Endpoint<Req, Rep> endpoint, std::function<Async<Result<Rep>>(Req)> handler, Place place = Place::leader) {
    bytes_[endpoint.name] = [this, endpoint](std::string payload) { return serve_bytes<Req, Rep>(*this, endpoint, true, std::move(payload)); };
    bytes_[unrouted(endpoint.name)] = [this, endpoint](std::string payload) {
      return serve_bytes<Req, Rep>(*this, endpoint, false, std::move(payload));
    };
    typed_[endpoint.name] = std::move(handler);
    places_[endpoint.name] = place;
  }
  // Outlives the registry's use.
  void route_by(Router* router) { router_ = router; }
  // The answer of the handler here or on the server that leads.
  template <class Req, class Rep>
  [[nodiscard]] Async<Result<Rep>> run(Endpoint<Req, Rep> endpoint, Req request, Router::Duration limit) const {
    const auto* handler = find(endpoint);
    if (handler == nullptr) co_return fail(Code::unimplemented, "no handler for {}", endpoint.name);
    constexpr bool write = call_kind<Req, Rep>() == CallKind::write;
    // The only server goes on answering questions when its disk is full and it cannot lead.
    if (answered_here(endpoint.name, stale(request)) || (!write && router_->knows_all())) {
      auto reply = co_await (*handler)(std::move(request));
      co_return reply;
    }
    auto until = std::chrono::steady_clock::now() + leader_wait;
    for (;;) {
      const auto begun = std::chrono::steady_clock::now();
      const auto address = co_await router_->find();
      if (!address) co_return fail(address.error());
      Result<Rep> reply = fail(Code::internal, "no answer");
      if (address->empty()) {
        Req copy = request;
        reply = co_await (*handler)(std::move(copy));
      } else {
        std::string payload = model::to_msgpack(request);
        auto bytes = co_await router_->forward(*address, unrouted(endpoint.name), std::move(payload), limit + wait_of(request), write);
        reply = decode<Rep>(endpoint.name, std::move(bytes));
      }
      if (reply || !may_repeat(reply.error(), write)) co_return reply;
      const auto now = std::chrono::steady_clock::now();
      // A query that was parked for long has its wait for the next leader before it.
      if (now - begun > leader_wait) until = now + leader_wait;
      else if (now >= until) co_return reply;
      co_await sleep_for(std::chrono::milliseconds(20));
    }
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
  static constexpr std::chrono::seconds leader_wait{5};

  template <class Req>
  static bool stale(const Req& request) {
    if constexpr (requires { request.allow_stale; }) return request.allow_stale;
    else return false;
  }
  template <class Req>
  static Router::Duration wait_of(const Req& request) {
    if constexpr (requires { request.max_query_time; }) return request.max_query_time + request.max_query_time / 16;
    else return {};
  }
  template <class Rep>
  static Result<Rep> decode(const char* name, Result<std::string> bytes) {
    if (!bytes) return fail(bytes.error());
    Rep reply{};
    if (auto decoded = model::from_msgpack(*bytes, reply); !decoded) return fail(decoded.error(), "answer of {}", name);
    return reply;
  }
  [[nodiscard]] bool answered_here(const char* name, bool stale) const {
    return router_ == nullptr || stale || places_.find(name)->second == Place::here;
  }
  // `routed`: may be passed on to the leader. Otherwise the asker takes this server for it, and is told when it is not.
  template <class Req, class Rep>
  static Async<Result<std::string>> serve_bytes(const Registry& registry, Endpoint<Req, Rep> endpoint, bool routed, std::string payload) {
    const Start start = std::chrono::steady_clock::now();
    Req request{};
    if (auto decoded = model::from_msgpack(payload, request); !decoded) co_return fail(decoded.error());
    if (!routed && !registry.answered_here(endpoint.name, stale(request)) && !registry.router_->leads()) {
      co_return fail(Code::no_leader, "No cluster leader");
    }
    Result<Rep> reply = fail(Code::internal, "no answer");
    if (routed) {
      reply = co_await registry.run(endpoint, std::move(request), std::chrono::seconds(30));
    } else {
      reply = co_await (*registry.find(endpoint))(std::move(request));
    }
    registry.note(endpoint, start, reply.has_value());
    if (!reply) co_return fail(reply.error());
    co_return model::to_msgpack(*reply);
  }

  std::map<std::string, std::any, std::less<>> typed_;
  std::map<std::string, BytesHandler, std::less<>> bytes_;
  std::map<std::string, Place, std::less<>> places_;
  Router* router_ = nullptr;
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
      const Registry::Start start = std::chrono::steady_clock::now();
      auto reply = co_await registry->run(endpoint, std::move(request), limit);
      registry->note(endpoint, start, reply.has_value());
      co_return reply;
    }
    if constexpr (requires { request.max_query_time; }) limit += request.max_query_time + request.max_query_time / 16;
    std::string payload = model::to_msgpack(request);
    constexpr bool write = call_kind<Req, Rep>() == CallKind::write;
    auto bytes = co_await call_bytes(endpoint.name, std::move(payload), limit, write);
    if (!bytes) co_return fail(bytes.error());
    Rep reply{};
    if (auto decoded = model::from_msgpack(*bytes, reply); !decoded) co_return fail(decoded.error(), "answer of {}", endpoint.name);
    co_return reply;
  }

 protected:
  // The handlers of this process, null when calls leave it.
  [[nodiscard]] virtual const Registry* local() const = 0;
  [[nodiscard]] virtual Async<Result<std::string>> call_bytes(std::string method, std::string payload, Duration limit, bool write) = 0;
};

// Calls handlers of this process without encoding.
class LocalCaller final : public Caller {
 public:
  explicit LocalCaller(const Registry& registry) : registry_(registry) {}

 private:
  [[nodiscard]] const Registry* local() const override { return &registry_; }
  [[nodiscard]] Async<Result<std::string>> call_bytes(std::string, std::string, Duration, bool) override {
    co_return fail(Code::internal, "a local caller does not send bytes");
  }
  const Registry& registry_;
};

}  // namespace drover::wire
