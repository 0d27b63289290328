#include "cli/plugin_view.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::cli;

namespace {
constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t now = 1'700'000'000 * second;

model::AgentPlugin running() {
  model::AgentPlugin out;
  out.name = "hello";
  out.type = "driver";
  out.version = "0.1.0";
  out.api_versions.push_back("v0.1.0");
  out.file = "/opt/plugins/hello";
  out.phase = "running";
  out.since = model::Time(now - 65 * second);
  out.pid = 7;
  out.tasks = 2;
  out.memory_bytes = 3 << 20;
  out.step = "running";
  out.health_description = "Healthy";
  return out;
}
model::AgentPlugin broken() {
  model::AgentPlugin out;
  out.name = "broken";
  out.type = "unknown";
  out.file = "/opt/plugins/broken";
  out.phase = "backoff";
  out.next_start = model::Time(now + 4 * second);
  out.restarts = 3;
  out.step = "launch";
  out.reason = "it said nothing, exit status 3, last lines on stderr:\nno engine";
  out.remedy = "see `plugin logs broken`; the next start is tried in 4 s";
  return out;
}
}  // namespace

TEST_CASE("plugin view: one line for each, and a reason with a remedy for what does not run") {
  model::List<model::AgentPlugin> all;
  all.push_back(running());
  all.push_back(broken());
  CHECK(plugin_table(all, now) ==
        "Name    Type     Version  Phase    PID  Uptime  Restarts  Tasks  Memory\n"
        "hello   driver   0.1.0    running  7    1m5s    0         2      3.0 MiB\n"
        "broken  unknown  -        backoff  -    -       3         0      -");
  CHECK(plugin_reasons(all) ==
        "broken (launch): it said nothing, exit status 3, last lines on stderr:\n"
        "  see `plugin logs broken`; the next start is tried in 4 s");
}

TEST_CASE("plugin view: details say where it failed and when it is tried again") {
  const Ui ui;
  const std::string text = plugin_details(ui, broken(), false, now);
  for (const char* part : {"at step \"launch\": it said nothing", "no engine", "plugin logs broken", "Next Start   = in 4s", "Origin       = plugin_dir"}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  }
  auto again = running();
  again.last_error = "plugin exited: killed by signal 9 (Killed)";
  again.last_error_step = "running";
  again.last_error_time = model::Time(now - 60 * second);
  const std::string now_running = plugin_details(ui, again, false, now);
  CHECK(now_running.find("Last Error") != std::string::npos);
  CHECK(now_running.find("at step \"running\": plugin exited: killed by signal 9") != std::string::npos);
  CHECK(now_running.find("Not Running") == std::string::npos);
}
