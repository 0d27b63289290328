// TLS between a host and a plugin (protocol 1.7): each makes a certificate of its own and trusts the other's, and nothing else. The
// certificates travel in the environment and in the handshake line. gRPC knows nothing of it: a relay carries each connection. Loop only.
//
// OpenSSL is loaded when it is first asked for, so a process that needs no TLS maps none of it (docs/adr/0010-plugin-tls.md).
#pragma once

#include <string>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover::plugin {

// A key pair with a self-signed certificate for "localhost", in PEM.
struct Identity {
  std::string certificate, key;
  friend bool operator==(const Identity&, const Identity&) = default;
};
[[nodiscard]] Result<Identity> make_identity();

// The form of the handshake's sixth field, unpadded base64 of the certificate's DER form, and back.
[[nodiscard]] Result<std::string> to_field(const std::string& certificate);
[[nodiscard]] Result<std::string> from_field(std::string field);

enum class TlsSide { client, server };
// Shakes hands over `secure`, a connected socket, then carries bytes between both until one side ends. `peer` is the one certificate
// to trust. An error: the handshake failed, and why. The process must ignore SIGPIPE: OpenSSL writes to a peer that may be gone.
[[nodiscard]] Async<Result<>> relay_tls(Fd plain, Fd secure, TlsSide side, Identity own, std::string peer);

}  // namespace drover::plugin
