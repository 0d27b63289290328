// A plugin host of its own for each case: directories, the chaos plugin with its behaviour, a DriverManager. Loop only.
#pragma once

#include <memory>
#include <string>

#include "agent/conformance/host_suite.h"
#include "agent/pluginhost/driver_manager.h"

namespace drover::conformance {

// Counts what the host logs, and keeps how long its longest line was.
class CountingSink final : public LogSink {
 public:
  void write(const LogRecord& record) override {
    ++lines;
    longest = std::max(longest, format_text(record).size());
  }
  std::size_t lines = 0, longest = 0;
};

// Behaviour is JSON as sdk/testkit/chaos-plugin/behaviour.h has it.
class Node {
 public:
  Node(Executor executor, const std::string& chaos_plugin, const std::string& directory, const std::string& behaviour, const std::string& config_json);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Starts the host; returns when the plugin runs or has failed once.
  [[nodiscard]] Async<> start(std::string reattach_json = {});
  [[nodiscard]] Async<> stop();
  void behave(const std::string& behaviour) const;
  [[nodiscard]] pluginhost::DriverManager& manager() { return *manager_; }
  [[nodiscard]] pluginhost::PluginStatus status() const;
  // The driver's client; null when it never ran.
  [[nodiscard]] driver::DriverClient* client();
  // Waits until the plugin runs (again) after `restarts` restarts at least. False after `limit`.
  [[nodiscard]] Async<bool> running_within(int restarts, std::chrono::nanoseconds limit);
  [[nodiscard]] const CountingSink& log() const { return *sink_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] driver::TaskConfig task(const std::string& name, const std::string& run_for) const;

 private:
  Executor executor_;
  std::string directory_, behaviour_path_;
  std::shared_ptr<CountingSink> sink_;
  std::unique_ptr<pluginhost::DriverManager> manager_;
};

struct HostBench {
  Executor executor;
  std::string chaos_plugin, directory;
  int next = 0;
  [[nodiscard]] std::unique_ptr<Node> node(const std::string& behaviour, const std::string& config_json = {});
};

struct HostCheck {
  int number;
  Async<> (*run)(HostBench& bench, Check& check);
};
[[nodiscard]] std::vector<HostCheck> answer_checks();   // 108, 109
[[nodiscard]] std::vector<HostCheck> process_checks();  // 110 to 114

}  // namespace drover::conformance
