#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstring>

#include "sdk/base/defer.h"
#include "sdk/plugin/tls.h"
#include "sdk/plugin/tls_library.h"

namespace drover::plugin {
namespace {
using Descriptor = asio::posix::stream_descriptor;
constexpr std::size_t piece = 16 << 10;  // one record of TLS
constexpr unsigned char h2[] = {2, 'h', '2'};

int choose_h2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned offered_size, void* library) {
  const auto& ssl = *static_cast<const OpenSsl*>(library);
  // The answer points into one of both lists.
  const int found = ssl.SSL_select_next_proto(const_cast<unsigned char**>(out), size, h2, sizeof h2, offered, offered_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// One connection. OpenSSL works on the descriptor itself; asio only says when.
struct Session {
  Session(const Executor& executor, const OpenSsl& library, Fd a, Fd b) : ssl(library), plain(executor, a.release()), secure(executor, b.release()) {
    for (Descriptor* one : {&plain, &secure}) {
      boost::system::error_code error;
      one->native_non_blocking(true, error);
    }
  }
  const OpenSsl& ssl;
  Descriptor plain, secure;
  Owned<SSL_CTX> context{nullptr, {ssl.SSL_CTX_free}};
  Owned<SSL> stream{nullptr, {ssl.SSL_free}};
};

Result<> prepare(Session& session, TlsSide side, const Identity& own_identity, const std::string& peer) {
  const OpenSsl& ssl = session.ssl;
  const bool server = side == TlsSide::server;
  session.context.reset(ssl.SSL_CTX_new(server ? ssl.TLS_server_method() : ssl.TLS_client_method()));
  SSL_CTX* const context = session.context.get();
  const auto certificate = read_certificate(ssl, own_identity.certificate), trusted = read_certificate(ssl, peer);
  const auto key = read_key(ssl, own_identity.key);
  if (context == nullptr || !certificate || !key || !trusted) return fail(Code::invalid_argument, "preparing TLS: no certificate, or no key");
  ssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
  ssl.SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS, nullptr);
  ssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, nullptr);
  ssl.SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  ssl.SSL_CTX_set_num_tickets(context, 0);
  ssl.SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  ssl.X509_STORE_add_cert(ssl.SSL_CTX_get_cert_store(context), trusted.get());
  if (ssl.SSL_CTX_use_certificate(context, certificate.get()) != 1 || ssl.SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return fail(Code::invalid_argument, "preparing TLS: certificate and key do not belong together");
  }
  if (server) ssl.SSL_CTX_set_alpn_select_cb(context, choose_h2, const_cast<OpenSsl*>(&ssl));
  session.stream.reset(ssl.SSL_new(context));
  SSL* const stream = session.stream.get();
  if (stream == nullptr || ssl.SSL_set_fd(stream, session.secure.native_handle()) != 1) return fail(Code::internal, "preparing TLS: OpenSSL refused");
  if (server) return {};
  char name[] = "localhost";
  ssl.SSL_set_alpn_protos(stream, h2, sizeof h2);
  ssl.SSL_ctrl(stream, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
  ssl.SSL_set1_host(stream, name);
  return {};
}

Async<bool> wait_for(Descriptor& descriptor, Descriptor::wait_type what) {
  const auto [error] = co_await descriptor.async_wait(what, no_throw);
  co_return !error;
}

// Repeats one of OpenSSL's operations until it has done something; 0: the connection is over.
template <class Operation>
Async<int> repeat(Session& session, Operation operation) {
  for (;;) {
    session.ssl.ERR_clear_error();
    const int done = operation();
    if (done > 0) co_return done;
    const int problem = session.ssl.SSL_get_error(session.stream.get(), done);
    if (problem != SSL_ERROR_WANT_READ && problem != SSL_ERROR_WANT_WRITE) co_return 0;
    const bool ready = co_await wait_for(session.secure, problem == SSL_ERROR_WANT_READ ? Descriptor::wait_read : Descriptor::wait_write);
    if (!ready) co_return 0;
  }
}

Async<> outwards(std::shared_ptr<Session> session) {
  std::string buffer(piece, '\0');
  for (;;) {
    const bool ready = co_await wait_for(session->plain, Descriptor::wait_read);
    const ssize_t size = ready ? ::read(session->plain.native_handle(), buffer.data(), buffer.size()) : 0;
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size <= 0) co_return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      const char* data = buffer.data() + at;
      const int left = static_cast<int>(static_cast<std::size_t>(size) - at);
      const int sent = co_await repeat(*session, [&] { return session->ssl.SSL_write(session->stream.get(), data, left); });
      if (sent == 0) co_return;
      at += static_cast<std::size_t>(sent);
    }
  }
}

Async<> inwards(std::shared_ptr<Session> session) {
  std::string buffer(piece, '\0');
  for (;;) {
    const int size = co_await repeat(*session, [&] { return session->ssl.SSL_read(session->stream.get(), buffer.data(), static_cast<int>(buffer.size())); });
    if (size == 0) co_return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      const ssize_t sent = ::write(session->plain.native_handle(), buffer.data() + at, static_cast<std::size_t>(size) - at);
      if (sent > 0) at += static_cast<std::size_t>(sent);
      else if (sent < 0 && errno == EAGAIN) [[maybe_unused]] const bool ready = co_await wait_for(session->plain, Descriptor::wait_write);
      else if (errno != EINTR) co_return;
    }
  }
}

std::string reason_of(const Session& session) {
  if (const long verified = session.ssl.SSL_get_verify_result(session.stream.get()); verified != X509_V_OK) return session.ssl.X509_verify_cert_error_string(verified);
  const char* reason = session.ssl.ERR_reason_error_string(session.ssl.ERR_peek_last_error());
  return reason == nullptr ? "the connection ended" : reason;
}
}  // namespace

Async<Result<>> relay_tls(Fd plain, Fd secure, TlsSide side, Identity own_identity, std::string peer) {
  const auto library = openssl();
  if (!library) co_return fail(library.error());
  const auto session = std::make_shared<Session>(co_await asio::this_coro::executor, **library, std::move(plain), std::move(secure));
  DROVER_CO_TRY(prepare(*session, side, own_identity, peer));
  const bool server = side == TlsSide::server;
  if (server) {
    // Who only looks who listens here says nothing, and is nothing to speak of (P-11).
    const bool spoken = co_await wait_for(session->secure, Descriptor::wait_read);
    char first = 0;
    if (!spoken || ::recv(session->secure.native_handle(), &first, 1, MSG_PEEK) == 0) co_return Result<>{};
  }
  const int shaken = co_await repeat(*session, [&] { return server ? session->ssl.SSL_accept(session->stream.get()) : session->ssl.SSL_connect(session->stream.get()); });
  if (shaken == 0) co_return fail(Code::permission_denied, "the TLS handshake: {}", reason_of(*session));
  using namespace asio::experimental::awaitable_operators;
  auto until_one_ends = outwards(session) || inwards(session);
  co_await std::move(until_one_ends);
  session->ssl.ERR_clear_error();
  session->ssl.SSL_shutdown(session->stream.get());
  co_return Result<>{};
}

}  // namespace drover::plugin
