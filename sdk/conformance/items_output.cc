// Items 21 to 35: signals, what the plugin writes, how it stops, and go-plugin's own services.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include <goplugin.pb.h>
#include <health.pb.h>

#include "sdk/base/clock.h"
#include "sdk/base/text.h"
#include "sdk/conformance/bench.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
using nlohmann::json;

Async<Result<>> ask(Run& run) {
  const auto info = co_await run.call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
  if (!info) co_return fail(info.error());
  co_return Result<>{};
}

Async<> item_21(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  // go-plugin takes care of the signal just after it has printed its line: an answer says that it is there.
  [[maybe_unused]] const auto first = co_await ask(*run);
  run->signal(SIGINT);
  const bool over = co_await run->ended_within(500ms);
  if (!check.expect(!over, "the plugin goes on after SIGINT", run->epitaph())) co_return;
  const auto answer = co_await ask(*run);
  check.expect(answer.has_value(), "an answer to PluginInfo after SIGINT", answer ? "" : answer.error().message());
}

Async<> item_22(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  run->signal(SIGTERM);
  const bool over = co_await run->ended_within(2s);
  check.expect(over, "the end of the process within 2 s after SIGTERM", "it still runs");
}

Async<> item_23(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  std::string empty;
  const auto answer = co_await run->client().call("/plugin.GRPCController/Shutdown", std::move(empty), 2s);
  check.expect(answer || answer.error().code() != Code::unimplemented, "GRPCController.Shutdown", answer ? "" : answer.error().message());
  const bool over = co_await run->ended_within(2s);
  check.expect(over && run->exit_status() == ExitStatus{}, "exit status 0 within 2 s", over ? run->epitaph() : "it still runs");
}

Async<> item_24(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto fields = run->fields();
  const bool over = co_await run->shut_down(2s);
  if (!over || fields[2] != "unix") co_return;
  struct stat info {};
  check.expect(::lstat(fields[3].c_str(), &info) != 0, "no socket file after an orderly exit", fields[3]);
}

// Processes that have `marker` in the environment they were started with.
std::vector<std::string> marked_processes(const std::string& marker) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto environment = read_file(entry.path().string() + "/environ");
    if (!environment || environment->find(marker) == std::string::npos) continue;
    auto command = read_file(entry.path().string() + "/cmdline");
    out.push_back(fmt::format("{} {}", name, command ? replace_all(*command, std::string_view("\0", 1), " ") : ""));
  }
  return out;
}

Async<> item_25(Bench& bench, Check& check) {
  Rng rng = Rng::from_system();
  const std::string marker = fmt::format("CONFORMANCE_RUN={:016x}", rng.next());
  const auto set_marker = [marker](Start& start) { start.changed["CONFORMANCE_RUN"] = marker.substr(marker.find('=') + 1); };
  const RunPtr run = co_await bench.configured(check, set_marker);
  if (!run) co_return;
  const bool over = co_await run->shut_down(2s);
  if (!over) co_return;
  // What ends together with the plugin may need a moment.
  auto left = marked_processes(marker);
  for (int i = 0; i < 20 && !left.empty(); ++i) {
    co_await sleep_for(100ms);
    left = marked_processes(marker);
  }
  check.expect(left.empty(), "no process of the plugin after its Shutdown", join(left, "\n"));
}

constexpr std::string_view reserved_keys[] = {"@message", "@level", "@timestamp"};

bool is_layout(const std::string& text) {
  static constexpr std::string_view layout = "0000-00-00T00:00:00.000000";
  if (text.size() <= layout.size()) return false;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (layout[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != layout[i]) return false;
  }
  return true;
}

template <class F>
void each_line(const Bench& bench, F f) {
  for (const auto& text : bench.logs()) {
    for (const std::string& line : split(*text, '\n')) f(line);
  }
}

// The items about the log look at all that the plugin has written during the run.
Async<> item_26(Bench& bench, Check& check) {
  int seen = 0;
  each_line(bench, [&](const std::string& line) {
    const json record = line.starts_with('{') ? json::parse(line, nullptr, false) : json();
    if (!record.is_object()) return;
    ++seen;
    for (const std::string_view key : reserved_keys) {
      const auto found = record.find(key);
      if (found != record.end() && !found->is_string() && !check.failed()) check.expect(false, fmt::format("text under {}: another type crashes a host written in Go", key), line.substr(0, 400));
    }
  });
  check.note(fmt::format("{} JSON records on stderr", seen));
  co_return;
}

Async<> item_27(Bench& bench, Check& check) {
  each_line(bench, [&](const std::string& line) {
    const json record = line.starts_with('{') ? json::parse(line, nullptr, false) : json();
    if (!record.is_object() || check.failed()) return;
    const auto time = record.find("@timestamp"), level = record.find("@level");
    if (time != record.end() && time->is_string()) check.expect(is_layout(time->get<std::string>()), "a timestamp like 2026-01-02T03:04:05.000006Z, with six digits of fraction", line.substr(0, 400));
    if (level == record.end() || !level->is_string()) return;
    const std::string name = to_lower(level->get<std::string>());
    check.expect(name == "trace" || name == "debug" || name == "info" || name == "warn" || name == "error", "one of the levels trace, debug, info, warn, error", line.substr(0, 400));
  });
  co_return;
}

Async<> item_28(Bench& bench, Check& check) {
  each_line(bench, [&](const std::string& line) {
    if (line.size() > 64 << 10 && !check.failed()) check.expect(false, "lines of at most 65536 bytes", fmt::format("{} bytes: {}", line.size(), line.substr(0, 200)));
  });
  co_return;
}

Async<> item_29(Bench& bench, Check& check) {
  const Vigil* vigil = co_await bench.vigil();
  if (!vigil->problem.empty()) co_return static_cast<void>(check.expect(false, "the plugin runs", vigil->problem));
  if (!check.expect(vigil->has_stdio, "GRPCStdio.StreamStdio", "it is not implemented")) co_return;
  check.expect(vigil->stdio == "open", "a stream that stays open", vigil->stdio);
}

Async<> item_30(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  // Errors are what a plugin is most likely to write about. Nobody reads StreamStdio meanwhile.
  for (int i = 0; i < 1000; ++i) {
    const auto answer = co_await run->client().call(base_service + "SetConfig", "\n\1\xc1", 10s);
    if (!answer && answer.error().code() == Code::deadline_exceeded) {
      check.expect(false, "answers, however much the plugin has printed", fmt::format("none to call {} within 10 s", i + 1));
      co_return;
    }
    if (!run->alive()) co_return static_cast<void>(check.expect(false, "the plugin keeps running", run->epitaph()));
  }
  const auto answer = co_await ask(*run);
  check.expect(answer.has_value(), "an answer to PluginInfo", answer ? "" : answer.error().message());
}

Async<> item_31(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  run->break_stderr();
  for (int i = 0; i < 50 && run->alive(); ++i) {
    [[maybe_unused]] const auto answer = co_await run->client().call(base_service + "SetConfig", "\n\1\xc1", 5s);
    [[maybe_unused]] const auto again = co_await run->client().call(driver_service + "StopTask", "\n\1x", 5s);
  }
  const auto answer = co_await ask(*run);
  check.expect(answer && run->alive(), "the plugin goes on when nobody reads its stderr any more", run->alive() && !answer ? answer.error().message() : run->end_text());
}

Async<> item_32(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  for (const char* which : {"second", "third"}) {
    const auto connection = run->another_connection();
    for (const std::string& method : {base_service + "PluginInfo", base_service + "ConfigSchema"}) {
      std::string empty;
      const auto answer = co_await connection->call(method, std::move(empty), 10s);
      check.expect(answer.has_value(), fmt::format("an answer to {} on a {} connection", method, which), answer ? "" : answer.error().message());
    }
  }
  const auto answer = co_await ask(*run);
  check.expect(answer.has_value(), "the first connection goes on", answer ? "" : answer.error().message());
}

Async<> item_33(Bench& bench, Check& check) {
  const Vigil* vigil = co_await bench.vigil();
  if (!vigil->problem.empty()) co_return static_cast<void>(check.expect(false, "the plugin runs", vigil->problem));
  check.expect(vigil->idle.empty(), fmt::format("an answer after {} without traffic", format_duration(bench.settings().idle)), vigil->idle);
}

Async<> item_34(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  using grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse;
  for (const char* service : {"plugin", "no-such-service"}) {
    HealthCheckRequest request;
    request.set_service(service);
    const auto answer = co_await run->call<HealthCheckResponse>("/grpc.health.v1.Health/Check", request, 10s);
    const std::string seen = answer ? fmt::format("status {}", static_cast<int>(answer->status())) : answer.error().message();
    if (service == std::string("plugin")) check.expect(answer && answer->status() == HealthCheckResponse::SERVING, "SERVING for the service \"plugin\"", seen);
    else check.expect(answer ? answer->status() == HealthCheckResponse::SERVICE_UNKNOWN : answer.error().code() == Code::not_found, "NOT_FOUND or SERVICE_UNKNOWN for an unknown service", seen);
  }
}

Async<> item_35(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const Watch reflection(bench.executor(), run->client(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", std::nullopt);
  Watch broker(bench.executor(), run->client(), "/plugin.GRPCBroker/StartStream", std::nullopt);
  [[maybe_unused]] const bool over = co_await broker.ended_within(500ms);
  check.note(fmt::format("broker: {}; reflection: {}", broker.unimplemented() ? "not there" : "there", reflection.unimplemented() ? "not there" : "there"));
  const auto answer = co_await ask(*run);
  check.expect(answer.has_value(), "an answer to PluginInfo while the broker's stream is open", answer ? "" : fmt::format("{}; the process: {}", answer.error().message(), run->epitaph()));
}
}  // namespace

std::vector<ItemCheck> output_checks() {
  return {{21, item_21}, {22, item_22}, {23, item_23}, {24, item_24}, {25, item_25}, {26, item_26}, {27, item_27}, {28, item_28},
          {29, item_29}, {30, item_30}, {31, item_31}, {32, item_32}, {33, item_33}, {34, item_34}, {35, item_35}};
}

}  // namespace drover::conformance
