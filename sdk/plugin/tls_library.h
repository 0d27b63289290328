// OpenSSL's functions by pointer, loaded at run time; their types are those of its headers. Included only by this folder's .cc files.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "sdk/base/error.h"

namespace drover::plugin {

#define DROVER_OPENSSL_FUNCTIONS(X)                                                                                                          \
  X(TLS_client_method) X(TLS_server_method) X(SSL_CTX_new) X(SSL_CTX_free) X(SSL_CTX_ctrl) X(SSL_CTX_set_options) X(SSL_CTX_set_verify)      \
  X(SSL_CTX_use_certificate) X(SSL_CTX_use_PrivateKey) X(SSL_CTX_get_cert_store) X(SSL_CTX_set_alpn_select_cb) X(SSL_CTX_set_num_tickets)    \
  X(SSL_new) X(SSL_free) X(SSL_set_fd) X(SSL_ctrl) X(SSL_set_alpn_protos) X(SSL_set1_host) X(SSL_accept) X(SSL_connect) X(SSL_read)          \
  X(SSL_write) X(SSL_get_error) X(SSL_shutdown) X(SSL_select_next_proto) X(SSL_get_verify_result) X(X509_verify_cert_error_string)           \
  X(X509_STORE_add_cert) X(ERR_clear_error) X(ERR_peek_last_error) X(ERR_reason_error_string) X(EVP_PKEY_Q_keygen) X(EVP_PKEY_free)          \
  X(EVP_sha256) X(X509_new) X(X509_free) X(X509_set_version) X(ASN1_INTEGER_set_uint64) X(X509_get_serialNumber) X(X509_gmtime_adj)          \
  X(X509_getm_notBefore) X(X509_getm_notAfter) X(X509_get_subject_name) X(X509_NAME_add_entry_by_txt) X(X509_set_issuer_name)                \
  X(X509_set_pubkey) X(X509V3_set_ctx) X(X509V3_EXT_conf_nid) X(X509_add_ext) X(X509_EXTENSION_free) X(X509_sign) X(BIO_new) X(BIO_s_mem)    \
  X(BIO_new_mem_buf) X(BIO_free) X(BIO_ctrl) X(PEM_write_bio_X509) X(PEM_write_bio_PrivateKey) X(PEM_read_bio_X509)                          \
  X(PEM_read_bio_PrivateKey) X(i2d_X509) X(d2i_X509)

struct OpenSsl {
#define DROVER_DECLARE(name) decltype(&::name) name = nullptr;
  DROVER_OPENSSL_FUNCTIONS(DROVER_DECLARE)
#undef DROVER_DECLARE
};

// The library, loaded once in a process.
[[nodiscard]] Result<const OpenSsl*> openssl();

// Owns one of OpenSSL's objects.
template <class T>
struct Release {
  void (*free)(T*);
  void operator()(T* object) const { free(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Release<T>>;
template <class T>
Owned<T> own(T* object, void (*free)(T*)) { return Owned<T>(object, Release<T>{free}); }

// Objects of their PEM form; null when it is none.
[[nodiscard]] Owned<X509> read_certificate(const OpenSsl& ssl, const std::string& pem);
[[nodiscard]] Owned<EVP_PKEY> read_key(const OpenSsl& ssl, const std::string& pem);

}  // namespace drover::plugin
