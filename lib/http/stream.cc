#include "lib/http/stream.h"

#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>

#include <array>

namespace drover::http {

namespace ssl = boost::asio::ssl;

namespace {
// Runs one step of setting up a context and names what went wrong.
Result<> step(const error_code& error, std::string_view what, const std::string& file) {
  if (!error) return {};
  return fail(Code::invalid_argument, "{} \"{}\": {}", what, file, error.message());
}

Result<> load_identity(ssl::context& context, const std::string& certificate, const std::string& key) {
  if (certificate.empty() && key.empty()) return {};
  error_code error;
  context.use_certificate_chain_file(certificate, error);
  DROVER_TRY(step(error, "reading certificate", certificate));
  context.use_private_key_file(key, ssl::context::pem, error);
  return step(error, "reading key", key);
}
}  // namespace

Result<SslContext> make_server_context(const TlsServerOptions& options) {
  auto out = std::make_shared<ssl::context>(ssl::context::tls_server);
  const int oldest = options.min_version == "tls13" ? TLS1_3_VERSION : TLS1_2_VERSION;
  ::SSL_CTX_set_min_proto_version(out->native_handle(), oldest);
  error_code error;
  DROVER_TRY(load_identity(*out, options.certificate_file, options.key_file));
  if (!options.ca_file.empty()) {
    out->load_verify_file(options.ca_file, error);
    DROVER_TRY(step(error, "reading CA file", options.ca_file));
  }
  if (options.verify_client) out->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  return out;
}

Result<SslContext> make_client_context(const TlsClientOptions& options) {
  auto out = std::make_shared<ssl::context>(ssl::context::tls_client);
  ::SSL_CTX_set_min_proto_version(out->native_handle(), TLS1_2_VERSION);
  error_code error;
  if (!options.ca_file.empty()) {
    out->load_verify_file(options.ca_file, error);
    DROVER_TRY(step(error, "reading CA file", options.ca_file));
  } else if (!options.ca_path.empty()) {
    out->add_verify_path(options.ca_path, error);
    DROVER_TRY(step(error, "reading CA folder", options.ca_path));
  } else {
    out->set_default_verify_paths(error);
  }
  DROVER_TRY(load_identity(*out, options.certificate_file, options.key_file));
  return out;
}

Async<Result<>> AnyStream::accept_tls(SslContext context) {
  context_ = std::move(context);
  tls_ = std::make_unique<ssl::stream<Socket&>>(socket_, *context_);
  const auto [error] = co_await tls_->async_handshake(ssl::stream_base::server, no_throw);
  if (error) co_return fail(Code::unavailable, "TLS handshake: {}", error.message());
  co_return Result<>();
}

Async<Result<>> AnyStream::connect_tls(SslContext context, std::string name, bool verify) {
  context_ = std::move(context);
  tls_ = std::make_unique<ssl::stream<Socket&>>(socket_, *context_);
  error_code ignored;
  ::SSL_set_tlsext_host_name(tls_->native_handle(), name.c_str());
  if (verify) {
    tls_->set_verify_mode(ssl::verify_peer, ignored);
    tls_->set_verify_callback(ssl::host_name_verification(name), ignored);
  } else {
    tls_->set_verify_mode(ssl::verify_none, ignored);
  }
  const auto [error] = co_await tls_->async_handshake(ssl::stream_base::client, no_throw);
  if (error) co_return fail(Code::unavailable, "TLS handshake with \"{}\": {}", name, error.message());
  co_return Result<>();
}

Async<bool> read_more(AnyStream& stream, std::string& buffer, std::size_t at_most) {
  const auto old = buffer.size();
  buffer.resize(old + at_most);
  const auto [error, size] = co_await stream.async_read_some(asio::buffer(buffer.data() + old, at_most), no_throw);
  buffer.resize(old + size);
  // An operation cancelled from outside must unwind, not look like the end of the stream.
  if (error == asio::error::operation_aborted) co_await throw_if_cancelled();
  co_return !error && size > 0;
}

Async<bool> write_all(AnyStream& stream, std::string_view head, std::string_view body) {
  auto sent = stream.try_write(head, body);
  if (sent == head.size() + body.size()) co_return true;
  if (sent >= head.size()) {
    body.remove_prefix(sent - head.size());
    head = {};
  } else {
    head.remove_prefix(sent);
  }
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
  const auto [error, size] = co_await asio::async_write(stream, parts, no_throw);
  if (error == asio::error::operation_aborted) co_await throw_if_cancelled();
  co_return !error;
}

}  // namespace drover::http
