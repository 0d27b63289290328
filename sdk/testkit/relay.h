// Passes every call of a plugin's services on to a server in the same process, with something in between that may spoil it: how
// plugins that misbehave on purpose are made of drivers that do not. Loop only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sdk/rpc/server.h"

namespace drover::testkit {

// What becomes of an unary call before it reaches the driver.
struct Intercepted {
  std::optional<Result<std::string>> answer;  // given instead of the driver's
  bool hang = false;                          // no answer ever
};

// Sees every message on its way, as bytes of the protocol. `path` is the whole method path.
class Meddler {
 public:
  virtual ~Meddler() = default;
  // May change the request.
  [[nodiscard]] virtual Intercepted before(std::string_view path, std::string& request) = 0;
  virtual void after(std::string_view path, const std::string& request, Result<std::string>& answer) = 0;
  virtual void opened_stream(std::string_view path) = 0;
  // A message of a stream on its way to the driver or back; false: it is dropped.
  [[nodiscard]] virtual bool to_driver(std::string_view path, std::string& message) = 0;
  [[nodiscard]] virtual bool to_host(std::string_view path, std::string& message) = 0;
  // How the stream is over for the host after so many messages to it; empty: it goes on.
  [[nodiscard]] virtual std::optional<Result<>> ends_stream(std::string_view path, std::size_t messages) = 0;
};

class Relay {
 public:
  // Both outlive the server the Relay is added to.
  Relay(rpc::Client& driver, Meddler& meddler) : driver_(driver), meddler_(meddler) {}
  // Every method of the base and the driver service.
  void add_to(rpc::Server& host);

 private:
  Async<Result<std::string>> answer(std::string path, std::string request);
  Async<Result<>> stream(std::string path, rpc::Stream& host);
  Async<> to_driver(const std::string& path, rpc::Stream& host, rpc::Stream& driver);
  Async<Result<>> to_host(const std::string& path, rpc::Stream& driver, rpc::Stream& host);

  rpc::Client& driver_;
  Meddler& meddler_;
};

}  // namespace drover::testkit
