#include "sdk/rpc/node_tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <optional>

#include "sdk/async/scope.h"
#include "sdk/base/text.h"
#include "sdk/rpc/own_place.h"

namespace drover {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

struct NodeTls::Contexts {
  ssl::context server{ssl::context::tls_server};
  ssl::context client{ssl::context::tls_client};
};

namespace {

constexpr std::chrono::seconds handshake_limit{5};
constexpr std::chrono::seconds connect_limit{10};
// N-091: connections of one peer address that have not said yet who they are.
constexpr int most_beginnings = 100;
// N-090: what TLS 1.2 may use; 1.3 has nothing else.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::size_t piece = 64 << 10;

Result<> step(const error_code& error, std::string_view what, const std::string& file) {
  if (!error) return {};
  return fail(Code::invalid_argument, "{} \"{}\": {}", what, file, error.message());
}

Result<> prepare(ssl::context& context, const NodeTlsOptions& options) {
  SSL_CTX* const raw = context.native_handle();
  ::SSL_CTX_set_min_proto_version(raw, options.min_version == "tls13" ? TLS1_3_VERSION : TLS1_2_VERSION);
  ::SSL_CTX_set_cipher_list(raw, ciphers);
  ::SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  ::SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  error_code error;
  context.load_verify_file(options.ca_file, error);
  DROVER_TRY(step(error, "reading the CA of tls.ca_file", options.ca_file));
  context.use_certificate_chain_file(options.certificate_file, error);
  DROVER_TRY(step(error, "reading the certificate of tls.cert_file", options.certificate_file));
  context.use_private_key_file(options.key_file, ssl::context::pem, error);
  DROVER_TRY(step(error, "reading the key of tls.key_file", options.key_file));
  if (::SSL_CTX_check_private_key(raw) != 1) {
    return fail(Code::invalid_argument, "the key of tls.key_file \"{}\" does not belong to the certificate of tls.cert_file \"{}\"", options.key_file,
                options.certificate_file);
  }
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  return step(error, "asking for certificates of", options.ca_file);
}

Result<std::shared_ptr<const NodeTls::Contexts>> make_contexts(const NodeTlsOptions& options) {
  if (!options.enabled) return std::shared_ptr<const NodeTls::Contexts>();
  for (const auto& [name, file] : {std::pair("ca_file", &options.ca_file), std::pair("cert_file", &options.certificate_file), std::pair("key_file", &options.key_file)}) {
    if (file->empty()) return fail(Code::invalid_argument, "tls.rpc is set and tls.{} is not: every agent needs the CA, a certificate of it and the certificate's key", name);
  }
  if (!options.min_version.empty() && options.min_version != "tls12" && options.min_version != "tls13") {
    return fail(Code::invalid_argument, "tls.tls_min_version is \"{}\": RPC speaks tls12 and tls13", options.min_version);
  }
  auto out = std::make_shared<NodeTls::Contexts>();
  DROVER_TRY(prepare(out->server, options));
  DROVER_TRY(prepare(out->client, options));
  return std::shared_ptr<const NodeTls::Contexts>(std::move(out));
}

std::string server_name(const NodeTlsOptions& options) { return fmt::format("server.{}.nomad", options.region); }

using TlsStream = ssl::stream<tcp::socket>;

bool is_server(TlsStream& stream, const NodeTlsOptions& options) {
  const std::unique_ptr<X509, void (*)(X509*)> certificate(::SSL_get1_peer_certificate(stream.native_handle()), ::X509_free);
  const std::string name = server_name(options);
  return certificate && ::X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) == 1;
}

// Why a handshake failed, in the words that help: what is wrong with a certificate before what OpenSSL made of it.
std::string reason_of(TlsStream& stream, const error_code& error) {
  if (const long verified = ::SSL_get_verify_result(stream.native_handle()); verified != X509_V_OK) return ::X509_verify_cert_error_string(verified);
  return error.message();
}

template <class From, class To>
Async<error_code> pump(From& from, To& to) {
  std::string buffer(piece, '\0');
  for (;;) {
    const auto [read_error, size] = co_await from.async_read_some(asio::buffer(buffer), no_throw);
    if (read_error) co_return read_error;
    const auto [write_error, written] = co_await asio::async_write(to, asio::buffer(buffer.data(), size), no_throw);
    if (write_error) co_return write_error;
  }
}

// Until one side ends; yields how.
template <class Secure>
Async<error_code> relay(Secure& secure, Local::socket& plain) {
  using namespace asio::experimental::awaitable_operators;
  auto either = pump(secure, plain) || pump(plain, secure);
  auto which = co_await std::move(either);
  co_return which.index() == 0 ? std::get<0>(which) : std::get<1>(which);
}

Async<error_code> handshake(TlsStream& stream, ssl::stream_base::handshake_type type) {
  const auto [error] = co_await stream.async_handshake(type, no_throw);
  co_return error;
}

Async<error_code> handshake_in_time(TlsStream& stream, ssl::stream_base::handshake_type type) {
  using namespace asio::experimental::awaitable_operators;
  auto either = handshake(stream, type) || sleep_for(handshake_limit);
  auto which = co_await std::move(either);
  co_return which.index() == 0 ? std::get<0>(which) : error_code(asio::error::timed_out);
}

// What N-091 counts by: the address, of IPv6 its /64.
std::string client_of(const asio::ip::address& address) {
  if (address.is_v4() || address.to_v6().is_v4_mapped()) return address.to_string();
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.begin() + 8};
}

// A connection until it is known who is at its other end.
class Beginner {
 public:
  Beginner(std::map<std::string, int>& all, std::string peer) : all_(all), peer_(std::move(peer)) { ++all_[peer_]; }
  Beginner(const Beginner&) = delete;
  Beginner& operator=(const Beginner&) = delete;
  ~Beginner() { known(); }
  [[nodiscard]] bool one_too_many() const { return all_.at(peer_) > most_beginnings; }
  void known() {
    if (!std::exchange(known_, true) && --all_[peer_] == 0) all_.erase(peer_);
  }

 private:
  std::map<std::string, int>& all_;
  std::string peer_;
  bool known_ = false;
};

struct Address {
  std::string host, port;
};
Result<Address> split_address(const std::string& host_port) {
  const auto colon = host_port.rfind(':');
  if (colon == std::string::npos) return fail(Code::invalid_argument, "\"{}\" has no port", host_port);
  std::string host = host_port.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return Address{std::move(host), host_port.substr(colon + 1)};
}

}  // namespace

Result<std::shared_ptr<NodeTls>> NodeTls::load(NodeTlsOptions options) {
  auto contexts = make_contexts(options);
  if (!contexts) return fail(contexts.error());
  return std::shared_ptr<NodeTls>(new NodeTls(std::move(options), std::move(*contexts)));
}

Result<> NodeTls::reload(NodeTlsOptions options) {
  auto contexts = make_contexts(options);
  if (!contexts) return fail(contexts.error());
  options_ = std::move(options);
  contexts_ = std::move(*contexts);
  return {};
}

struct NodeListener::Impl : std::enable_shared_from_this<Impl> {
  Impl(Executor loop, Logger to, std::shared_ptr<const NodeTls> with, Adopt give)
      : executor(loop), log(std::move(to)), tls(std::move(with)), adopt(std::move(give)), scope(loop) {}

  static Async<> accept(std::shared_ptr<Impl> self, std::shared_ptr<tcp::acceptor> acceptor) {
    for (;;) {
      const auto [error] = co_await acceptor->async_wait(tcp::acceptor::wait_read, no_throw);
      if (error) co_return;
      Fd taken(::accept4(acceptor->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!taken && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)) continue;
      if (!taken) {
        co_await sleep_for(std::chrono::milliseconds(100));  // out of descriptors
        continue;
      }
      tcp::socket socket(self->executor);
      error_code ignored;
      socket.assign(acceptor->local_endpoint(ignored).protocol(), taken.release(), ignored);
      socket.set_option(tcp::no_delay(true), ignored);
      self->scope.spawn(serve(self, std::move(socket)));
    }
  }

  // How the other side begins: with TLS, or as gRPC in plain does, with letters; or it only looks who listens here, and goes.
  enum class Beginning : std::uint8_t { nothing, tls, plain };
  static Async<Beginning> beginning(tcp::socket& socket) {
    const auto [error] = co_await socket.async_wait(tcp::socket::wait_read, no_throw);
    unsigned char first = 0;
    if (error || ::recv(socket.native_handle(), &first, 1, MSG_PEEK) != 1) co_return Beginning::nothing;
    constexpr unsigned char handshake_record = 0x16;
    co_return first == handshake_record ? Beginning::tls : Beginning::plain;
  }
  static Async<Beginning> beginning_in_time(tcp::socket& socket) {
    using namespace asio::experimental::awaitable_operators;
    auto either = beginning(socket) || sleep_for(handshake_limit);
    auto which = co_await std::move(either);
    co_return which.index() == 0 ? std::get<0>(which) : Beginning::nothing;
  }

  static Async<> serve(std::shared_ptr<Impl> self, tcp::socket socket) {
    error_code ignored;
    const auto address = socket.remote_endpoint(ignored).address();
    const std::string peer = address.to_string();
    Beginner beginner(self->beginners, client_of(address));
    if (beginner.one_too_many()) co_return;
    const Beginning begins = co_await beginning_in_time(socket);
    if (begins == Beginning::nothing) co_return;
    const NodeTlsOptions options = self->tls->options();
    const auto contexts = self->tls->contexts();
    if (!options.enabled || (options.upgrade_mode && begins == Beginning::plain)) {
      self->adopt(Fd(socket.release(ignored)), true);
      co_return;
    }
    if (begins == Beginning::plain) {
      self->log.warn("a connection was refused", "peer", peer, "reason", "it does not speak TLS; set tls.rpc there, and rpc_upgrade_mode here until that is done");
      co_return;
    }
    // The contexts are shared by all connections; OpenSSL counts who uses them.
    TlsStream stream(std::move(socket), const_cast<ssl::context&>(contexts->server));
    const error_code error = co_await handshake_in_time(stream, ssl::stream_base::server);
    beginner.known();
    if (error) {
      self->log.warn("a connection was refused", "peer", peer, "reason", fmt::format("TLS: {}", reason_of(stream, error)));
      co_return;
    }
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) co_return;
    Local::socket plain(self->executor);
    plain.assign(Local(), ends[0], ignored);
    self->adopt(Fd(ends[1]), !options.verify_server_hostname || is_server(stream, options));
    [[maybe_unused]] const error_code ended = co_await relay(stream, plain);
  }

  Executor executor;
  Logger log;
  std::shared_ptr<const NodeTls> tls;
  Adopt adopt;
  std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
  std::map<std::string, int> beginners;  // by client_of()
  Scope scope;
};

NodeListener::NodeListener(Executor executor, Logger log, std::shared_ptr<const NodeTls> tls, Adopt adopt)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(log), std::move(tls), std::move(adopt))) {}

NodeListener::~NodeListener() {
  impl_->scope.cancel();
  // What is cancelled unwinds on the loop.
  asio::post(impl_->executor, [impl = impl_] {});
}

Result<int> NodeListener::listen(const std::string& host_port) {
  const auto address = split_address(host_port);
  if (!address) return fail(address.error());
  error_code error;
  tcp::resolver resolver(impl_->executor);
  const auto found = resolver.resolve(address->host, address->port, tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) return fail(Code::invalid_argument, "\"{}\" is no address: {}", host_port, error.message());
  const tcp::endpoint endpoint = found.begin()->endpoint();
  auto acceptor = std::make_shared<tcp::acceptor>(impl_->executor);
  Fd listening(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listening) return fail_errno("making a socket");
  acceptor->assign(endpoint.protocol(), listening.release(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Code::unavailable, "listening on \"{}\": {}", host_port, error.message());
  const int port = acceptor->local_endpoint(error).port();
  impl_->acceptors.push_back(acceptor);
  impl_->scope.spawn(Impl::accept(impl_, acceptor));
  return port;
}

Async<> NodeListener::close() { co_await impl_->scope.close(); }

struct NodeDialer::Impl : std::enable_shared_from_this<Impl> {
  Impl(Executor loop, std::shared_ptr<const NodeTls> with, std::string to)
      : executor(loop), tls(std::move(with)), host_port(std::move(to)), scope(loop) {}

  static Async<> accept(std::shared_ptr<Impl> self) {
    for (;;) {
      Fd plain = co_await self->place->accept();
      Local::socket socket(self->executor);
      error_code ignored;
      socket.assign(Local(), plain.release(), ignored);
      self->scope.spawn(dial(self, std::move(socket)));
    }
  }

  // To the first of its addresses that answers.
  static Async<error_code> connect(Impl& self, tcp::socket& socket) {
    const auto address = split_address(self.host_port);
    if (!address) co_return error_code(asio::error::invalid_argument);
    tcp::resolver resolver(self.executor);
    const auto [not_found, found] = co_await resolver.async_resolve(address->host, address->port, no_throw);
    if (not_found) co_return not_found;
    error_code last = asio::error::host_not_found;
    for (const auto& entry : found) {
      const tcp::endpoint endpoint = entry.endpoint();
      Fd fresh(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (!fresh) co_return error_code(errno, boost::system::system_category());
      error_code ignored;
      socket.close(ignored);
      socket.assign(endpoint.protocol(), fresh.release(), ignored);
      const auto [error] = co_await socket.async_connect(endpoint, no_throw);
      last = error;
      if (!last) break;
    }
    if (!last) socket.set_option(tcp::no_delay(true), last);
    co_return last;
  }
  static Async<error_code> connect_in_time(Impl& self, tcp::socket& socket) {
    using namespace asio::experimental::awaitable_operators;
    auto either = connect(self, socket) || sleep_for(connect_limit);
    auto which = co_await std::move(either);
    co_return which.index() == 0 ? std::get<0>(which) : error_code(asio::error::timed_out);
  }

  static Async<> dial(std::shared_ptr<Impl> self, Local::socket plain) {
    tcp::socket socket(self->executor);
    const error_code unreachable = co_await connect_in_time(*self, socket);
    if (unreachable) {
      self->problem = fmt::format("connecting to {}: {}", self->host_port, unreachable.message());
      co_return;
    }
    const NodeTlsOptions options = self->tls->options();
    const auto contexts = self->tls->contexts();
    if (!contexts) co_return;  // turned off meanwhile; whoever calls next connects in another way
    TlsStream stream(std::move(socket), const_cast<ssl::context&>(contexts->client));
    ::SSL_set_tlsext_host_name(stream.native_handle(), server_name(options).c_str());
    error_code error = co_await handshake_in_time(stream, ssl::stream_base::client);
    const bool spoke_tls = ::SSL_get0_peer_certificate(stream.native_handle()) != nullptr;
    if (error && options.upgrade_mode && !spoke_tls) {
      // That one has not been told of TLS yet.
      tcp::socket again(self->executor);
      error = co_await connect_in_time(*self, again);
      if (!error) error = co_await relay(again, plain);
      co_return;
    }
    if (error) {
      self->problem = fmt::format("the TLS handshake with {}: {}", self->host_port, reason_of(stream, error));
      co_return;
    }
    if (options.verify_server_hostname && !is_server(stream, options)) {
      self->problem = fmt::format("the certificate of {} is not for \"{}\": verify_server_hostname is set", self->host_port, server_name(options));
      co_return;
    }
    self->problem.clear();
    const error_code ended = co_await relay(stream, plain);
    // With TLS 1.3 a server says only now that it does not like our certificate.
    if (ended.category() == asio::error::get_ssl_category()) self->problem = fmt::format("server {} ended the TLS connection: {}", self->host_port, ended.message());
  }

  Executor executor;
  std::shared_ptr<const NodeTls> tls;
  std::string host_port;
  std::string problem;
  std::optional<rpc::OwnPlace> place;
  Scope scope;
};

NodeDialer::NodeDialer(Executor executor, std::shared_ptr<const NodeTls> tls, std::string host_port)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(tls), std::move(host_port))) {}

NodeDialer::~NodeDialer() {
  impl_->scope.cancel();
  asio::post(impl_->executor, [impl = impl_] {});
}

Result<std::string> NodeDialer::open() {
  auto place = rpc::OwnPlace::open();
  if (!place) return fail(place.error());
  impl_->place.emplace(std::move(*place));
  impl_->scope.spawn(Impl::accept(impl_));
  return impl_->place->target();
}

const std::string& NodeDialer::problem() const { return impl_->problem; }

}  // namespace drover
