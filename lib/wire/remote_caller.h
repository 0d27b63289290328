// Calls endpoints of servers in other processes over gRPC, or of this process's server through the in-process channel.
// A server that cannot be reached, or does not lead, is followed by the next one. Loop only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/wire/caller.h"
#include "lib/wire/streams.h"
#include "sdk/rpc/node_rpc.h"

namespace drover::wire {

class RemoteCaller final : public Caller, public StreamOpener {
 public:
  // `servers`: host:port of their RPC listeners, in the order to try. `tls` as NodeRpcClient takes it.
  RemoteCaller(Executor executor, std::vector<std::string> servers, std::shared_ptr<const NodeTls> tls = nullptr);
  // The in-process channel; `server` outlives the caller.
  RemoteCaller(Executor executor, NodeRpcServer& server);
  ~RemoteCaller() override;

  [[nodiscard]] const std::vector<std::string>& servers() const { return servers_; }
  // More servers to try, behind those that are known already.
  void learn(const std::vector<std::string>& servers);

  // A call as bytes, made once.
  [[nodiscard]] Async<Result<std::string>> send(std::string method, std::string payload, Duration limit);

 private:
  [[nodiscard]] const Registry* local() const override { return nullptr; }
  [[nodiscard]] Async<Result<std::string>> call_bytes(std::string method, std::string payload, Duration limit, bool write) override;
  // To the server that answered last.
  [[nodiscard]] Async<Result<std::unique_ptr<NodeStream>>> open_bytes(std::string name, std::string payload) override;

  Executor executor_;
  std::shared_ptr<const NodeTls> tls_;
  std::vector<std::string> servers_;
  std::vector<std::shared_ptr<NodeRpcClient>> clients_;
  std::size_t current_ = 0;
};

// Registers every handler of `registry` with the RPC server.
void serve_registry(const Registry& registry, NodeRpcServer& server);

}  // namespace drover::wire
