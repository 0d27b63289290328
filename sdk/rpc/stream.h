// One side of a gRPC call as a stream of byte messages, and what a handler knows about the call. Loop only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover {

struct CallInfo {
  std::string method;
  std::string peer;                   // "ipv4:10.0.0.1:40000"; empty in process
  std::chrono::nanoseconds time_left{0};  // until the caller's deadline; 0: it set none
  bool from_server = true;            // false: the caller's certificate says that it is no server (N-079)
};

namespace rpc {

class Stream {
 public:
  virtual ~Stream() = default;
  // The next message; empty when the other side has closed or the call is over.
  [[nodiscard]] virtual Async<std::optional<std::string>> receive() = 0;
  // Returns when the message is on its way; false when the call is over.
  [[nodiscard]] virtual Async<bool> send(std::string message) = 0;
  // Caller: half-closes, nothing more will be sent. Handler: does nothing, its return ends the call.
  virtual void close_send() = 0;
  // Caller: how the call ended, once receive() gave nothing.
  [[nodiscard]] virtual Result<> status() const = 0;
};

}  // namespace rpc
}  // namespace drover
