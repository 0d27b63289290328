// A place on this machine that only this process connects to: gRPC, which knows no TLS here, is sent to it, and what it says there is
// carried on. Loop only.
#pragma once

#include <string>

#include "sdk/async/asio.h"
#include "sdk/base/fd.h"

namespace drover::rpc {

class OwnPlace {
 public:
  [[nodiscard]] static Result<OwnPlace> open();
  // What gRPC calls it.
  [[nodiscard]] const std::string& target() const { return target_; }
  // The next connection, close-on-exec and non-blocking; those of other processes are turned away. Ends only by cancellation.
  [[nodiscard]] Async<Fd> accept();

 private:
  OwnPlace(Fd listening, std::string target) : listening_(std::move(listening)), target_(std::move(target)) {}
  Fd listening_;
  std::string target_;
};

}  // namespace drover::rpc
