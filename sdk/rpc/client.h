// A connection to a gRPC server: calls by method path with bytes as messages. gRPC's threads only post to the loop.
//
// Cancelling the calling coroutine cancels the call. Destroy a Client on its loop's thread, before the io_context; calls
// that are still under way are cancelled then, and a Stream that outlives its Client is over.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sdk/rpc/stream.h"

namespace drover::rpc {

struct ClientCore;

class Client {
 public:
  // "unix:/path", "host:port" or "ipv4:127.0.0.1:4647". Connects at the first call and again when the connection broke.
  // `watch_peer`: while calls are open, a peer that vanished without a word is noticed by pings; only for servers of our own,
  // since others end connections that ping so often.
  // A message of the peer over `max_receive_bytes` fails its call with Code::resource_exhausted; -1: no limit.
  [[nodiscard]] static std::shared_ptr<Client> connect(Executor executor, const std::string& target, bool watch_peer = false, int max_receive_bytes = -1);
  explicit Client(std::shared_ptr<ClientCore> core);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `path` is "/package.Service/Method"; `deadline` is relative, 0: none.
  [[nodiscard]] Async<Result<std::string>> call(std::string path, std::string request, std::chrono::nanoseconds deadline);
  // Dropping the stream cancels the call.
  [[nodiscard]] std::unique_ptr<Stream> open(const std::string& path);

 private:
  std::shared_ptr<ClientCore> core_;
};

}  // namespace drover::rpc
