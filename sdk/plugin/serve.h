// A plugin's side of the handshake: what the main() of any plugin comes down to (protocol 1, 2).
//
// Checks the magic cookie, moves stdout out of the way of libraries, listens on a private socket, prints the handshake line,
// answers health, controller, stdio and broker, and runs the loop until the host asks it to stop or SIGTERM comes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sdk/async/asio.h"
#include "sdk/base/log.h"

namespace drover::rpc { class Server; }

namespace drover::plugin {

// What a kind of plugin adds to the process.
class Service {
 public:
  virtual ~Service() = default;
  virtual void add_to(rpc::Server& server) = 0;
  // Before the server ends; at most 2 s.
  [[nodiscard]] virtual Async<> close() = 0;
};

using ServiceFactory = std::function<std::unique_ptr<Service>(Executor executor, Logger log)>;
// `what` is for people who start the program by hand: "the task driver raw_exec".
[[nodiscard]] int serve(const std::string& name, const std::string& what, const ServiceFactory& make);

}  // namespace drover::plugin
