#include "sdk/plugin/secure_channel.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/rpc/own_place.h"
#include "sdk/rpc/server.h"

namespace drover::plugin {
namespace {
using Local = asio::local::stream_protocol;

Result<Fd> connect_to(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("making a socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Code::invalid_argument, "\"{}\" is longer than the {} bytes a socket's path may have", path, sizeof address.sun_path - 1);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_errno("connecting to \"{}\"", path);
  return socket;
}

ucred peer_of(int socket) {
  ucred out{};
  socklen_t size = sizeof out;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &out, &size) != 0) out.pid = -1;
  return out;
}

pid_t parent_of(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid)).value_or("");
  const auto name_end = stat.rfind(") ");
  return name_end == std::string::npos || name_end + 4 > stat.size() ? 0 : static_cast<pid_t>(std::atoi(stat.c_str() + name_end + 4));
}

// One connection on either side: its own coroutine, so that a slow handshake holds up nobody.
Async<bool> carry(Logger log, Fd plain, Fd secure, TlsSide side, Identity own, std::string peer) {
  const auto done = co_await relay_tls(std::move(plain), std::move(secure), side, std::move(own), std::move(peer));
  if (!done) log.warn("a connection was refused", "reason", done.error());
  co_return done.has_value();
}

Result<Fd> take(Local::socket& socket) {
  boost::system::error_code error;
  const int fd = socket.release(error);
  if (error) return fail(Code::internal, "taking over a connection: {}", error.message());
  return Fd(fd);
}
}  // namespace

struct TlsListener::Impl : std::enable_shared_from_this<Impl> {
  Impl(const Executor& loop, Logger to, rpc::Server& serve, Identity identity, std::string trusted)
      : log(std::move(to)), server(serve), own(std::move(identity)), client(std::move(trusted)), acceptor(loop), scope(loop) {}
  static Async<> accept(std::shared_ptr<Impl> self) {
    for (;;) {
      Local::socket socket(self->acceptor.get_executor());
      const auto [error] = co_await self->acceptor.async_accept(socket, no_throw);
      if (error == asio::error::operation_aborted) co_return;
      int ends[2];
      if (error || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        co_await sleep_for(std::chrono::milliseconds(100));  // out of descriptors
        continue;
      }
      Fd ours(ends[0]), theirs(ends[1]);
      auto secure = take(socket);
      if (!secure) continue;
      self->server.adopt(std::move(theirs));
      self->scope.spawn(serve(self, std::move(ours), std::move(*secure)));
    }
  }
  static Async<> serve(std::shared_ptr<Impl> self, Fd ours, Fd secure) {
    [[maybe_unused]] const bool done = co_await carry(self->log, std::move(ours), std::move(secure), TlsSide::server, self->own, self->client);
  }
  Logger log;
  rpc::Server& server;
  Identity own;
  std::string client;
  Local::acceptor acceptor;
  Scope scope;
};

TlsListener::TlsListener(Executor executor, Logger log, rpc::Server& server, Identity own, std::string client)
    : impl_(std::make_shared<Impl>(executor, std::move(log), server, std::move(own), std::move(client))) {}

TlsListener::~TlsListener() {
  impl_->scope.cancel();
  asio::post(impl_->acceptor.get_executor(), [impl = impl_] {});
}

Result<> TlsListener::listen(const std::string& path) {
  boost::system::error_code error;
  impl_->acceptor.open(Local(), error);
  if (!error) impl_->acceptor.bind(Local::endpoint(path), error);
  if (!error) impl_->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Code::unavailable, "listening on \"{}\": {}", path, error.message());
  impl_->scope.spawn(Impl::accept(impl_));
  return {};
}

Result<std::string> listen_for_host(const std::string& path, const std::string& certificate, rpc::Server& server, const Executor& executor, const Logger& log,
                                    std::optional<TlsListener>& tls) {
  if (certificate.empty()) {
    DROVER_TRY(server.listen("unix:" + path));
    return std::string();
  }
  const auto identity = make_identity();
  if (!identity) return fail(identity.error(), "the host asks for TLS");
  tls.emplace(executor, log, server, *identity, certificate);
  DROVER_TRY(tls->listen(path));
  return to_field(identity->certificate);
}

struct TlsDialer::Impl : std::enable_shared_from_this<Impl> {
  Impl(const Executor& loop, Logger to, std::string path, Identity identity, std::string trusted)
      : log(std::move(to)), socket_path(std::move(path)), own(std::move(identity)), server(std::move(trusted)), executor(loop), scope(loop) {}
  static Async<> accept(std::shared_ptr<Impl> self) {
    for (;;) {
      Fd plain = co_await self->place->accept();
      auto secure = connect_to(self->socket_path);
      if (secure) self->scope.spawn(dial(self, std::move(plain), std::move(*secure)));
    }
  }
  static Async<> dial(std::shared_ptr<Impl> self, Fd plain, Fd secure) {
    const auto done = co_await carry(self->log, std::move(plain), std::move(secure), TlsSide::client, self->own, self->server);
    if (!done) self->refused = true;
  }
  Logger log;
  std::string socket_path;
  Identity own;
  std::string server;
  bool refused = false;
  Executor executor;
  std::optional<rpc::OwnPlace> place;
  Scope scope;
};

TlsDialer::TlsDialer(Executor executor, Logger log, std::string socket, Identity own, std::string server)
    : impl_(std::make_shared<Impl>(executor, std::move(log), std::move(socket), std::move(own), std::move(server))) {}

TlsDialer::~TlsDialer() {
  impl_->scope.cancel();
  asio::post(impl_->executor, [impl = impl_] {});
}

Result<std::string> TlsDialer::open() {
  auto place = rpc::OwnPlace::open();
  if (!place) return fail(place.error());
  impl_->place.emplace(std::move(*place));
  impl_->scope.spawn(Impl::accept(impl_));
  return impl_->place->target();
}

bool TlsDialer::refused() const { return impl_->refused; }

Result<> check_peer(const std::string& socket, int pid) {
  const auto connection = connect_to(socket);
  if (!connection) return fail(connection.error());
  const ucred peer = peer_of(connection->get());
  if (peer.uid != ::geteuid()) return fail(Code::permission_denied, "the plugin's socket \"{}\" belongs to user {}, not to {}", socket, peer.uid, ::geteuid());
  pid_t listener = peer.pid;
  for (int depth = 0; depth < 32 && listener > 1 && listener != pid; ++depth) listener = parent_of(listener);
  if (listener != pid) return fail(Code::permission_denied, "process {} listens at the plugin's socket \"{}\", which is not the plugin (pid {})", peer.pid, socket, pid);
  return {};
}

}  // namespace drover::plugin
