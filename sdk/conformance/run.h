// One process of the plugin under test, started as a host would, with every detail of the start changeable. Loop only.
//
// Its stdout and stderr are pipes that are read all the time, its directory is its own. Dropping the Run kills the process.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/process.h"
#include "sdk/rpc/typed.h"

namespace drover::conformance {

struct Start {
  std::string executable;
  std::vector<std::string> arguments;
  std::string directory;                            // for the socket; made 0700
  std::map<std::string, std::string> environment;   // complete but for what a host sets
  std::map<std::string, std::string> changed;       // of what a host sets; last word
  std::vector<std::string> without;                 // of what a host sets
};

class Run {
 public:
  struct State;
  [[nodiscard]] static Result<std::shared_ptr<Run>> spawn(Executor executor, Start start);
  explicit Run(std::shared_ptr<State> state);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Waits for the first line on stdout; false when `limit` passed or the process ended before. Repeatable.
  [[nodiscard]] Async<bool> handshake(std::chrono::nanoseconds limit);
  // The first line with its end, or what there is of it.
  [[nodiscard]] std::string first_output() const;
  [[nodiscard]] std::vector<std::string> fields() const;  // of the first line
  [[nodiscard]] std::chrono::nanoseconds handshake_time() const;
  // "unix:/path" or "ipv4:127.0.0.1:port" of the handshake; the error says what is wrong with the line.
  [[nodiscard]] Result<std::string> target() const;

  // The connection of this host, made at the first use; handshake() must have succeeded.
  [[nodiscard]] rpc::Client& client();
  [[nodiscard]] std::shared_ptr<rpc::Client> another_connection() const;
  template <class Rep, class Req>
  Async<Result<Rep>> call(std::string path, Req request, std::chrono::nanoseconds limit = std::chrono::seconds(30)) {
    auto reply = co_await rpc::call_typed<Rep, Req>(client(), std::move(path), request, limit);
    co_return reply;
  }

  [[nodiscard]] pid_t pid() const;
  [[nodiscard]] bool alive() const;
  [[nodiscard]] Async<bool> ended_within(std::chrono::nanoseconds limit);
  [[nodiscard]] const ExitStatus& exit_status() const;
  // "exit status 2" or "killed by signal 9"; "still running".
  [[nodiscard]] std::string end_text() const;
  // end_text() and the last lines on stderr.
  [[nodiscard]] std::string epitaph() const;
  // What came on stderr, also after the Run is gone.
  [[nodiscard]] std::shared_ptr<const std::string> stderr_text() const;
  void signal(int number);
  // From now on what the plugin writes to stderr finds no reader.
  void break_stderr();

  // Asks the controller to shut down; false when the process did not end within `limit` and was killed.
  [[nodiscard]] Async<bool> shut_down(std::chrono::nanoseconds limit);
  [[nodiscard]] Async<> kill();

 private:
  std::shared_ptr<State> state_;
};
using RunPtr = std::shared_ptr<Run>;

// What a host sets in the environment of a plugin (protocol 1.2).
[[nodiscard]] std::map<std::string, std::string> host_variables(const std::string& directory);

}  // namespace drover::conformance
