#include "sdk/conformance/tls_probe.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "sdk/base/clock.h"
#include "sdk/base/encoding.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
namespace ssl = asio::ssl;

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

bool add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key) {
  Rng rng = Rng::from_system();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), rng.next() >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -30);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24L * 3600);
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, const char* value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, reinterpret_cast<const unsigned char*>(value), -1, -1, 0) == 1;
  };
  return add("CN", "localhost") && add("O", "HashiCorp") && X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") && add_extension(certificate, NID_subject_alt_name, "DNS:localhost") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment,keyAgreement,keyCertSign") &&
         add_extension(certificate, NID_ext_key_usage, "clientAuth,serverAuth") && X509_sign(certificate, key, EVP_sha512()) > 0;
}

// Field 6 to the PEM form that OpenSSL trusts.
Result<std::string> pem_of(std::string base64) {
  while (base64.size() % 4 != 0) base64 += '=';
  const auto der = base64_decode(base64);
  if (!der) return fail(der.error(), "field 6 of the handshake");
  const auto* bytes = reinterpret_cast<const unsigned char*>(der->data());
  const Owned<X509> certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der->size())));
  if (!certificate) return fail(Code::invalid_argument, "field 6 of the handshake is no certificate");
  const Owned<BIO> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate.get());
  return text_of(memory.get());
}

Async<Result<>> talk(std::string socket_path, Identity client, std::string server_pem, bool version_1_3) {
  ssl::context context(ssl::context::tls_client);
  const int version = version_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  SSL_CTX_set_min_proto_version(context.native_handle(), version);
  SSL_CTX_set_max_proto_version(context.native_handle(), version);
  boost::system::error_code error;
  context.add_certificate_authority(asio::buffer(server_pem), error);
  context.use_certificate(asio::buffer(client.certificate_pem), ssl::context::pem, error);
  if (!error) context.use_private_key(asio::buffer(client.key_pem), ssl::context::pem, error);
  if (error) co_return fail(Code::internal, "preparing TLS: {}", error.message());
  context.set_verify_mode(ssl::verify_peer, error);
  static constexpr unsigned char protocols[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.native_handle(), protocols, sizeof protocols);
  ssl::stream<asio::local::stream_protocol::socket> stream(co_await asio::this_coro::executor, context);
  SSL_set_tlsext_host_name(stream.native_handle(), "localhost");
  SSL_set1_host(stream.native_handle(), "localhost");
  const auto [refused] = co_await stream.lowest_layer().async_connect(asio::local::stream_protocol::endpoint(socket_path), no_throw);
  if (refused) co_return fail(Code::unavailable, "connecting to \"{}\": {}", socket_path, refused.message());
  const auto [handshake] = co_await stream.async_handshake(ssl::stream_base::client, no_throw);
  if (handshake) co_return fail(Code::unavailable, "the TLS handshake: {}", handshake.message());
  // The preface of HTTP/2 and an empty SETTINGS frame; with TLS 1.3 a refused certificate shows at the first answer.
  static constexpr char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  const auto [unwritten, sent] = co_await asio::async_write(stream, asio::buffer(preface, sizeof preface - 1), no_throw);
  if (unwritten) co_return fail(Code::unavailable, "writing over TLS: {}", unwritten.message());
  char frame[9];
  const auto [unread, size] = co_await asio::async_read(stream, asio::buffer(frame), no_throw);
  if (unread) co_return fail(Code::unavailable, "reading over TLS: {}", unread.message());
  if (frame[3] != 4) co_return fail(Code::unavailable, "the server's first frame has type {} instead of SETTINGS", static_cast<int>(frame[3]));
  co_return Result<>{};
}
}  // namespace

Result<Identity> make_identity() {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-521"));
  const Owned<X509> certificate(X509_new());
  if (!key || !certificate || !fill(certificate.get(), key.get())) return fail(Code::internal, "making a certificate: OpenSSL refused");
  const Owned<BIO> certificate_text(BIO_new(BIO_s_mem())), key_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_text.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return Identity{text_of(certificate_text.get()), text_of(key_text.get())};
}

Async<Result<>> speak_tls(std::string socket_path, Identity client, std::string server_certificate, bool version_1_3) {
  auto pem = pem_of(std::move(server_certificate));
  if (!pem) co_return fail(pem.error());
  using namespace asio::experimental::awaitable_operators;
  auto limited = talk(std::move(socket_path), std::move(client), std::move(*pem), version_1_3) || sleep_for(10s);
  auto first = co_await std::move(limited);
  if (first.index() == 1) co_return fail(Code::deadline_exceeded, "no answer over TLS within 10 s");
  co_return std::move(std::get<0>(first));
}

}  // namespace drover::conformance
