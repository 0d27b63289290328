#include "sdk/driver/client.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "sdk/driver/convert.h"
#include "sdk/plugin/schema_proto.h"
#include "sdk/rpc/client.h"
#include "sdk/rpc/typed.h"

namespace drover::driver {
namespace {
namespace base = hashicorp::nomad::plugins::base::proto;
using namespace std::chrono_literals;
constexpr std::chrono::nanoseconds quick = 10s, slow = 60s, unlimited = 0s;
constexpr std::size_t exec_chunk = 32 << 10;

std::string base_path(const char* method) { return std::string("/hashicorp.nomad.plugins.base.proto.BasePlugin/") + method; }
std::string path(const char* method) { return std::string("/hashicorp.nomad.plugins.drivers.proto.Driver/") + method; }

Error shut_down() { return Error(Code::unavailable, "plugin is shut down"); }

// Plugins' errors have no code but UNKNOWN: some texts are known (5.1).
Error classify(const Error& error) {
  static constexpr std::string_view gone[] = {"task not found for given id", "task does not exist"};
  static constexpr std::string_view absent[] = {"not supported by driver", "not supported by this driver", "does not support exec",
                                                "is not yet implemented", "stats not implemented for driver"};
  if (error.code() == Code::unavailable) return shut_down();
  if (error.code() == Code::resource_exhausted && error.message().find("larger than max") != std::string::npos) {
    return Error(Code::too_large, fmt::format("the plugin refuses a message of this size ({}); make the task's environment smaller", error.message()));
  }
  Code code = error.code();
  for (const auto text : gone) code = error.message().find(text) != std::string::npos ? Code::not_found : code;
  for (const auto text : absent) code = error.message().find(text) != std::string::npos ? Code::unimplemented : code;
  return Error(code, error.message()).with_recoverable(error.recoverable());
}

template <class Rep, class Req>
Async<Result<Rep>> call(std::shared_ptr<rpc::Client> connection, std::string method, Req request, std::chrono::nanoseconds deadline) {
  if (!connection) co_return fail(shut_down());
  auto reply = co_await rpc::call_typed<Rep>(*connection, std::move(method), request, deadline);
  if (!reply) co_return fail(classify(reply.error()));
  co_return reply;
}

template <class Rep, class Req>
Async<Result<>> call_empty(std::shared_ptr<rpc::Client> connection, std::string method, Req request, std::chrono::nanoseconds deadline) {
  const auto reply = co_await call<Rep>(std::move(connection), std::move(method), std::move(request), deadline);
  if (!reply) co_return fail(reply.error());
  co_return Result<>{};
}

template <class Rep, class T, class Req, class Convert>
Async<Result<>> follow(std::shared_ptr<rpc::Client> connection, std::string method, Req request, Channel<T>& out, Convert convert) {
  if (!connection) co_return fail(shut_down());
  const auto status = co_await rpc::follow_typed<Rep, T>(std::move(connection), std::move(method), std::move(request), out, convert);
  if (!status) co_return fail(classify(status.error()));
  co_return Result<>{};
}
}  // namespace

struct DriverClient::Queue {
  std::string name;
  std::size_t waiting = 0;

  // Held by a call until it is answered; null when the queue is full.
  [[nodiscard]] static std::shared_ptr<void> place(std::shared_ptr<Queue> queue) {
    if (queue->waiting >= most_waiting) return nullptr;
    ++queue->waiting;
    return {queue.get(), [queue](void*) { --queue->waiting; }};
  }
  [[nodiscard]] Error full() const {
    return Error(Code::resource_exhausted, fmt::format("plugin \"{0}\" has {1} calls waiting and takes no more until it answers; see `plugin status {0}`", name, waiting));
  }
};

DriverClient::DriverClient() : queue_(std::make_shared<Queue>()) {}
DriverClient::~DriverClient() = default;

void DriverClient::connect(std::shared_ptr<rpc::Client> connection) { connection_ = std::move(connection); }
void DriverClient::set_name(std::string name) { queue_->name = std::move(name); }

Async<Result<RemoteInfo>> DriverClient::plugin_info() {
  const auto reply = co_await call<base::PluginInfoResponse>(connection_, base_path("PluginInfo"), base::PluginInfoRequest(), quick);
  if (!reply) co_return fail(reply.error());
  RemoteInfo out;
  out.type = reply->type() == base::DRIVER ? PluginType::driver : reply->type() == base::DEVICE ? PluginType::device : PluginType::unknown;
  out.name = reply->name();
  out.version = reply->plugin_version();
  out.api_versions.assign(reply->plugin_api_versions().begin(), reply->plugin_api_versions().end());
  co_return out;
}

Async<Result<plugin::Spec>> DriverClient::config_schema() {
  const auto reply = co_await call<base::ConfigSchemaResponse>(connection_, base_path("ConfigSchema"), base::ConfigSchemaRequest(), quick);
  if (!reply) co_return fail(reply.error());
  if (!reply->has_spec()) co_return plugin::Spec();
  co_return plugin::from_proto(reply->spec());
}

Async<Result<>> DriverClient::set_config(std::string msgpack, std::string api_version, plugin::NodeTopology topology) {
  base::SetConfigRequest request;
  request.set_msgpack_config(std::move(msgpack));
  request.set_plugin_api_version(std::move(api_version));
  write(topology, *request.mutable_nomad_config()->mutable_driver());
  return call_empty<base::SetConfigResponse>(connection_, base_path("SetConfig"), std::move(request), slow);
}

Async<Result<>> DriverClient::init() {
  auto result = co_await call_empty<pb::InitResponse>(connection_, path("Init"), pb::InitRequest(), slow);
  if (!result && result.error().code() == Code::unimplemented) co_return Result<>{};
  co_return result;
}

Async<Result<>> DriverClient::shutdown() {
  auto result = co_await call_empty<pb::ShutdownResponse>(connection_, path("Shutdown"), pb::ShutdownRequest(), 2s);
  if (!result && result.error().code() == Code::unimplemented) co_return Result<>{};
  co_return result;
}

Async<Result<plugin::Spec>> DriverClient::task_config_schema() {
  const auto reply = co_await call<pb::TaskConfigSchemaResponse>(connection_, path("TaskConfigSchema"), pb::TaskConfigSchemaRequest(), quick);
  if (!reply) co_return fail(reply.error());
  if (!reply->has_spec()) co_return fail(Code::invalid_argument, "failed to convert task schema: nil spec given");
  auto spec = plugin::from_proto(reply->spec());
  if (!spec) co_return fail(spec.error(), "failed to convert task schema");
  co_return spec;
}

Async<Result<Capabilities>> DriverClient::capabilities() {
  const auto reply = co_await call<pb::CapabilitiesResponse>(connection_, path("Capabilities"), pb::CapabilitiesRequest(), quick);
  if (!reply) co_return fail(reply.error());
  co_return read(reply->capabilities());
}

Async<Result<>> DriverClient::fingerprint(Channel<Fingerprint>& out) {
  return follow<pb::FingerprintResponse, Fingerprint>(connection_, path("Fingerprint"), pb::FingerprintRequest(), out,
                                                      [](const pb::FingerprintResponse& in) { return read(in); });
}

Async<Result<>> DriverClient::task_events(Channel<TaskEvent>& out) {
  return follow<pb::DriverTaskEvent, TaskEvent>(connection_, path("TaskEvents"), pb::TaskEventsRequest(), out,
                                                [](const pb::DriverTaskEvent& in) { return read(in); });
}

Async<Result<>> DriverClient::all_task_stats(std::chrono::nanoseconds interval, Channel<std::vector<TaskStats>>& out) {
  plugins::drivers::AllTaskStatsRequest request;
  write(interval, *request.mutable_collection_interval());
  return follow<plugins::drivers::AllTaskStatsResponse, std::vector<TaskStats>>(
      connection_, batch_stats_path, std::move(request), out, [](const plugins::drivers::AllTaskStatsResponse& in) {
        std::vector<TaskStats> all;
        all.reserve(static_cast<std::size_t>(in.stats_size()));
        for (const auto& one : in.stats()) all.push_back(read(one));
        return all;
      });
}

Async<Result<>> DriverClient::task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out) {
  pb::TaskStatsRequest request;
  request.set_task_id(std::move(id));
  write(interval, *request.mutable_collection_interval());
  return follow<pb::TaskStatsResponse, TaskStats>(connection_, path("TaskStats"), std::move(request), out,
                                                  [](const pb::TaskStatsResponse& in) { return read(in.stats()); });
}

Async<Result<StartedTask>> DriverClient::start_task(TaskConfig config) {
  pb::StartTaskRequest request;
  write(config, *request.mutable_task());
  const auto reply = co_await call<pb::StartTaskResponse>(connection_, path("StartTask"), std::move(request), unlimited);
  if (!reply) co_return fail(reply.error());
  if (!reply->has_handle()) {
    const bool retry = reply->result() == pb::StartTaskResponse::RETRY;
    std::string text = reply->driver_error_msg().empty() ? "the driver started the task without giving a handle" : reply->driver_error_msg();
    co_return fail(Error(Code::internal, std::move(text)).with_recoverable(retry));
  }
  StartedTask out;
  out.handle = read(reply->handle());
  // Drivers written in Go leave the state at 0 (5.3).
  if (out.handle.state == TaskState::unknown) out.handle.state = TaskState::running;
  if (reply->has_network_override()) out.network = read(reply->network_override());
  co_return out;
}

Async<Result<>> DriverClient::recover_task(std::string encoded) {
  pb::RecoverTaskRequest request;
  if (!request.mutable_handle()->ParseFromString(encoded)) co_return fail(Code::invalid_argument, "the stored handle of the task is damaged");
  request.set_task_id(request.handle().config().id());
  auto result = co_await call_empty<pb::RecoverTaskResponse>(connection_, path("RecoverTask"), std::move(request), slow);
  co_return result;
}

Async<Result<StartedTask>> DriverClient::adopt_task(TaskConfig config) {
  StartedTask out;
  out.handle.version = 1;
  out.handle.config = std::move(config);
  out.handle.state = TaskState::running;
  pb::TaskHandle handle;
  write(out.handle, handle);
  out.handle.encoded = handle.SerializeAsString();
  const auto recovered = co_await recover_task(out.handle.encoded);
  if (!recovered) co_return fail(recovered.error());
  co_return out;
}

Async<Result<ExitResult>> DriverClient::wait_task(std::string id) {
  pb::WaitTaskRequest request;
  request.set_task_id(std::move(id));
  const auto reply = co_await call<pb::WaitTaskResponse>(connection_, path("WaitTask"), std::move(request), unlimited);
  if (!reply) co_return fail(reply.error());
  ExitResult out = read(reply->result());
  out.error = reply->err();
  if (!reply->has_result() && out.error.empty()) out.error = "the driver did not say how the task ended";
  co_return out;
}

Async<Result<>> DriverClient::stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) {
  pb::StopTaskRequest request;
  request.set_task_id(std::move(id));
  request.set_signal(std::move(signal));
  write(timeout, *request.mutable_timeout());
  return call_empty<pb::StopTaskResponse>(connection_, path("StopTask"), std::move(request), timeout + slow);
}

Async<Result<>> DriverClient::destroy_task(std::string id, bool force) {
  pb::DestroyTaskRequest request;
  request.set_task_id(std::move(id));
  request.set_force(force);
  return call_empty<pb::DestroyTaskResponse>(connection_, path("DestroyTask"), std::move(request), slow);
}

Async<Result<TaskStatus>> DriverClient::inspect_task(std::string id) {
  const auto place = Queue::place(queue_);
  if (!place) co_return fail(queue_->full());
  pb::InspectTaskRequest request;
  request.set_task_id(std::move(id));
  const auto reply = co_await call<pb::InspectTaskResponse>(connection_, path("InspectTask"), std::move(request), quick);
  if (!reply) co_return fail(reply.error());
  co_return read(*reply);
}

Async<Result<>> DriverClient::signal_task(std::string id, std::string signal) {
  const auto place = Queue::place(queue_);
  if (!place) co_return fail(queue_->full());
  pb::SignalTaskRequest request;
  request.set_task_id(std::move(id));
  request.set_signal(std::move(signal));
  auto sent = co_await call_empty<pb::SignalTaskResponse>(connection_, path("SignalTask"), std::move(request), slow);
  co_return sent;
}

Async<Result<ExecResult>> DriverClient::exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) {
  const auto place = Queue::place(queue_);
  if (!place) co_return fail(queue_->full());
  pb::ExecTaskRequest request;
  request.set_task_id(std::move(id));
  for (auto& word : command) request.add_command(std::move(word));
  write(timeout, *request.mutable_timeout());
  auto reply = co_await call<pb::ExecTaskResponse>(connection_, path("ExecTask"), std::move(request), timeout + quick);
  if (!reply) co_return fail(reply.error());
  ExitResult exit = read(reply->result());
  if (!reply->has_result()) exit.error = "the driver did not say how the command ended";
  co_return ExecResult{.stdout_data = std::move(*reply->mutable_stdout()), .stderr_data = std::move(*reply->mutable_stderr()), .exit = std::move(exit)};
}

namespace {
Async<bool> send_exec(rpc::Stream& stream, const pb::ExecTaskStreamingRequest& message) {
  std::string bytes = message.SerializeAsString();
  const bool sent = co_await stream.send(std::move(bytes));
  co_return sent;
}

Async<> forward_exec_input(rpc::Stream& stream, Channel<ExecInput>& input) {
  for (;;) {
    const auto value = co_await input.receive();
    bool sent = true;
    if (!value) break;
    if (value->resize) {
      pb::ExecTaskStreamingRequest message;
      message.mutable_tty_size()->set_height(value->resize->height);
      message.mutable_tty_size()->set_width(value->resize->width);
      sent = co_await send_exec(stream, message);
    }
    for (std::size_t at = 0; sent && at < value->stdin_data.size(); at += exec_chunk) {
      pb::ExecTaskStreamingRequest message;
      message.mutable_stdin()->set_data(value->stdin_data.substr(at, exec_chunk));
      sent = co_await send_exec(stream, message);
    }
    if (sent && value->stdin_eof) {
      pb::ExecTaskStreamingRequest message;
      message.mutable_stdin()->set_close(true);
      sent = co_await send_exec(stream, message);
    }
    if (!sent) break;
  }
  stream.close_send();
  for (;;) co_await sleep_for(24h);
}

Async<> forward_exec_output(rpc::Stream& stream, Channel<ExecOutput>& output, bool& exited) {
  for (;;) {
    const auto bytes = co_await stream.receive();
    if (!bytes) co_return;
    pb::ExecTaskStreamingResponse message;
    if (!message.ParseFromString(*bytes)) continue;
    ExecOutput value;
    value.stdout_data = std::move(*message.mutable_stdout()->mutable_data());
    value.stdout_eof = message.stdout().close();
    value.stderr_data = std::move(*message.mutable_stderr()->mutable_data());
    value.stderr_eof = message.stderr().close();
    if (message.exited()) {
      exited = true;
      value.exit_code = message.result().signal() != 0 && message.result().exit_code() == 0 ? 128 + message.result().signal() : message.result().exit_code();
    }
    const bool taken = co_await output.send(std::move(value));
    if (!taken) co_return;
  }
}
}  // namespace

Async<Result<>> DriverClient::exec_task_streaming(std::string id, ExecOptions options, Channel<ExecInput>& input, Channel<ExecOutput>& output) {
  const auto connection = connection_;
  if (!connection) co_return fail(shut_down());
  const auto place = Queue::place(queue_);
  if (!place) co_return fail(queue_->full());
  const auto stream = connection->open(path("ExecTaskStreaming"));
  pb::ExecTaskStreamingRequest first;
  first.mutable_setup()->set_task_id(std::move(id));
  for (auto& word : options.command) first.mutable_setup()->add_command(std::move(word));
  first.mutable_setup()->set_tty(options.tty);
  [[maybe_unused]] const bool opened = co_await send_exec(*stream, first);
  bool exited = false;
  using namespace asio::experimental::awaitable_operators;
  auto session = forward_exec_output(*stream, output, exited) || forward_exec_input(*stream, input);
  co_await std::move(session);
  output.close();
  const auto status = stream->status();
  if (!status) co_return fail(classify(status.error()));
  if (!exited) co_return fail(Code::internal, "the driver ended the session without an exit code");
  co_return Result<>{};
}

Async<Result<CreatedNetwork>> DriverClient::create_network(std::string alloc_id, std::string hostname) {
  pb::CreateNetworkRequest request;
  request.set_alloc_id(std::move(alloc_id));
  request.set_hostname(std::move(hostname));
  const auto reply = co_await call<pb::CreateNetworkResponse>(connection_, path("CreateNetwork"), std::move(request), slow);
  if (!reply) co_return fail(reply.error());
  co_return CreatedNetwork{.isolation = read(reply->isolation_spec()), .created = reply->created()};
}

Async<Result<>> DriverClient::destroy_network(std::string alloc_id, NetworkIsolation isolation) {
  pb::DestroyNetworkRequest request;
  request.set_alloc_id(std::move(alloc_id));
  write(isolation, *request.mutable_isolation_spec());
  return call_empty<pb::DestroyNetworkResponse>(connection_, path("DestroyNetwork"), std::move(request), slow);
}

std::string_view to_string(PluginType type) {
  switch (type) {
    case PluginType::driver: return "driver";
    case PluginType::device: return "device";
    case PluginType::unknown: break;
  }
  return "unknown";
}

namespace {
const char* status_name(Code code) {
  switch (code) {
    case Code::deadline_exceeded: return "DeadlineExceeded";
    case Code::resource_exhausted: return "ResourceExhausted";
    case Code::conflict: return "FailedPrecondition";
    default: return "Unknown";
  }
}
}  // namespace

std::string rpc_text(const Error& error) {
  // Made by the host itself.
  if (error.code() == Code::unavailable) return error.message();
  return fmt::format("rpc error: code = {} desc = {}", status_name(error.code()), error.message());
}

Result<TaskHandle> decode_handle(const std::string& encoded) {
  pb::TaskHandle handle;
  if (!handle.ParseFromString(encoded)) return fail(Code::invalid_argument, "the stored handle of the task is damaged");
  return read(handle);
}

}  // namespace drover::driver
