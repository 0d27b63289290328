#include <dlfcn.h>

#include "sdk/base/clock.h"
#include "sdk/base/encoding.h"
#include "sdk/plugin/tls.h"
#include "sdk/plugin/tls_library.h"

namespace drover::plugin {
namespace {

Result<OpenSsl> load() {
  const std::string file = fmt::format("libssl.so.{}", OPENSSL_VERSION_MAJOR);
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // libcrypto comes with it
  if (library == nullptr) return fail(Code::unavailable, "TLS needs OpenSSL: {}", ::dlerror());
  OpenSsl out;
#define DROVER_LOAD(name)                                                                                              \
  out.name = reinterpret_cast<decltype(out.name)>(::dlsym(library, #name));                                            \
  if (out.name == nullptr) return fail(Code::unavailable, "{} has no {}: another version is needed", file, #name);
  DROVER_OPENSSL_FUNCTIONS(DROVER_LOAD)
#undef DROVER_LOAD
  return out;
}

using BioPtr = std::unique_ptr<BIO, int (*)(BIO*)>;
BioPtr memory_of(const OpenSsl& ssl) { return {ssl.BIO_new(ssl.BIO_s_mem()), ssl.BIO_free}; }
BioPtr reader_of(const OpenSsl& ssl, const std::string& text) { return {ssl.BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), ssl.BIO_free}; }

std::string text_of(const OpenSsl& ssl, BIO* memory) {
  char* data = nullptr;
  const long size = ssl.BIO_ctrl(memory, BIO_CTRL_INFO, 0, &data);
  return {data, static_cast<std::size_t>(size)};
}

bool add_extension(const OpenSsl& ssl, X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  ssl.X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  context.db = nullptr;
  const auto extension = own(ssl.X509V3_EXT_conf_nid(nullptr, &context, kind, value), ssl.X509_EXTENSION_free);
  return extension && ssl.X509_add_ext(certificate, extension.get(), -1) == 1;
}

// What go-plugin's certificates say, but for the curve: P-256, which every TLS library takes.
bool fill(const OpenSsl& ssl, X509* certificate, EVP_PKEY* key) {
  Rng rng = Rng::from_system();
  ssl.X509_set_version(certificate, 2);
  ssl.ASN1_INTEGER_set_uint64(ssl.X509_get_serialNumber(certificate), rng.next() >> 1);
  ssl.X509_gmtime_adj(ssl.X509_getm_notBefore(certificate), -30);
  ssl.X509_gmtime_adj(ssl.X509_getm_notAfter(certificate), 262980L * 3600);  // as long as the process may live
  X509_NAME* name = ssl.X509_get_subject_name(certificate);
  const auto add = [&](const char* field, const char* value) {
    return ssl.X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, reinterpret_cast<const unsigned char*>(value), -1, -1, 0) == 1;
  };
  return add("CN", "localhost") && add("O", "HashiCorp") && ssl.X509_set_issuer_name(certificate, name) == 1 && ssl.X509_set_pubkey(certificate, key) == 1 &&
         add_extension(ssl, certificate, NID_basic_constraints, "critical,CA:TRUE") && add_extension(ssl, certificate, NID_subject_alt_name, "DNS:localhost") &&
         add_extension(ssl, certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment,keyAgreement,keyCertSign") &&
         add_extension(ssl, certificate, NID_ext_key_usage, "clientAuth,serverAuth") && ssl.X509_sign(certificate, key, ssl.EVP_sha256()) > 0;
}
}  // namespace

Result<const OpenSsl*> openssl() {
  static const Result<OpenSsl> library = load();
  if (!library) return fail(library.error());
  return &*library;
}

Owned<X509> read_certificate(const OpenSsl& ssl, const std::string& pem) {
  return own(ssl.PEM_read_bio_X509(reader_of(ssl, pem).get(), nullptr, nullptr, nullptr), ssl.X509_free);
}

Owned<EVP_PKEY> read_key(const OpenSsl& ssl, const std::string& pem) {
  return own(ssl.PEM_read_bio_PrivateKey(reader_of(ssl, pem).get(), nullptr, nullptr, nullptr), ssl.EVP_PKEY_free);
}

Result<Identity> make_identity() {
  const auto library = openssl();
  if (!library) return fail(library.error());
  const OpenSsl& ssl = **library;
  const auto key = own(ssl.EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), ssl.EVP_PKEY_free);
  const auto certificate = own(ssl.X509_new(), ssl.X509_free);
  if (!key || !certificate || !fill(ssl, certificate.get(), key.get())) return fail(Code::internal, "making a certificate: OpenSSL refused");
  const BioPtr first = memory_of(ssl), second = memory_of(ssl);
  ssl.PEM_write_bio_X509(first.get(), certificate.get());
  ssl.PEM_write_bio_PrivateKey(second.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return Identity{text_of(ssl, first.get()), text_of(ssl, second.get())};
}

Result<std::string> to_field(const std::string& certificate) {
  const auto library = openssl();
  if (!library) return fail(library.error());
  const auto object = read_certificate(**library, certificate);
  if (!object) return fail(Code::invalid_argument, "this is no certificate in PEM");
  std::string der(static_cast<std::size_t>((*library)->i2d_X509(object.get(), nullptr)), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  (*library)->i2d_X509(object.get(), &at);
  std::string out = base64_encode(der);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

Result<std::string> from_field(std::string field) {
  const auto library = openssl();
  if (!library) return fail(library.error());
  while (field.size() % 4 != 0) field += '=';
  const auto der = base64_decode(field);
  if (!der) return fail(der.error(), "field 6 of the handshake");
  const auto* bytes = reinterpret_cast<const unsigned char*>(der->data());
  const auto object = own((*library)->d2i_X509(nullptr, &bytes, static_cast<long>(der->size())), (*library)->X509_free);
  if (!object) return fail(Code::invalid_argument, "field 6 of the handshake is no certificate");
  const BioPtr memory = memory_of(**library);
  (*library)->PEM_write_bio_X509(memory.get(), object.get());
  return text_of(**library, memory.get());
}

}  // namespace drover::plugin
