// TLS settings of a listener or client, as file names. Files are read when the listener is opened or reload_tls() is called.
#pragma once

#include <string>

namespace drover::http {

struct TlsServerOptions {
  std::string certificate_file;  // PEM chain
  std::string key_file;
  std::string ca_file;           // for client certificates
  bool verify_client = false;
  std::string min_version = "tls12";  // tls12 or tls13

  friend bool operator==(const TlsServerOptions&, const TlsServerOptions&) = default;
};

struct TlsClientOptions {
  std::string ca_file;
  std::string ca_path;
  std::string certificate_file;
  std::string key_file;
  std::string server_name;  // SNI and name to verify; empty takes the host
  bool skip_verify = false;
};

}  // namespace drover::http
