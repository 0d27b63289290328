#include "sdk/driver/service.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "sdk/driver/convert.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/schema_proto.h"
#include "sdk/rpc/server.h"
#include "sdk/rpc/typed.h"

namespace drover::driver {
namespace {
namespace base = hashicorp::nomad::plugins::base::proto;
using namespace std::chrono_literals;
constexpr std::size_t stream_limit = 16;

// Errors of drivers travel with their bare text as UNKNOWN, as hosts expect (5.1); only what hosts act on keeps its code.
Error plain(const Error& error) {
  const bool keeps = error.code() == Code::unimplemented || error.code() == Code::cancelled || error.code() == Code::deadline_exceeded;
  if (keeps || error.recoverable()) return error;
  return Error(Code::internal, error.message());
}

template <class Rep>
Async<Result<Rep>> done(Async<Result<>> work) {
  const auto result = co_await std::move(work);
  if (!result) co_return fail(plain(result.error()));
  co_return Rep();
}

Async<> forever() {
  for (;;) co_await sleep_for(24h);
}

// Sends what arrives in the channel until it is closed or the caller is gone.
template <class T, class Message, class Fill>
Async<> pump(Channel<T>& from, rpc::Stream& to, Fill fill) {
  for (;;) {
    const auto value = co_await from.receive();
    if (!value) co_return;
    google::protobuf::Arena arena;
    Message& message = *google::protobuf::Arena::CreateMessage<Message>(&arena);
    fill(*value, message);
    std::string bytes = message.SerializeAsString();
    const bool sent = co_await to.send(std::move(bytes));
    if (!sent) co_return;
  }
}
template <class T>
Async<> produce(Async<Result<>> work, Channel<T>& channel, Result<>& result) {
  result = co_await std::move(work);
  channel.close();
  co_await forever();
}
template <class T>
Async<> produce_only(Async<> work, Channel<T>& channel) {
  co_await std::move(work);
  channel.close();
  co_await forever();
}

class DriverService final : public plugin::Service {
 public:
  DriverService(Executor executor, PluginInfo info, std::unique_ptr<Driver> driver)
      : executor_(std::move(executor)), info_(std::move(info)), driver_(std::move(driver)) {}

  Async<> close() override {
    using namespace asio::experimental::awaitable_operators;
    auto limited = driver_->shutdown() || sleep_for(2s);
    co_await std::move(limited);
  }

  void add_to(rpc::Server& server) override {
    add<base::PluginInfoRequest, base::PluginInfoResponse>(server, base_path, "PluginInfo", &DriverService::plugin_info);
    add<base::ConfigSchemaRequest, base::ConfigSchemaResponse>(server, base_path, "ConfigSchema", &DriverService::config_schema);
    add<base::SetConfigRequest, base::SetConfigResponse>(server, base_path, "SetConfig", &DriverService::set_config);
    add<pb::InitRequest, pb::InitResponse>(server, path, "Init", &DriverService::init);
    add<pb::ShutdownRequest, pb::ShutdownResponse>(server, path, "Shutdown", &DriverService::shutdown);
    add<pb::TaskConfigSchemaRequest, pb::TaskConfigSchemaResponse>(server, path, "TaskConfigSchema", &DriverService::task_config_schema);
    add<pb::CapabilitiesRequest, pb::CapabilitiesResponse>(server, path, "Capabilities", &DriverService::capabilities);
    add<pb::StartTaskRequest, pb::StartTaskResponse>(server, path, "StartTask", &DriverService::start_task);
    add<pb::RecoverTaskRequest, pb::RecoverTaskResponse>(server, path, "RecoverTask", &DriverService::recover_task);
    add<pb::WaitTaskRequest, pb::WaitTaskResponse>(server, path, "WaitTask", &DriverService::wait_task);
    add<pb::StopTaskRequest, pb::StopTaskResponse>(server, path, "StopTask", &DriverService::stop_task);
    add<pb::DestroyTaskRequest, pb::DestroyTaskResponse>(server, path, "DestroyTask", &DriverService::destroy_task);
    add<pb::InspectTaskRequest, pb::InspectTaskResponse>(server, path, "InspectTask", &DriverService::inspect_task);
    add<pb::SignalTaskRequest, pb::SignalTaskResponse>(server, path, "SignalTask", &DriverService::signal_task);
    add<pb::ExecTaskRequest, pb::ExecTaskResponse>(server, path, "ExecTask", &DriverService::exec_task);
    add<pb::CreateNetworkRequest, pb::CreateNetworkResponse>(server, path, "CreateNetwork", &DriverService::create_network);
    add<pb::DestroyNetworkRequest, pb::DestroyNetworkResponse>(server, path, "DestroyNetwork", &DriverService::destroy_network);
    add_stream(server, "Fingerprint", &DriverService::fingerprint);
    add_stream(server, "TaskStats", &DriverService::task_stats);
    server.handle_stream(batch_stats_path, [this](CallInfo, rpc::Stream& stream) { return all_task_stats(stream); });
    add_stream(server, "TaskEvents", &DriverService::task_events);
    add_stream(server, "ExecTaskStreaming", &DriverService::exec_task_streaming);
  }

 private:
  static constexpr const char* base_path = "/hashicorp.nomad.plugins.base.proto.BasePlugin/";
  static constexpr const char* path = "/hashicorp.nomad.plugins.drivers.proto.Driver/";

  template <class Req, class Rep>
  void add(rpc::Server& server, const char* service, const char* method, Async<Result<Rep>> (DriverService::*function)(Req)) {
    rpc::handle_typed<Req, Rep>(server, std::string(service) + method, [this, function](Req request) { return (this->*function)(std::move(request)); });
  }
  void add_stream(rpc::Server& server, const char* method, Async<Result<>> (DriverService::*function)(rpc::Stream&)) {
    server.handle_stream(std::string(path) + method, [this, function](CallInfo, rpc::Stream& stream) { return (this->*function)(stream); });
  }

  Async<Result<base::PluginInfoResponse>> plugin_info(base::PluginInfoRequest) {
    base::PluginInfoResponse out;
    out.set_type(base::DRIVER);
    out.add_plugin_api_versions(plugin::api_version);
    out.set_plugin_version(info_.version);
    out.set_name(info_.name);
    co_return out;
  }
  Async<Result<base::ConfigSchemaResponse>> config_schema(base::ConfigSchemaRequest) {
    base::ConfigSchemaResponse out;
    if (info_.config_schema) plugin::to_proto(info_.config_schema, *out.mutable_spec());
    co_return out;
  }
  Async<Result<base::SetConfigResponse>> set_config(base::SetConfigRequest request) {
    const auto result = co_await driver_->set_config(std::move(*request.mutable_msgpack_config()), request.plugin_api_version());
    if (!result) co_return fail(plain(result.error().context("SetConfig failed")));
    co_return base::SetConfigResponse();
  }
  Async<Result<pb::InitResponse>> init(pb::InitRequest) { return done<pb::InitResponse>(driver_->init()); }
  Async<Result<pb::ShutdownResponse>> shutdown(pb::ShutdownRequest) {
    co_await driver_->shutdown();
    co_return pb::ShutdownResponse();
  }
  Async<Result<pb::TaskConfigSchemaResponse>> task_config_schema(pb::TaskConfigSchemaRequest) {
    pb::TaskConfigSchemaResponse out;
    plugin::to_proto(info_.task_config_schema, *out.mutable_spec());
    co_return out;
  }
  Async<Result<pb::CapabilitiesResponse>> capabilities(pb::CapabilitiesRequest) {
    pb::CapabilitiesResponse out;
    write(driver_->capabilities(), *out.mutable_capabilities());
    co_return out;
  }
  Async<Result<pb::StartTaskResponse>> start_task(pb::StartTaskRequest request) {
    if (request.task().id().empty()) co_return fail(Code::internal, "the request to start a task holds no task, or one without an id");
    TaskConfig config = read(request.task());
    auto started = co_await driver_->start_task(std::move(config));
    if (!started) co_return fail(plain(started.error()));
    pb::StartTaskResponse out;
    write(started->handle, *out.mutable_handle());
    // The handle echoes the whole TaskConfig, with whatever a newer host put into it (5.2).
    *out.mutable_handle()->mutable_config() = std::move(*request.mutable_task());
    if (started->network) write(*started->network, *out.mutable_network_override());
    co_return out;
  }
  Async<Result<pb::RecoverTaskResponse>> recover_task(pb::RecoverTaskRequest request) {
    if (!request.has_handle() || request.handle().config().id().empty()) {
      co_return fail(Code::internal, "the request to recover a task holds no handle");
    }
    auto result = co_await done<pb::RecoverTaskResponse>(driver_->recover_task(read(request.handle())));
    co_return result;
  }
  Async<Result<pb::WaitTaskResponse>> wait_task(pb::WaitTaskRequest request) {
    const auto exit = co_await driver_->wait_task(request.task_id());
    if (!exit) co_return fail(plain(exit.error()));
    pb::WaitTaskResponse out;
    write(*exit, *out.mutable_result());
    out.set_err(exit->error);
    co_return out;
  }
  Async<Result<pb::StopTaskResponse>> stop_task(pb::StopTaskRequest request) {
    return done<pb::StopTaskResponse>(driver_->stop_task(request.task_id(), read(request.timeout()), request.signal()));
  }
  Async<Result<pb::DestroyTaskResponse>> destroy_task(pb::DestroyTaskRequest request) {
    return done<pb::DestroyTaskResponse>(driver_->destroy_task(request.task_id(), request.force()));
  }
  Async<Result<pb::InspectTaskResponse>> inspect_task(pb::InspectTaskRequest request) {
    const auto status = co_await driver_->inspect_task(request.task_id());
    if (!status) co_return fail(plain(status.error()));
    pb::InspectTaskResponse out;
    write(*status, out);
    co_return out;
  }
  Async<Result<pb::SignalTaskResponse>> signal_task(pb::SignalTaskRequest request) {
    return done<pb::SignalTaskResponse>(driver_->signal_task(request.task_id(), request.signal()));
  }
  Async<Result<pb::ExecTaskResponse>> exec_task(pb::ExecTaskRequest request) {
    std::vector<std::string> command(request.command().begin(), request.command().end());
    auto result = co_await driver_->exec_task(request.task_id(), std::move(command), read(request.timeout()));
    if (!result) co_return fail(plain(result.error()));
    pb::ExecTaskResponse out;
    out.set_stdout(std::move(result->stdout_data));
    out.set_stderr(std::move(result->stderr_data));
    write(result->exit, *out.mutable_result());
    co_return out;
  }
  Async<Result<pb::CreateNetworkResponse>> create_network(pb::CreateNetworkRequest request) {
    const auto network = co_await driver_->create_network(request.alloc_id(), request.hostname());
    if (!network) co_return fail(plain(network.error()));
    pb::CreateNetworkResponse out;
    write(network->isolation, *out.mutable_isolation_spec());
    out.set_created(network->created);
    co_return out;
  }
  Async<Result<pb::DestroyNetworkResponse>> destroy_network(pb::DestroyNetworkRequest request) {
    return done<pb::DestroyNetworkResponse>(driver_->destroy_network(request.alloc_id(), read(request.isolation_spec())));
  }

  Async<Result<>> fingerprint(rpc::Stream& stream) {
    Channel<Fingerprint> channel(executor_, stream_limit);
    using namespace asio::experimental::awaitable_operators;
    const auto fill = [](const Fingerprint& value, pb::FingerprintResponse& out) { write(value, out); };
    auto both = produce_only(driver_->fingerprint(channel), channel) || pump<Fingerprint, pb::FingerprintResponse>(channel, stream, fill);
    co_await std::move(both);
    co_return Result<>{};
  }
  Async<Result<>> task_events(rpc::Stream& stream) {
    Channel<TaskEvent> channel(executor_, stream_limit);
    using namespace asio::experimental::awaitable_operators;
    const auto fill = [](const TaskEvent& value, pb::DriverTaskEvent& out) { write(value, out); };
    auto both = produce_only(driver_->task_events(channel), channel) || pump<TaskEvent, pb::DriverTaskEvent>(channel, stream, fill);
    co_await std::move(both);
    co_return Result<>{};
  }
  Async<Result<>> task_stats(rpc::Stream& stream) {
    const auto bytes = co_await stream.receive();
    pb::TaskStatsRequest request;
    if (!bytes || !request.ParseFromString(*bytes)) co_return fail(Code::internal, "the request for statistics is malformed");
    const auto interval = request.has_collection_interval() ? read(request.collection_interval()) : 1s;
    Channel<TaskStats> channel(executor_, stream_limit);
    Result<> result;
    using namespace asio::experimental::awaitable_operators;
    const auto fill = [](const TaskStats& value, pb::TaskStatsResponse& out) { write(value, *out.mutable_stats()); };
    auto both = produce(driver_->task_stats(request.task_id(), std::max<std::chrono::nanoseconds>(interval, 10ms), channel), channel, result) ||
                pump<TaskStats, pb::TaskStatsResponse>(channel, stream, fill);
    co_await std::move(both);
    if (!result) co_return fail(plain(result.error()));
    co_return Result<>{};
  }

  Async<Result<>> all_task_stats(rpc::Stream& stream) {
    using Request = plugins::drivers::AllTaskStatsRequest;
    using Response = plugins::drivers::AllTaskStatsResponse;
    const auto bytes = co_await stream.receive();
    Request request;
    if (!bytes || !request.ParseFromString(*bytes)) co_return fail(Code::internal, "the request for statistics is malformed");
    const auto interval = request.has_collection_interval() ? read(request.collection_interval()) : 1s;
    Channel<std::vector<TaskStats>> channel(executor_, stream_limit);
    Result<> result;
    using namespace asio::experimental::awaitable_operators;
    const auto fill = [](const std::vector<TaskStats>& all, Response& out) {
      for (const TaskStats& one : all) write(one, *out.add_stats());
    };
    auto both = produce(driver_->all_task_stats(std::max<std::chrono::nanoseconds>(interval, 10ms), channel), channel, result) ||
                pump<std::vector<TaskStats>, Response>(channel, stream, fill);
    co_await std::move(both);
    if (!result) co_return fail(plain(result.error()));
    co_return Result<>{};
  }

  static Async<> read_exec_input(rpc::Stream& stream, Channel<ExecInput>& input, bool tty) {
    for (;;) {
      const auto bytes = co_await stream.receive();
      // Half-close is the end of standard input only where there is no terminal.
      if (!bytes) {
        ExecInput end{.stdin_eof = true};
        if (!tty) [[maybe_unused]] const bool sent = co_await input.send(std::move(end));
        co_await forever();
      }
      pb::ExecTaskStreamingRequest message;
      if (!message.ParseFromString(*bytes)) continue;
      ExecInput value{.stdin_data = std::move(*message.mutable_stdin()->mutable_data()), .stdin_eof = message.stdin().close()};
      if (message.has_tty_size()) value.resize = TerminalSize{message.tty_size().height(), message.tty_size().width()};
      // A message with nothing set is a heartbeat.
      if (value.stdin_data.empty() && !value.stdin_eof && !value.resize) continue;
      const bool sent = co_await input.send(std::move(value));
      if (!sent) co_await forever();
    }
  }
  static Async<bool> send_exec_part(rpc::Stream& stream, bool is_stderr, std::string data, bool close) {
    // Data and close never share a message: readers written in Go lose the data.
    for (const bool closing : {false, true}) {
      if (closing ? !close : data.empty()) continue;
      pb::ExecTaskStreamingResponse out;
      auto& part = is_stderr ? *out.mutable_stderr() : *out.mutable_stdout();
      if (closing) part.set_close(true);
      else part.set_data(std::move(data));
      std::string bytes = out.SerializeAsString();
      const bool sent = co_await stream.send(std::move(bytes));
      if (!sent) co_return false;
    }
    co_return true;
  }
  static Async<> write_exec_output(rpc::Stream& stream, Channel<ExecOutput>& output) {
    for (;;) {
      auto value = co_await output.receive();
      if (!value) co_return;
      bool sent = co_await send_exec_part(stream, false, std::move(value->stdout_data), value->stdout_eof);
      if (sent) sent = co_await send_exec_part(stream, true, std::move(value->stderr_data), value->stderr_eof);
      if (sent && value->exit_code) {
        pb::ExecTaskStreamingResponse out;
        out.set_exited(true);
        out.mutable_result()->set_exit_code(*value->exit_code);
        std::string bytes = out.SerializeAsString();
        sent = co_await stream.send(std::move(bytes));
      }
      if (!sent) co_return;
    }
  }
  Async<Result<>> exec_task_streaming(rpc::Stream& stream) {
    const auto bytes = co_await stream.receive();
    pb::ExecTaskStreamingRequest first;
    if (!bytes || !first.ParseFromString(*bytes) || !first.has_setup()) co_return fail(Code::internal, "first message should always be setup");
    const auto& setup = first.setup();
    ExecOptions options{.command = {setup.command().begin(), setup.command().end()}, .tty = setup.tty()};
    Channel<ExecInput> input(executor_, stream_limit);
    Channel<ExecOutput> output(executor_, stream_limit);
    Result<> result;
    using namespace asio::experimental::awaitable_operators;
    auto session = produce(driver_->exec_task_streaming(setup.task_id(), options, input, output), output, result) ||
                   write_exec_output(stream, output) || read_exec_input(stream, input, options.tty);
    co_await std::move(session);
    if (!result) co_return fail(plain(result.error()));
    co_return Result<>{};
  }

  Executor executor_;
  PluginInfo info_;
  std::unique_ptr<Driver> driver_;
};
}  // namespace

std::unique_ptr<plugin::Service> make_service(Executor executor, PluginInfo info, std::unique_ptr<Driver> driver) {
  return std::make_unique<DriverService>(std::move(executor), std::move(info), std::move(driver));
}

int serve_driver(int, char**, PluginInfo info, const DriverFactory& make) {
  const std::string name = info.name;
  return plugin::serve(name, "the task driver " + name, [&](Executor executor, Logger log) {
    auto driver = make(executor, std::move(log));
    return make_service(executor, info, std::move(driver));
  });
}

}  // namespace drover::driver
