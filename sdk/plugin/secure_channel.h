// TLS below a gRPC that has none, on both sides (protocol 1.7): connections to a plugin's socket are carried over TLS. Loop only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sdk/async/scope.h"
#include "sdk/base/log.h"
#include "sdk/plugin/tls.h"

namespace drover::rpc { class Server; }

namespace drover::plugin {

// The plugin's side: takes connections at a socket of its own, and gives to the server those of the one client it trusts.
class TlsListener {
 public:
  TlsListener(Executor executor, Logger log, rpc::Server& server, Identity own, std::string client);
  ~TlsListener();
  TlsListener(const TlsListener&) = delete;
  TlsListener& operator=(const TlsListener&) = delete;
  // Accepts connections when it returns.
  [[nodiscard]] Result<> listen(const std::string& path);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Serves at the socket, over TLS when the host has a certificate for it (PLUGIN_CLIENT_CERT); yields the handshake's field 6.
[[nodiscard]] Result<std::string> listen_for_host(const std::string& path, const std::string& certificate, rpc::Server& server, const Executor& executor,
                                                  const Logger& log, std::optional<TlsListener>& tls);

// The host's side: a place for this process's gRPC client alone, whose connections go over TLS to the plugin's socket.
class TlsDialer {
 public:
  // `server` is the plugin's certificate.
  TlsDialer(Executor executor, Logger log, std::string socket, Identity own, std::string server);
  ~TlsDialer();
  TlsDialer(const TlsDialer&) = delete;
  TlsDialer& operator=(const TlsDialer&) = delete;
  // The target for gRPC.
  [[nodiscard]] Result<std::string> open();
  // Whether hands could not be shaken.
  [[nodiscard]] bool refused() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// P-11: who listens at a unix socket is this process or one that it started, under our user.
[[nodiscard]] Result<> check_peer(const std::string& socket, int pid);

}  // namespace drover::plugin
