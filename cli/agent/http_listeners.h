// The agent's HTTP listeners: one for each address, with TLS when the configuration says so, and what a reload changes of them.
#pragma once

#include <optional>
#include <vector>

#include "agent/config/config.h"
#include "lib/http/server.h"

namespace drover::cli {

class HttpListeners {
 public:
  explicit HttpListeners(http::Server& server) : server_(server) {}

  [[nodiscard]] Result<> open(const agent::Config& config);
  // The certificates are read again (A-12: a pair that does not fit leaves the old one); another `tls` block replaces the listeners.
  // Connections that are open go on.
  [[nodiscard]] Result<> reload(const agent::Config& config);

 private:
  [[nodiscard]] Result<> listen(const std::optional<http::TlsServerOptions>& tls);

  http::Server& server_;
  std::vector<std::string> addresses_;
  std::uint16_t port_ = 0;
  std::optional<http::TlsServerOptions> tls_;
  std::vector<http::ListenerId> open_;
};

}  // namespace drover::cli
