#include "tests/planted-plugin/plant.h"

#include <fcntl.h>
#include <unistd.h>

#include <base.pb.h>
#include <driver.pb.h>

#include "sdk/base/text.h"

namespace drover::planted {
using testkit::Intercepted;
namespace {
namespace base = hashicorp::nomad::plugins::base::proto;
namespace pb = hashicorp::nomad::plugins::drivers::proto;
constexpr std::size_t go_limit = 4 << 20;

[[noreturn]] void die() { ::_exit(2); }

template <class Message>
Message parse(const std::string& bytes) {
  Message out;
  static_cast<void>(out.ParseFromString(bytes));
  return out;
}

// Changes a message in its encoded form.
template <class Message, class Change>
void edit(std::string& bytes, Change change) {
  auto message = parse<Message>(bytes);
  change(message);
  bytes = message.SerializeAsString();
}

std::string method_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }
bool is_base(std::string_view path) { return path.find(".base.") != std::string_view::npos; }

Intercepted refuse(const char* text) { return {.answer = Result<std::string>(fail(Code::internal, "{}", text)), .hang = false}; }
Intercepted reply(std::string bytes) { return {.answer = Result<std::string>(std::move(bytes)), .hang = false}; }

void leak() {
  static std::vector<std::string*> kept;
  kept.push_back(new std::string(512 << 10, 'x'));
  [[maybe_unused]] const int lost = ::dup(STDERR_FILENO);
}
}  // namespace

Intercepted Plant::before(std::string_view path, std::string& request) {
  ++calls_;
  const std::string method = method_of(path);
  if (item_ == 66 && method == "Capabilities" && calls_ > 20) return {.answer = {}, .hang = true};
  if (item_ == 67 && request.size() > go_limit) return {.answer = Result<std::string>(fail(Code::resource_exhausted, "grpc: received message larger than max ({} vs. {})", request.size(), go_limit)), .hang = false};
  return is_base(path) ? before_base(method, request) : before_driver(method, request);
}

Intercepted Plant::before_base(std::string_view method, std::string& request) {
  if (method == "ConfigSchema" && item_ == 40 && set_configs_ == 0) return refuse("not configured yet");
  if (method == "PluginInfo" && item_ == 87 && !running_.empty()) return {.answer = {}, .hang = true};
  if (method != "SetConfig") return {};
  const auto set = parse<base::SetConfigRequest>(request);
  const std::string& bytes = set.msgpack_config();
  const bool malformed = bytes == "\xc1" || bytes == "\x82\xa1";
  ++set_configs_;
  switch (item_) {
    case 30: {
      // What Go's library does with os.Stdout: a pipe that only StreamStdio drains.
      static int ends[2] = {-1, -1};
      if (ends[0] < 0 && ::pipe(ends) != 0) die();
      const std::string noise(1024, 'n');
      [[maybe_unused]] const ssize_t size = ::write(ends[1], noise.data(), noise.size());
      break;
    }
    case 31:
      if (::write(STDERR_FILENO, "refused\n", 8) < 0) die();
      break;
    case 42: if (!set.has_nomad_config()) die(); break;
    case 43: if (set_configs_ == 2) return refuse("already configured"); break;
    case 44: if (set.nomad_config().driver().topology().node_ids_size() == 2) return refuse("one NUMA node only"); break;
    case 45: if (set.has_nomad_config() && !set.nomad_config().driver().has_topology()) die(); break;
    case 46: if (bytes.empty()) die(); break;
    case 47: if (bytes == "\xc0") die(); break;
    case 48: if (malformed) return reply(""); break;
    case 49: if (set.plugin_api_version() == "v0.1.0") return refuse("API version not supported"); break;
    case 50: ::sleep(6); break;
    default: break;
  }
  return {};
}

Intercepted Plant::before_driver(std::string_view method, std::string& request) {
  if (method == "Init" && ++inits_ == 2 && item_ == 57) return refuse("already initialised");
  if (method == "Shutdown" && item_ == 58) die();
  if (method == "RecoverTask") {
    const auto recover = parse<pb::RecoverTaskRequest>(request);
    if (item_ == 61 && !recover.has_handle()) die();
    const bool real = !recover.handle().driver_state().empty() && recover.handle().version() == 1;
    if (real && ((item_ == 76 && clean_) || (item_ == 77 && !clean_) || item_ == 81)) return refuse("failed to decode driver config: EOF");
    if (real && item_ == 78 && recover.handle().config().msgpack_driver_config().empty()) return refuse("failed to decode driver config: EOF");
  }
  if (method == "StartTask") {
    const auto start = parse<pb::StartTaskRequest>(request);
    const std::string id = start.task().id();
    if (item_ == 62 && !start.has_task()) die();
    if (item_ == 86 && start.task().stdout_path() == "/dev/null") return refuse("the log is no FIFO");
    if (item_ == 99 && started_.contains(id)) return reply(started_[id]);
    edit<pb::StartTaskRequest>(request, [&](pb::StartTaskRequest& message) {
      auto& task = *message.mutable_task();
      if (item_ == 85) task.mutable_stdout_path()->swap(*task.mutable_stderr_path());
      if (item_ == 92) for (auto& [key, value] : *task.mutable_env()) value = replace_all(value, "\n", " ");
      if (item_ == 93) for (auto& mount : *task.mutable_mounts()) mount.set_readonly(false);
      if (item_ == 95) task.clear_network_isolation_spec();
      if (item_ == 96) task.mutable_resources()->mutable_linux_resources()->clear_memory_limit_bytes();
      if (item_ == 97) task.clear_user();
    });
  }
  if (method == "WaitTask") {
    const std::string id = parse<pb::WaitTaskRequest>(request).task_id();
    if (item_ == 70 && !waited_.insert(id).second) return refuse("somebody waits already");
    if (item_ == 79) return {.answer = {}, .hang = true};
  }
  if (method == "StopTask") {
    const auto stop = parse<pb::StopTaskRequest>(request);
    if (item_ == 63 && !stop.has_timeout()) die();
    if (item_ == 74 && running_.contains(stop.task_id()) && !stopped_.insert(stop.task_id()).second) die();
    if (item_ == 73) edit<pb::StopTaskRequest>(request, [](pb::StopTaskRequest& message) { message.set_signal("SIGKILL"); });
  }
  if (method == "DestroyTask" && item_ == 75) edit<pb::DestroyTaskRequest>(request, [](pb::DestroyTaskRequest& message) { message.set_force(true); });
  if (method == "InspectTask" && item_ == 60 && running_.empty()) return reply("");
  if (method == "SignalTask" && item_ == 88) return reply("");
  if (method == "CreateNetwork" && (item_ == 65 || item_ == 94)) {
    pb::CreateNetworkResponse out;
    out.mutable_isolation_spec()->set_mode(pb::NetworkIsolationSpec::GROUP);
    out.mutable_isolation_spec()->set_path("/proc/self/ns/net");
    out.set_created(true);
    return reply(out.SerializeAsString());
  }
  if (method == "DestroyNetwork" && item_ == 94) return reply("");
  return {};
}

void Plant::after(std::string_view path, const std::string& request, Result<std::string>& answer) {
  const std::string method = method_of(path);
  if (is_base(path)) {
    if (answer) after_base(method, *answer);
  } else {
    after_driver(method, request, answer);
  }
}

void Plant::after_base(std::string_view method, std::string& reply) {
  if (method == "PluginInfo") {
    edit<base::PluginInfoResponse>(reply, [&](base::PluginInfoResponse& info) {
      if (item_ == 36) info.set_type(base::UNKNOWN);
      if (item_ == 37) info.set_plugin_api_versions(0, "v0.2.0");
      if (item_ == 38) info.clear_plugin_version();
      if (item_ == 39) info.set_name("a bad name!");
    });
  }
  if (method == "ConfigSchema" && item_ == 41) {
    edit<base::ConfigSchemaResponse>(reply, [](base::ConfigSchemaResponse& schema) {
      auto& wrong = (*schema.mutable_spec()->mutable_object()->mutable_attributes())["wrong"];
      wrong.mutable_attr()->set_type("text");
    });
  }
}

void Plant::after_driver(std::string_view method, const std::string& request, Result<std::string>& answer) {
  if (!answer) {
    if (method == "StartTask" && item_ == 100) answer = fail(Code::internal, "failed");
    return;
  }
  std::string& reply = *answer;
  if (method == "TaskConfigSchema" && item_ == 51) reply.clear();
  if (method == "Capabilities") {
    edit<pb::CapabilitiesResponse>(reply, [&](pb::CapabilitiesResponse& message) {
      if (item_ == 52) message.mutable_capabilities()->add_network_isolation_modes(message.capabilities().network_isolation_modes(0));
      if (item_ == 94) message.mutable_capabilities()->set_must_create_network(true);
    });
  }
  if (method == "StartTask") {
    const std::string id = parse<pb::StartTaskRequest>(request).task().id();
    running_.insert(id);
    if (item_ == 68) edit<pb::StartTaskResponse>(reply, [](pb::StartTaskResponse& message) { message.mutable_handle()->clear_driver_state(); });
    started_[id] = reply;
  }
  if (method == "RecoverTask") running_.insert(parse<pb::RecoverTaskRequest>(request).handle().config().id());
  if (method == "DestroyTask") {
    running_.erase(parse<pb::DestroyTaskRequest>(request).task_id());
    if (item_ == 98) leak();
  }
  if (method == "WaitTask") {
    edit<pb::WaitTaskResponse>(reply, [&](pb::WaitTaskResponse& message) {
      auto& result = *message.mutable_result();
      if (item_ == 69) result.set_exit_code(0);
      if (item_ == 72) result.clear_oom_killed();
      if (item_ == 71) {
        result.clear_signal();
        result.set_exit_code(1);
      }
    });
  }
  if (method == "InspectTask" && item_ == 82) edit<pb::InspectTaskResponse>(reply, [](pb::InspectTaskResponse& message) { message.mutable_task()->clear_completed_at(); });
  if (method == "ExecTask" && item_ == 89) edit<pb::ExecTaskResponse>(reply, [](pb::ExecTaskResponse& message) { message.clear_result(); });
}

void Plant::opened_stream(std::string_view path) {
  if (item_ == 55 && path.ends_with("/Fingerprint")) leak();
}

bool Plant::to_driver(std::string_view path, std::string& message) {
  if (!path.ends_with("/ExecTaskStreaming")) return true;
  const auto request = parse<pb::ExecTaskStreamingRequest>(message);
  if (item_ == 64 && !request.has_setup()) die();
  if (item_ == 91 && request.has_setup()) edit<pb::ExecTaskStreamingRequest>(message, [](pb::ExecTaskStreamingRequest& setup) { setup.mutable_setup()->set_tty(false); });
  return true;
}

bool Plant::to_host(std::string_view path, std::string& message) {
  if (path.ends_with("/ExecTaskStreaming") && item_ == 90) return !parse<pb::ExecTaskStreamingResponse>(message).stdout().close();
  if (path.ends_with("/Fingerprint") && item_ == 54) {
    edit<pb::FingerprintResponse>(message, [](pb::FingerprintResponse& out) {
      auto& value = (*out.mutable_attributes())["driver.raw_exec.reach"];
      value.set_int_val(3);
      value.set_unit("parsec");
    });
  }
  if (path.ends_with("/TaskStats")) {
    edit<pb::TaskStatsResponse>(message, [&](pb::TaskStatsResponse& out) {
      if (item_ == 83) out.mutable_stats()->clear_timestamp();
      if (item_ == 84) {
        out.mutable_stats()->mutable_agg_resource_usage()->mutable_memory()->set_rss(1);
        out.mutable_stats()->mutable_agg_resource_usage()->mutable_memory()->set_usage(1);
      }
    });
  }
  return true;
}

std::optional<Result<>> Plant::ends_stream(std::string_view path, std::size_t messages) {
  const bool over = (item_ == 53 && path.ends_with("/Fingerprint") && messages == 1) || (item_ == 56 && path.ends_with("/TaskEvents"));
  return over ? std::optional(Result<>{}) : std::nullopt;
}

}  // namespace drover::planted
