#include "lib/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <list>
#include <unordered_map>

#include "lib/http/connection.h"
#include "sdk/base/fd.h"

namespace drover::http {

namespace {
constexpr std::string_view too_many_connections =
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: 81\r\nConnection: close\r\n\r\n"
    "Your IP is issuing too many concurrent connections, please rate limit your calls\n";

struct Peer {
  std::string text;    // `ip:port`
  std::string client;  // what the per-client limit counts: the address, of IPv6 its /64
};

Peer describe_peer(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return {fmt::format("{}:{}", text, ntohs(v4.sin_port)), text};
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return {fmt::format("[{}]:{}", text, ntohs(v6.sin6_port)),
            std::string(reinterpret_cast<const char*>(v6.sin6_addr.s6_addr), 8)};
  }
  return {};
}

Result<Fd> bind_tcp(const std::string& address, std::uint16_t port) {
  sockaddr_storage name{};
  socklen_t size = 0;
  auto& v4 = reinterpret_cast<sockaddr_in&>(name);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(name);
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    size = sizeof v4;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    size = sizeof v6;
  } else {
    return fail(Code::invalid_argument, "listening on \"{}\": not an IP address", address);
  }
  Fd out(::socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out) return fail_errno("opening a socket for {}:{}", address, port);
  const int on = 1;
  ::setsockopt(out.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(out.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) return fail_errno("listening on {}:{}", address, port);
  if (::listen(out.get(), 1024) != 0) return fail_errno("listening on {}:{}", address, port);
  return out;
}

Result<Fd> bind_unix(const std::string& path, std::uint32_t mode) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) {
    return fail(Code::invalid_argument, "listening on \"{}\": the path has more than {} bytes", path, sizeof name.sun_path - 1);
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) return fail(Code::already_exists, "listening on \"{}\": a file that is no socket is there", path);
    ::unlink(path.c_str());
  }
  Fd out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out) return fail_errno("opening a socket for \"{}\"", path);
  // The mode is set before listen(), so nobody can connect under the wrong one.
  if (::bind(out.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) return fail_errno("listening on \"{}\"", path);
  if (::chmod(path.c_str(), mode) != 0) return fail_errno("setting the mode of \"{}\"", path);
  if (::listen(out.get(), 1024) != 0) return fail_errno("listening on \"{}\"", path);
  return out;
}
}  // namespace

struct Server::Impl : std::enable_shared_from_this<Impl> {
  struct Listener {
    explicit Listener(const Executor& loop) : socket(loop) {}
    asio::posix::stream_descriptor socket;
    ListenOptions options;
    SslContext tls;
    std::string unix_path;
    std::uint16_t port = 0;
    bool closed = false;
  };
  struct Member {
    Member(const Executor& loop, std::shared_ptr<Connection> made) : connection(std::move(made)), scope(loop) {}
    std::shared_ptr<Connection> connection;
    Scope scope;
  };
  using Members = std::list<Member>;

  Impl(Executor executor, ServerOptions options) : loop(std::move(executor)), scope(loop), changed(loop) { context.options = options; }

  Executor loop;
  ServerContext context;
  std::unordered_map<ListenerId, std::shared_ptr<Listener>> listeners;
  ListenerId last_id = 0;
  Members members;
  std::unordered_map<std::string, std::uint32_t> per_client;
  Scope scope;
  Condition changed;
  bool sweeping = false;
  // Refusals are answered at most 10 a second with a burst of 100; the rest is just closed.
  double refusal_tokens = 100;
  SteadyTime refusal_time = std::chrono::steady_clock::now();

  static Async<> accept_loop(std::shared_ptr<Impl> self, std::shared_ptr<Listener> listener) {
    for (;;) {
      const auto [error] = co_await listener->socket.async_wait(asio::posix::stream_descriptor::wait_read, no_throw);
      co_await throw_if_cancelled();
      if (listener->closed || error) co_return;
      // A bounded burst, so a flood of connections cannot starve the others on the loop.
      bool starved = false;
      for (int i = 0; i < 64; ++i) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        const int fd = ::accept4(listener->socket.native_handle(), reinterpret_cast<sockaddr*>(&address), &size,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
          starved = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
          break;
        }
        self->admit(Fd(fd), address, *listener);
      }
      if (starved) co_await sleep_for(std::chrono::milliseconds(100));
    }
  }

  void admit(Fd fd, const sockaddr_storage& address, const Listener& listener) {
    const bool is_unix = !listener.unix_path.empty();
    auto peer = is_unix ? Peer{} : describe_peer(address);
    auto& count = per_client[peer.client];
    const auto limit = context.options.max_connections_per_client;
    if ((!is_unix && limit != 0 && count >= limit) || members.size() >= context.options.max_connections) {
      ++context.stats.refused;
      if (may_answer_refusal()) {
        [[maybe_unused]] const auto sent =
            ::send(fd.get(), too_many_connections.data(), too_many_connections.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      }
      if (count == 0) per_client.erase(peer.client);
      return;
    }
    if (!is_unix) {
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Socket socket(loop);
    error_code error;
    const int family = is_unix ? AF_UNIX : address.ss_family;
    socket.assign(asio::generic::stream_protocol(family, is_unix ? 0 : IPPROTO_TCP), fd.get(), error);
    if (error) {
      if (count == 0) per_client.erase(peer.client);
      return;
    }
    [[maybe_unused]] const int given = fd.release();
    ++count;
    ++context.stats.accepted;
    auto connection = std::make_shared<Connection>(context, std::move(socket), std::move(peer.text), std::move(peer.client),
                                                   listener.options.tag);
    const auto member = members.emplace(members.end(), loop, connection);
    member->scope.spawn(serve(shared_from_this(), member, std::move(connection), listener.tls));
    if (!sweeping) {
      sweeping = true;
      scope.spawn(sweep_loop(shared_from_this()));
    }
  }

  bool may_answer_refusal() {
    const auto now = std::chrono::steady_clock::now();
    refusal_tokens = std::min(100.0, refusal_tokens + 10 * std::chrono::duration<double>(now - refusal_time).count());
    refusal_time = now;
    if (refusal_tokens < 1) return false;
    refusal_tokens -= 1;
    return true;
  }

  static Async<> serve(std::shared_ptr<Impl> self, Members::iterator member, std::shared_ptr<Connection> connection, SslContext tls) {
    // Also when unwinding after a cancellation.
    struct Leave {
      std::shared_ptr<Impl> impl;
      Members::iterator member;
      ~Leave() { impl->reap(member); }
    } leave{self, member};
    co_await connection->serve(std::move(tls));
  }

  // Removes a member once its coroutine is no more.
  void reap(Members::iterator member) {
    asio::post(loop, [self = shared_from_this(), member] {
      if (member->scope.size() != 0) return self->reap(member);
      const auto client = self->per_client.find(member->connection->client());
      if (client != self->per_client.end() && --client->second == 0) self->per_client.erase(client);
      self->members.erase(member);
      self->changed.notify_all();
    });
  }

  static Async<> sweep_loop(std::shared_ptr<Impl> self) {
    while (!self->members.empty()) {
      co_await sleep_for(std::chrono::milliseconds(500));
      const auto now = std::chrono::steady_clock::now();
      for (auto at = self->members.begin(); at != self->members.end();) {
        auto& member = *at++;
        const std::weak_ptr<Connection> weak = member.connection;
        member.connection->sweep(now, [weak, &member] {
          // The member outlives its connection in the list.
          if (weak.lock()) member.scope.cancel();
        });
      }
    }
    self->sweeping = false;
  }

  Result<ListenerId> add(Fd fd, ListenOptions options, std::string unix_path) {
    auto listener = std::make_shared<Listener>(loop);
    if (options.tls) {
      auto tls = make_server_context(*options.tls);
      if (!tls) return fail(tls.error());
      listener->tls = std::move(*tls);
    }
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (unix_path.empty() && ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0) {
      listener->port = ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                                        : reinterpret_cast<sockaddr_in&>(name).sin_port);
    }
    listener->socket.assign(fd.release());
    listener->options = std::move(options);
    listener->unix_path = std::move(unix_path);
    listeners.emplace(++last_id, listener);
    scope.spawn(accept_loop(shared_from_this(), listener));
    return last_id;
  }
};

Server::Server(Executor loop, const Router& router, ServerOptions options) : impl_(std::make_shared<Impl>(std::move(loop), options)) {
  impl_->context.router = &router;
}
Server::Server(Executor loop, Handler handler, ServerOptions options) : impl_(std::make_shared<Impl>(std::move(loop), options)) {
  impl_->context.handler = std::move(handler);
}
Server::~Server() {
  while (!impl_->listeners.empty()) close_listener(impl_->listeners.begin()->first);
  impl_->scope.cancel();
}

Result<ListenerId> Server::listen_tcp(const std::string& address, std::uint16_t port, ListenOptions options) {
  auto fd = bind_tcp(address, port);
  if (!fd) return fail(fd.error());
  return impl_->add(std::move(*fd), std::move(options), {});
}

Result<ListenerId> Server::listen_unix(const std::string& path, ListenOptions options) {
  auto fd = bind_unix(path, options.unix_mode);
  if (!fd) return fail(fd.error());
  return impl_->add(std::move(*fd), std::move(options), path);
}

std::uint16_t Server::port(ListenerId id) const {
  const auto found = impl_->listeners.find(id);
  return found == impl_->listeners.end() ? std::uint16_t(0) : found->second->port;
}

void Server::close_listener(ListenerId id) {
  const auto found = impl_->listeners.find(id);
  if (found == impl_->listeners.end()) return;
  auto listener = found->second;
  impl_->listeners.erase(found);
  listener->closed = true;
  error_code ignored;
  listener->socket.close(ignored);
  if (!listener->unix_path.empty()) ::unlink(listener->unix_path.c_str());
}

Result<> Server::reload_tls() {
  for (auto& [id, listener] : impl_->listeners) {
    if (!listener->options.tls) continue;
    auto tls = make_server_context(*listener->options.tls);
    if (!tls) return fail(tls.error());
    listener->tls = std::move(*tls);
  }
  return {};
}

Async<Response> Server::dispatch(Request request) {
  if (impl_->context.router) return impl_->context.router->handle(std::move(request));
  return impl_->context.handler(std::move(request));
}

ServerStats Server::stats() const {
  auto out = impl_->context.stats;
  out.connections = impl_->members.size();
  return out;
}

Async<> Server::close() {
  auto impl = impl_;
  impl->context.closing = true;
  while (!impl->listeners.empty()) close_listener(impl->listeners.begin()->first);
  for (auto at = impl->members.begin(); at != impl->members.end();) (at++)->scope.cancel();
  while (!impl->members.empty()) co_await impl->changed.wait();
  co_await impl->scope.close();
}

}  // namespace drover::http
