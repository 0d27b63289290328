// The interface a task driver implements. `serve_driver()` (sdk/driver/serve.h) turns it into a plugin process that any
// Nomad-compatible host can load; `DriverClient` (sdk/driver/client.h) is the host's side of the same calls.
//
// All functions are called on the plugin's loop, one thread, so a driver needs no locks. Long waits are co_awaits; blocking
// work goes to a pool. Contract: plugin protocol section 5. Names follow the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/async/channel.h"
#include "sdk/base/error.h"
#include "sdk/base/fd.h"
#include "sdk/base/log.h"

namespace drover::driver {

// A typed attribute of a fingerprint, by value: bool, int, float or string, with an optional unit (protocol 6.3).
struct Attribute {
  std::variant<bool, std::int64_t, double, std::string> value;
  std::string unit;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

enum class Health : std::uint8_t { undetected, unhealthy, healthy };

struct Fingerprint {
  std::map<std::string, Attribute> attributes;
  Health health = Health::undetected;
  std::string description;  // shown to operators; says what to change when not healthy
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

enum class FsIsolation : std::uint8_t { none, chroot, image, unveil };
enum class NetIsolation : std::uint8_t { host, group, task, none };
enum class MountConfigs : std::uint8_t { unknown, any, none };

struct Capabilities {
  bool send_signals = false;
  bool exec = false;
  FsIsolation fs_isolation = FsIsolation::none;
  std::vector<NetIsolation> network_isolation_modes;
  bool must_create_network = false;
  MountConfigs mount_configs = MountConfigs::any;
  bool remote_tasks = false;
  bool disable_log_collection = false;
  bool dynamic_workload_users = false;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

struct LinuxResources {
  std::int64_t cpu_period = 0;
  std::int64_t cpu_quota = 0;
  std::int64_t cpu_shares = 0;
  std::int64_t memory_limit_bytes = 0;
  std::int64_t oom_score_adj = 0;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::string cpuset_cgroup;
  double percent_ticks = 0;
};

// What the scheduler allotted (mirrors AllocatedTaskResources on the wire).
struct Port {
  std::string label;
  std::int32_t value = 0;
  std::int32_t to = 0;
  std::string host_ip;
};
struct NetworkResource {
  std::string device, cidr, ip;
  std::int32_t mbits = 0;
  std::vector<Port> reserved_ports, dynamic_ports;
};
struct Resources {
  std::int64_t cpu_shares = 0;
  std::vector<std::uint16_t> reserved_cores;
  std::int64_t memory_mb = 0;
  std::int64_t memory_max_mb = 0;
  std::vector<NetworkResource> networks;
  std::vector<Port> ports;
  LinuxResources linux_resources;
};

struct Mount {
  std::string task_path, host_path;
  bool readonly = false;
  std::string propagation_mode;
  std::string selinux_label;
};
struct Device {
  std::string task_path, host_path, permissions;
};
struct DnsConfig {
  std::vector<std::string> servers, searches, options;
};
struct NetworkIsolation {
  NetIsolation mode = NetIsolation::host;
  std::string path;  // netns path
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> hosts_entries;  // hostname, address as HostsConfig
};

// One task to start (protocol 5.4). `driver_config` is the msgpack encoding of the job file's config block by the driver's
// schema; decode it with sdk/plugin's msgpack functions.
struct TaskConfig {
  std::string id, name, job_name, task_group_name, alloc_id, namespace_, node_name, node_id, job_id, parent_job_id;
  std::string driver_config;
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> device_env;
  std::optional<Resources> resources;
  std::vector<Device> devices;
  std::vector<Mount> mounts;
  std::string user;
  std::string alloc_dir;     // directory on the host: <alloc>/
  std::string stdout_path;   // FIFO or file of the host; see protocol 7.3
  std::string stderr_path;
  std::optional<NetworkIsolation> network_isolation;
  std::optional<DnsConfig> dns;
};

enum class TaskState : std::uint8_t { unknown, running, exited };

// What the host stores and gives back to recover_task(). `driver_state` is opaque to it.
struct TaskHandle {
  std::int32_t version = 0;
  TaskConfig config;
  TaskState state = TaskState::unknown;
  std::string driver_state;
  // Host side only: the handle exactly as the plugin sent it, fields we do not know included. This is what the host stores
  // and what DriverClient::recover_task() sends back (P-43).
  std::string encoded;
};

struct DriverNetwork {
  std::map<std::string, std::int32_t> port_map;
  std::string ip;
  bool auto_advertise = false;
  friend bool operator==(const DriverNetwork&, const DriverNetwork&) = default;
};

struct StartedTask {
  TaskHandle handle;
  std::optional<DriverNetwork> network;
};

struct ExitResult {
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  bool oom_killed = false;
  std::string error;  // not empty: the task's end is not known (an honest "unknown"), or WaitTask failed
  friend bool operator==(const ExitResult&, const ExitResult&) = default;
};

struct TaskStatus {
  std::string id, name;
  TaskState state = TaskState::unknown;
  std::int64_t started_at = 0;    // Unix nanoseconds, 0: unset
  std::int64_t completed_at = 0;
  std::optional<ExitResult> exit_result;
  std::map<std::string, std::string> driver_attributes;
  std::optional<DriverNetwork> network;
};

struct CpuUsage {
  double system_mode = 0, user_mode = 0, total_ticks = 0, percent = 0;
  std::uint64_t throttled_periods = 0, throttled_time = 0;
  std::vector<std::string> measured;
};
struct MemoryUsage {
  std::uint64_t rss = 0, cache = 0, max_usage = 0, kernel_usage = 0, kernel_max_usage = 0, usage = 0, swap = 0, mapped_file = 0;
  std::vector<std::string> measured;
};
struct ResourceUsage {
  CpuUsage cpu;
  MemoryUsage memory;
};
struct TaskStats {
  std::string id;
  std::int64_t timestamp = 0;  // Unix nanoseconds
  ResourceUsage total;
  std::map<std::string, ResourceUsage> by_pid;
};

struct TaskEvent {
  std::string task_id, alloc_id, task_name;
  std::int64_t timestamp = 0;
  std::string message;
  std::map<std::string, std::string> annotations;
  std::string err;
};

struct ExecOptions {
  std::vector<std::string> command;
  bool tty = false;
};
struct TerminalSize {
  std::int32_t height = 0, width = 0;
};
// The two directions of an interactive exec session. The driver reads `input` and sends to `output`; it closes `output`
// after the Exited message. An empty stdin chunk with `eof` ends the task's standard input.
struct ExecInput {
  std::string stdin_data;
  bool stdin_eof = false;
  std::optional<TerminalSize> resize;
};
struct ExecOutput {
  std::string stdout_data, stderr_data;
  bool stdout_eof = false, stderr_eof = false;
  std::optional<std::int32_t> exit_code;
};
struct ExecResult {
  std::string stdout_data, stderr_data;
  ExitResult exit;
};

struct CreatedNetwork {
  NetworkIsolation isolation;
  bool created = false;  // false: it existed already
};

// Messages of protocol 5.1 that hosts look for.
inline Error task_not_found() { return Error(Code::not_found, "task not found for given id"); }

class Driver {
 public:
  virtual ~Driver() = default;

  // The plugin's own configuration, msgpack by config_schema(). Called once or more before any task call.
  virtual Async<Result<>> set_config(std::string msgpack, std::string nomad_api_version) = 0;
  virtual Capabilities capabilities() = 0;

  // The driver sends one fingerprint at once and another at each change until cancelled.
  virtual Async<> fingerprint(Channel<Fingerprint>& out) = 0;

  // Idempotent per id: starting an id that already runs is an error, starting it twice must not run it twice.
  virtual Async<Result<StartedTask>> start_task(TaskConfig config) = 0;
  // Takes over a task of an earlier instance. Idempotent.
  virtual Async<Result<>> recover_task(TaskHandle handle) = 0;
  // Returns when the task has ended; also immediately for one that ended long ago, until destroyed.
  virtual Async<Result<ExitResult>> wait_task(std::string id) = 0;
  virtual Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) = 0;
  virtual Async<Result<>> destroy_task(std::string id, bool force) = 0;
  virtual Async<Result<TaskStatus>> inspect_task(std::string id) = 0;
  // Sends a sample every `interval` until cancelled or the task ended.
  virtual Async<Result<>> task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out) = 0;
  // The same of every task in one stream, for drivers with so many that a stream for each costs more than what it carries: the first
  // message at once, empty when there is no task, then each task about once an `interval`. Hosts that do not know of it, and those that
  // are told Code::unimplemented, as here, ask for each task.
  virtual Async<Result<>> all_task_stats(std::chrono::nanoseconds interval, Channel<std::vector<TaskStats>>& out);
  virtual Async<> task_events(Channel<TaskEvent>& out) = 0;
  virtual Async<Result<>> signal_task(std::string id, std::string signal) = 0;
  virtual Async<Result<ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) = 0;
  virtual Async<Result<>> exec_task_streaming(std::string id, ExecOptions options, Channel<ExecInput>& input,
                                              Channel<ExecOutput>& output) = 0;

  // Slow set-up after set_config() or a re-attach, before any stream: the place for talking to daemons.
  virtual Async<Result<>> init();
  // The process is about to end; tasks must keep running. At most 2 s.
  virtual Async<> shutdown();
  // Only for drivers with must_create_network; idempotent per allocation.
  virtual Async<Result<CreatedNetwork>> create_network(std::string alloc_id, std::string hostname);
  virtual Async<Result<>> destroy_network(std::string alloc_id, NetworkIsolation isolation);
};

}  // namespace drover::driver
