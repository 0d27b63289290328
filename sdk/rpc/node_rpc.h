// The RPC between node roles: one unary and one bidirectional method over gRPC on the one port, whose payload is bytes.
//
// Both ends live on their loop; handlers and callers are coroutines there, gRPC's threads only post to it. An Error returned
// by a handler arrives at the caller with the same code, message, errno, http_status and recoverable flag. Cancelling a
// caller's coroutine cancels the handler's. Destroy servers and clients before their io_context; `co_await stop()` first.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"
#include "sdk/rpc/node_tls.h"
#include "sdk/rpc/stream.h"

namespace drover {

// One side of a stream of messages. Closed by its destructor.
class NodeStream {
 public:
  virtual ~NodeStream() = default;
  // The next message; empty when the other side has closed, the connection broke or the deadline passed: see end().
  [[nodiscard]] virtual Async<std::optional<std::string>> receive() = 0;
  // Returns when the message is on its way (back-pressure); false when the stream is over.
  [[nodiscard]] virtual Async<bool> send(std::string message) = 0;
  // Nothing more will be sent. The caller's side may go on receiving; a handler's side ends when the handler returns.
  virtual void close() = 0;
  // How the stream ended, once receive() gave nothing: the handler's result, or why the connection broke.
  [[nodiscard]] virtual Result<> end() const = 0;
};

class NodeRpcServer {
 public:
  using UnaryHandler = std::function<Async<Result<std::string>>(CallInfo info, std::string payload)>;
  // The first receive() yields the payload the caller opened the stream with. The stream outlives the handler's coroutine.
  using StreamHandler = std::function<Async<Result<>>(CallInfo info, NodeStream& stream)>;

  explicit NodeRpcServer(Executor executor);
  ~NodeRpcServer();
  NodeRpcServer(const NodeRpcServer&) = delete;
  NodeRpcServer& operator=(const NodeRpcServer&) = delete;

  // Register before listen(). A call of an unknown method fails with Code::unimplemented.
  void handle(std::string method, UnaryHandler handler);
  void handle_stream(std::string method, StreamHandler handler);
  // "host:port"; may be called for several addresses. Port 0 takes a free one, see port().
  [[nodiscard]] Result<> listen(const std::string& host_port);
  // The same over TLS; `tls` may turn it off later, and on again.
  [[nodiscard]] Result<> listen_tls(const std::string& host_port, std::shared_ptr<const NodeTls> tls, const Logger& log);
  // Methods whose names begin so are refused to callers that are no servers (N-079).
  void set_servers_only(std::vector<std::string> prefixes);
  // Port of the last listen().
  [[nodiscard]] int port() const;
  // Cancels running handlers, waits for them, and closes the listeners.
  [[nodiscard]] Async<> stop();

 private:
  friend class NodeRpcClient;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class NodeRpcClient {
 public:
  // Does not wait for the connection: an unreachable server shows as Code::unavailable at the first call, and later calls
  // connect again by themselves.
  // `tls`: null, or whether and how connections from now on are encrypted.
  [[nodiscard]] static std::unique_ptr<NodeRpcClient> connect(Executor executor, const std::string& host_port, std::shared_ptr<const NodeTls> tls = nullptr);
  // Calls in this process through gRPC's in-process channel; the server need not listen. It must outlive the client.
  [[nodiscard]] static std::unique_ptr<NodeRpcClient> in_process(Executor executor, NodeRpcServer& server);
  ~NodeRpcClient();

  // `deadline` is relative; 0 means none.
  [[nodiscard]] Async<Result<std::string>> call(std::string method, std::string payload, std::chrono::nanoseconds deadline);
  [[nodiscard]] Async<Result<std::unique_ptr<NodeStream>>> open(std::string method, std::string first_payload);

 private:
  struct Impl;
  explicit NodeRpcClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover
