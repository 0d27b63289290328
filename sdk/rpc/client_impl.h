// What a Client and the calls it started share. Included only by this folder's .cc files.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <vector>

#include "sdk/rpc/bridge_impl.h"

namespace drover::rpc {

class ClientCall {
 public:
  virtual ~ClientCall() = default;
  // Cancels the call and lets its coroutine go on with Code::unavailable.
  virtual void give_up() = 0;
};

struct ClientCore {
  ClientCore(Executor executor, std::shared_ptr<grpc::Channel> connection)
      : gate(std::make_shared<Gate>(std::move(executor))), channel(std::move(connection)), stub(channel) {}
  void forget(ClientCall* call);

  std::shared_ptr<Gate> gate;
  std::shared_ptr<grpc::Channel> channel;
  grpc::GenericStub stub;
  std::vector<ClientCall*> calls;  // loop only
  bool closed = false;
};

[[nodiscard]] grpc::ChannelArguments channel_arguments(int max_receive_bytes);

// Pings over connections between our own agents: one that broke without a word is noticed within 30 s on either side.
template <class Set>
void set_keepalive(Set set) {
  set(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
}

}  // namespace drover::rpc
