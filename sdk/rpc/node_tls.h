// Mutual TLS for the RPC between agents (client contract 1, A-11): one certificate an agent, all of one CA. gRPC knows nothing of it, as with
// plugins (docs/adr/0011-plugin-tls.md): a relay carries each connection. Loop only.
//
// A certificate says what its owner is by its names: "server.<region>.nomad" is a server of the region. With `verify_server_hostname`
// only such one is spoken to as a server, and only such one may call what servers ask each other (N-079); without it every
// certificate of the CA may do everything.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sdk/async/asio.h"
#include "sdk/base/fd.h"
#include "sdk/base/log.h"

namespace drover {

struct NodeTlsOptions {
  bool enabled = false;
  std::string ca_file, certificate_file, key_file;  // PEM; the certificate may be a chain
  std::string min_version;                          // "tls12", which is also what empty means, or "tls13"
  std::string region;
  bool verify_server_hostname = false;
  bool upgrade_mode = false;  // others need not speak TLS yet
  friend bool operator==(const NodeTlsOptions&, const NodeTlsOptions&) = default;
};

// What an agent has of it, for all its listeners and connections.
class NodeTls {
 public:
  // Errors name the file and what is the matter with it.
  [[nodiscard]] static Result<std::shared_ptr<NodeTls>> load(NodeTlsOptions options);
  // Reads the files again, for connections that begin from now on. After an error everything is as it was.
  [[nodiscard]] Result<> reload(NodeTlsOptions options);
  [[nodiscard]] const NodeTlsOptions& options() const { return options_; }

  struct Contexts;  // OpenSSL's
  [[nodiscard]] std::shared_ptr<const Contexts> contexts() const { return contexts_; }

 private:
  NodeTls(NodeTlsOptions options, std::shared_ptr<const Contexts> contexts) : options_(std::move(options)), contexts_(std::move(contexts)) {}
  NodeTlsOptions options_;
  std::shared_ptr<const Contexts> contexts_;
};

// Takes connections at TCP addresses, and hands over what they say in plain: a connected socket, and whether a server is behind it.
class NodeListener {
 public:
  using Adopt = std::function<void(Fd connection, bool from_server)>;
  NodeListener(Executor executor, Logger log, std::shared_ptr<const NodeTls> tls, Adopt adopt);
  ~NodeListener();
  NodeListener(const NodeListener&) = delete;
  NodeListener& operator=(const NodeListener&) = delete;
  // "host:port"; accepts connections when it returns. Yields the port.
  [[nodiscard]] Result<int> listen(const std::string& host_port);
  // No more connections, and those that are go.
  [[nodiscard]] Async<> close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// A place for this process's gRPC alone, whose connections go over TLS to a server.
class NodeDialer {
 public:
  NodeDialer(Executor executor, std::shared_ptr<const NodeTls> tls, std::string host_port);
  ~NodeDialer();
  NodeDialer(const NodeDialer&) = delete;
  NodeDialer& operator=(const NodeDialer&) = delete;
  // The target for gRPC.
  [[nodiscard]] Result<std::string> open();
  // Why the last connection could not be made; empty when it could.
  [[nodiscard]] const std::string& problem() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover
