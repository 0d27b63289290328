// The host's side of a driver plugin: each function is one RPC of protocol section 5. Loop only.
//
// The connection can be replaced while the client lives (the plugin was restarted); calls under way then fail with
// Code::unavailable. Errors of drivers keep their text; well-known texts get their code (protocol 5.1).
//
// P-24: what users may ask of a task at any time (signals, commands, its state) waits in a bounded queue: when the plugin owes
// answers to most_waiting such calls, the next one fails at once with Code::resource_exhausted. The calls of a task's own life
// are few by themselves, and are never refused.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "sdk/driver/driver.h"
#include "sdk/plugin/schema.h"
#include "sdk/plugin/topology.h"

namespace drover::rpc { class Client; }

namespace drover::driver {

enum class PluginType : std::uint8_t { unknown, driver, device };
// "driver", "device", "unknown".
[[nodiscard]] std::string_view to_string(PluginType type);

struct RemoteInfo {
  PluginType type = PluginType::unknown;
  std::string name, version;
  std::vector<std::string> api_versions;
};

class DriverClient {
 public:
  static constexpr std::size_t most_waiting = 256;

  DriverClient();
  ~DriverClient();
  DriverClient(const DriverClient&) = delete;
  DriverClient& operator=(const DriverClient&) = delete;

  // Null disconnects: every call then fails with "plugin is shut down".
  void connect(std::shared_ptr<rpc::Client> connection);
  // Whose calls these are, for errors.
  void set_name(std::string name);
  [[nodiscard]] bool connected() const { return connection_ != nullptr; }

  // Base service.
  [[nodiscard]] Async<Result<RemoteInfo>> plugin_info();
  [[nodiscard]] Async<Result<plugin::Spec>> config_schema();  // an empty Spec: takes no configuration
  [[nodiscard]] Async<Result<>> set_config(std::string msgpack, std::string api_version, plugin::NodeTopology topology);

  // Driver service. A driver older than init() and shutdown() counts as success.
  [[nodiscard]] Async<Result<>> init();
  [[nodiscard]] Async<Result<>> shutdown();
  [[nodiscard]] Async<Result<plugin::Spec>> task_config_schema();
  [[nodiscard]] Async<Result<Capabilities>> capabilities();
  // Puts what arrives into `out` until the stream ends; the error says why. Cancel the coroutine to stop it.
  [[nodiscard]] Async<Result<>> fingerprint(Channel<Fingerprint>& out);
  [[nodiscard]] Async<Result<>> task_events(Channel<TaskEvent>& out);
  // Code::unimplemented: the driver has only the statistics of one task at a time.
  [[nodiscard]] Async<Result<>> all_task_stats(std::chrono::nanoseconds interval, Channel<std::vector<TaskStats>>& out);
  [[nodiscard]] Async<Result<>> task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out);
  // No deadline: images may have to be pulled. The answer's handle.encoded is what to store.
  [[nodiscard]] Async<Result<StartedTask>> start_task(TaskConfig config);
  // `encoded` is TaskHandle::encoded of start_task().
  [[nodiscard]] Async<Result<>> recover_task(std::string encoded);
  // RecoverTask with a handle made of the configuration alone, for a task whose own handle never arrived or was lost. The
  // answer's handle.encoded is what to store.
  [[nodiscard]] Async<Result<StartedTask>> adopt_task(TaskConfig config);
  // Waits without a deadline.
  [[nodiscard]] Async<Result<ExitResult>> wait_task(std::string id);
  [[nodiscard]] Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal);
  [[nodiscard]] Async<Result<>> destroy_task(std::string id, bool force);
  [[nodiscard]] Async<Result<TaskStatus>> inspect_task(std::string id);
  [[nodiscard]] Async<Result<>> signal_task(std::string id, std::string signal);
  [[nodiscard]] Async<Result<ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout);
  // Runs until the driver ended the session. Reads `input` (its closing is the end of standard input without a terminal),
  // sends to `output`, and closes it at the end.
  [[nodiscard]] Async<Result<>> exec_task_streaming(std::string id, ExecOptions options, Channel<ExecInput>& input,
                                                    Channel<ExecOutput>& output);
  [[nodiscard]] Async<Result<CreatedNetwork>> create_network(std::string alloc_id, std::string hostname);
  [[nodiscard]] Async<Result<>> destroy_network(std::string alloc_id, NetworkIsolation isolation);

 private:
  struct Queue;
  std::shared_ptr<rpc::Client> connection_;
  std::shared_ptr<Queue> queue_;
};

// An error of a plugin's call as users see it: "rpc error: code = Unknown desc = <text>" (protocol 5.1).
[[nodiscard]] std::string rpc_text(const Error& error);

// The bytes of a TaskHandle back to its fields (for display and for tasks of an earlier agent).
[[nodiscard]] Result<TaskHandle> decode_handle(const std::string& encoded);

}  // namespace drover::driver
