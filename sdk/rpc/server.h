// A gRPC server whose handlers are coroutines on the loop, registered by method path; messages are bytes.
//
// Every call runs in the server's Scope and is cancelled when the caller goes away. `co_await stop()` before destroying it;
// destroy it on the loop's thread, before the io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sdk/base/fd.h"
#include "sdk/rpc/client.h"
#include "sdk/rpc/stream.h"

namespace drover::rpc {

class Server {
 public:
  using UnaryHandler = std::function<Async<Result<std::string>>(CallInfo info, std::string request)>;
  using StreamHandler = std::function<Async<Result<>>(CallInfo info, Stream& stream)>;

  explicit Server(Executor executor);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Register before listening. Other paths answer UNIMPLEMENTED.
  void handle(std::string path, UnaryHandler handler);
  void handle_stream(std::string path, StreamHandler handler);
  // "unix:/path" or "host:port"; accepts connections when it returns. Yields the port (0 for a unix socket).
  [[nodiscard]] Result<int> listen(const std::string& address);
  // Serves a connected stream socket, as if it had come in at a listener.
  void adopt(Fd connection);
  // The same for another agent, which pings; its calls are known as coming from a server or not.
  void adopt_agent(Fd connection, bool from_server);
  // A client in this process; the server need not listen and must outlive it.
  [[nodiscard]] std::shared_ptr<Client> in_process();
  // Cancels the handlers, waits for them, then closes the listeners.
  [[nodiscard]] Async<> stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::rpc
