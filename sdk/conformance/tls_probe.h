// Speaks TLS to a plugin's socket, as a host that offers AutoMTLS does (protocol 1.7), without gRPC. Loop only.
#pragma once

#include <string>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::conformance {

// A key pair with a self-signed certificate, as hosts make them: ECDSA P-521, valid for localhost.
struct Identity {
  std::string certificate_pem, key_pem;
};
[[nodiscard]] Result<Identity> make_identity();

// Connects, verifies the server against `server_certificate` (unpadded base64 of the DER form) and the name localhost, and
// exchanges the first frames of HTTP/2 over TLS 1.3 or 1.2. An error says where it stopped.
[[nodiscard]] Async<Result<>> speak_tls(std::string socket_path, Identity client, std::string server_certificate, bool version_1_3);

}  // namespace drover::conformance
