#include "sdk/driver/convert.h"

#include <cmath>

namespace drover::driver {
namespace {
constexpr std::int64_t nanos_per_second = 1'000'000'000;
constexpr std::int64_t go_zero_time = -62135596800;

template <class Map>
std::map<std::string, std::string> read_map(const Map& in) {
  return {in.begin(), in.end()};
}
template <class Map>
void write_map(const std::map<std::string, std::string>& in, Map& out) {
  for (const auto& [key, value] : in) out[key] = value;
}
template <class List>
std::vector<std::string> read_list(const List& in) {
  return {in.begin(), in.end()};
}
// A value outside the enum is of a newer peer: the fallback stands for it.
template <class E>
E read_enum(int in, E last, E fallback) {
  return in >= 0 && in <= static_cast<int>(last) ? static_cast<E>(in) : fallback;
}
double finite(double value) { return std::isfinite(value) ? value : 0; }
}  // namespace

std::chrono::nanoseconds read(const known::Duration& in) { return std::chrono::nanoseconds(in.seconds() * nanos_per_second + in.nanos()); }
void write(std::chrono::nanoseconds in, known::Duration& out) {
  out.set_seconds(in.count() / nanos_per_second);
  out.set_nanos(static_cast<std::int32_t>(in.count() % nanos_per_second));
}

std::int64_t read(const known::Timestamp& in) {
  constexpr std::int64_t limit = INT64_MAX / nanos_per_second - 1;
  if (in.seconds() <= 0 || in.seconds() > limit) return 0;
  return in.seconds() * nanos_per_second + in.nanos();
}
void write(std::int64_t unix_nanos, known::Timestamp& out) {
  out.set_seconds(unix_nanos == 0 ? go_zero_time : unix_nanos / nanos_per_second);
  out.set_nanos(static_cast<std::int32_t>(unix_nanos % nanos_per_second));
}

Fingerprint read(const pb::FingerprintResponse& in) {
  Fingerprint out;
  for (const auto& [name, value] : in.attributes()) {
    // P-26: what a plugin says is bounded.
    if (name.size() > 256 || out.attributes.size() >= 1024) continue;
    Attribute& attribute = out.attributes[name];
    attribute.unit = value.unit();
    if (value.has_bool_val()) attribute.value = value.bool_val();
    else if (value.has_int_val()) attribute.value = value.int_val();
    else if (value.has_float_val()) attribute.value = finite(value.float_val());
    else attribute.value = value.string_val().substr(0, 4096);
  }
  out.health = read_enum(in.health(), Health::healthy, Health::undetected);
  out.description = in.health_description();
  // The cycle failed: what else it says counts for nothing.
  if (!in.err().empty()) out = {.attributes = {}, .health = Health::undetected, .description = "failed to fingerprint driver"};
  return out;
}
void write(const Fingerprint& in, pb::FingerprintResponse& out) {
  for (const auto& [name, value] : in.attributes) {
    auto& attribute = (*out.mutable_attributes())[name];
    attribute.set_unit(value.unit);
    if (const auto* flag = std::get_if<bool>(&value.value)) attribute.set_bool_val(*flag);
    else if (const auto* integer = std::get_if<std::int64_t>(&value.value)) attribute.set_int_val(*integer);
    else if (const auto* real = std::get_if<double>(&value.value)) attribute.set_float_val(*real);
    else attribute.set_string_val(std::get<std::string>(value.value));
  }
  out.set_health(static_cast<pb::HealthState>(in.health));
  out.set_health_description(in.description);
}

Capabilities read(const pb::DriverCapabilities& in) {
  Capabilities out;
  out.send_signals = in.send_signals();
  out.exec = in.exec();
  out.fs_isolation = read_enum(in.fs_isolation(), FsIsolation::unveil, FsIsolation::none);
  for (const int mode : in.network_isolation_modes()) out.network_isolation_modes.push_back(read_enum(mode, NetIsolation::none, NetIsolation::host));
  out.must_create_network = in.must_create_network();
  out.mount_configs = in.mount_configs() == pb::NO_MOUNTS ? MountConfigs::none : MountConfigs::any;
  out.disable_log_collection = in.disable_log_collection();
  out.dynamic_workload_users = in.dynamic_workload_users();
  return out;
}
void write(const Capabilities& in, pb::DriverCapabilities& out) {
  out.set_send_signals(in.send_signals);
  out.set_exec(in.exec);
  out.set_fs_isolation(static_cast<pb::FSIsolation>(in.fs_isolation));
  for (const NetIsolation mode : in.network_isolation_modes) {
    out.add_network_isolation_modes(static_cast<pb::NetworkIsolationSpec_NetworkIsolationMode>(mode));
  }
  out.set_must_create_network(in.must_create_network);
  out.set_mount_configs(in.mount_configs == MountConfigs::none ? pb::NO_MOUNTS : pb::ANY_MOUNTS);
  out.set_disable_log_collection(in.disable_log_collection);
  out.set_dynamic_workload_users(in.dynamic_workload_users);
}

NetworkIsolation read(const pb::NetworkIsolationSpec& in) {
  NetworkIsolation out;
  out.mode = read_enum(in.mode(), NetIsolation::none, NetIsolation::host);
  out.path = in.path();
  out.labels = read_map(in.labels());
  if (in.has_hostsconfig()) out.hosts_entries[in.hostsconfig().hostname()] = in.hostsconfig().address();
  return out;
}
void write(const NetworkIsolation& in, pb::NetworkIsolationSpec& out) {
  out.set_mode(static_cast<pb::NetworkIsolationSpec_NetworkIsolationMode>(in.mode));
  out.set_path(in.path);
  write_map(in.labels, *out.mutable_labels());
  if (in.hosts_entries.empty()) return;
  out.mutable_hostsconfig()->set_hostname(in.hosts_entries.begin()->first);
  out.mutable_hostsconfig()->set_address(in.hosts_entries.begin()->second);
}

namespace {
void read_ports(const google::protobuf::RepeatedPtrField<pb::NetworkPort>& in, std::vector<Port>& out) {
  for (const auto& port : in) out.push_back({.label = port.label(), .value = port.value(), .to = 0, .host_ip = {}});
}
void write_port(const Port& in, pb::NetworkPort& out) {
  out.set_label(in.label);
  out.set_value(in.value);
}
Resources read(const pb::Resources& in) {
  Resources out;
  const auto& allocated = in.allocated_resources();
  out.cpu_shares = allocated.cpu().cpu_shares();
  out.memory_mb = allocated.memory().memory_mb();
  out.memory_max_mb = allocated.memory().memory_max_mb();
  for (const auto& network : allocated.networks()) {
    NetworkResource& to = out.networks.emplace_back();
    to.device = network.device();
    to.cidr = network.cidr();
    to.ip = network.ip();
    to.mbits = network.mbits();
    read_ports(network.reserved_ports(), to.reserved_ports);
    read_ports(network.dynamic_ports(), to.dynamic_ports);
  }
  for (const auto& port : in.ports()) out.ports.push_back({port.label(), port.value(), port.to(), port.host_ip()});
  const auto& limits = in.linux_resources();
  out.linux_resources = {.cpu_period = limits.cpu_period(), .cpu_quota = limits.cpu_quota(), .cpu_shares = limits.cpu_shares(),
                         .memory_limit_bytes = limits.memory_limit_bytes(), .oom_score_adj = limits.oom_score_adj(),
                         .cpuset_cpus = limits.cpuset_cpus(), .cpuset_mems = {}, .cpuset_cgroup = limits.cpuset_cgroup(),
                         .percent_ticks = finite(limits.percentticks())};
  return out;
}
void write(const Resources& in, pb::Resources& out) {
  auto& allocated = *out.mutable_allocated_resources();
  allocated.mutable_cpu()->set_cpu_shares(in.cpu_shares);
  allocated.mutable_memory()->set_memory_mb(in.memory_mb);
  allocated.mutable_memory()->set_memory_max_mb(in.memory_max_mb);
  for (const auto& network : in.networks) {
    auto& to = *allocated.add_networks();
    to.set_device(network.device);
    to.set_cidr(network.cidr);
    to.set_ip(network.ip);
    to.set_mbits(network.mbits);
    for (const Port& port : network.reserved_ports) write_port(port, *to.add_reserved_ports());
    for (const Port& port : network.dynamic_ports) write_port(port, *to.add_dynamic_ports());
  }
  for (const Port& port : in.ports) {
    auto& to = *out.add_ports();
    to.set_label(port.label);
    to.set_value(port.value);
    to.set_to(port.to);
    to.set_host_ip(port.host_ip);
  }
  auto& limits = *out.mutable_linux_resources();
  const LinuxResources& from = in.linux_resources;
  limits.set_cpu_period(from.cpu_period);
  limits.set_cpu_quota(from.cpu_quota);
  limits.set_cpu_shares(from.cpu_shares);
  limits.set_memory_limit_bytes(from.memory_limit_bytes);
  limits.set_oom_score_adj(from.oom_score_adj);
  limits.set_cpuset_cpus(from.cpuset_cpus);
  limits.set_cpuset_cgroup(from.cpuset_cgroup);
  limits.set_percentticks(from.percent_ticks);
}
}  // namespace

TaskConfig read(const pb::TaskConfig& in) {
  TaskConfig out;
  out.id = in.id();
  out.name = in.name();
  out.job_name = in.job_name();
  out.task_group_name = in.task_group_name();
  out.alloc_id = in.alloc_id();
  out.namespace_ = in.namespace_();
  out.node_name = in.node_name();
  out.node_id = in.node_id();
  out.job_id = in.job_id();
  out.parent_job_id = in.parent_job_id();
  out.driver_config = in.msgpack_driver_config();
  out.env = read_map(in.env());
  out.device_env = read_map(in.device_env());
  if (in.has_resources()) out.resources = read(in.resources());
  for (const auto& device : in.devices()) out.devices.push_back({device.task_path(), device.host_path(), device.cgroup_permissions()});
  for (const auto& mount : in.mounts()) {
    out.mounts.push_back({mount.task_path(), mount.host_path(), mount.readonly(), mount.propagation_mode(), mount.selinux_label()});
  }
  out.user = in.user();
  out.alloc_dir = in.alloc_dir();
  out.stdout_path = in.stdout_path();
  out.stderr_path = in.stderr_path();
  if (in.has_network_isolation_spec()) out.network_isolation = read(in.network_isolation_spec());
  if (in.has_dns()) out.dns = DnsConfig{read_list(in.dns().servers()), read_list(in.dns().searches()), read_list(in.dns().options())};
  return out;
}
void write(const TaskConfig& in, pb::TaskConfig& out) {
  out.set_id(in.id);
  out.set_name(in.name);
  out.set_job_name(in.job_name);
  out.set_task_group_name(in.task_group_name);
  out.set_alloc_id(in.alloc_id);
  out.set_namespace_(in.namespace_);
  out.set_node_name(in.node_name);
  out.set_node_id(in.node_id);
  out.set_job_id(in.job_id);
  out.set_parent_job_id(in.parent_job_id);
  out.set_msgpack_driver_config(in.driver_config);
  write_map(in.env, *out.mutable_env());
  write_map(in.device_env, *out.mutable_device_env());
  write(in.resources.value_or(Resources{}), *out.mutable_resources());
  for (const Device& device : in.devices) {
    auto& to = *out.add_devices();
    to.set_task_path(device.task_path);
    to.set_host_path(device.host_path);
    to.set_cgroup_permissions(device.permissions);
  }
  for (const Mount& mount : in.mounts) {
    auto& to = *out.add_mounts();
    to.set_task_path(mount.task_path);
    to.set_host_path(mount.host_path);
    to.set_readonly(mount.readonly);
    to.set_propagation_mode(mount.propagation_mode);
    to.set_selinux_label(mount.selinux_label);
  }
  out.set_user(in.user);
  out.set_alloc_dir(in.alloc_dir);
  out.set_stdout_path(in.stdout_path);
  out.set_stderr_path(in.stderr_path);
  if (in.network_isolation) write(*in.network_isolation, *out.mutable_network_isolation_spec());
  if (!in.dns) return;
  for (const auto& server : in.dns->servers) out.mutable_dns()->add_servers(server);
  for (const auto& search : in.dns->searches) out.mutable_dns()->add_searches(search);
  for (const auto& option : in.dns->options) out.mutable_dns()->add_options(option);
}

TaskHandle read(const pb::TaskHandle& in) {
  TaskHandle out;
  out.version = in.version();
  out.config = read(in.config());
  out.state = read_enum(in.state(), TaskState::exited, TaskState::unknown);
  out.driver_state = in.driver_state();
  out.encoded = in.SerializeAsString();
  return out;
}
void write(const TaskHandle& in, pb::TaskHandle& out) {
  out.set_version(in.version);
  write(in.config, *out.mutable_config());
  out.set_state(static_cast<pb::TaskState>(in.state));
  out.set_driver_state(in.driver_state);
}

DriverNetwork read(const pb::NetworkOverride& in) {
  return {.port_map = {in.port_map().begin(), in.port_map().end()}, .ip = in.addr(), .auto_advertise = in.auto_advertise()};
}
void write(const DriverNetwork& in, pb::NetworkOverride& out) {
  for (const auto& [label, port] : in.port_map) (*out.mutable_port_map())[label] = port;
  out.set_addr(in.ip);
  out.set_auto_advertise(in.auto_advertise);
}

ExitResult read(const pb::ExitResult& in) { return {.exit_code = in.exit_code(), .signal = in.signal(), .oom_killed = in.oom_killed(), .error = {}}; }
void write(const ExitResult& in, pb::ExitResult& out) {
  out.set_exit_code(in.exit_code);
  out.set_signal(in.signal);
  out.set_oom_killed(in.oom_killed);
}

TaskStatus read(const pb::InspectTaskResponse& in) {
  TaskStatus out;
  out.id = in.task().id();
  out.name = in.task().name();
  out.state = read_enum(in.task().state(), TaskState::exited, TaskState::unknown);
  out.started_at = read(in.task().started_at());
  out.completed_at = read(in.task().completed_at());
  if (in.task().has_result() && out.state == TaskState::exited) out.exit_result = read(in.task().result());
  out.driver_attributes = read_map(in.driver().attributes());
  if (in.has_network_override()) out.network = read(in.network_override());
  return out;
}
void write(const TaskStatus& in, pb::InspectTaskResponse& out) {
  auto& task = *out.mutable_task();
  task.set_id(in.id);
  task.set_name(in.name);
  task.set_state(static_cast<pb::TaskState>(in.state));
  write(in.started_at, *task.mutable_started_at());
  write(in.completed_at, *task.mutable_completed_at());
  write(in.exit_result.value_or(ExitResult{}), *task.mutable_result());
  write_map(in.driver_attributes, *out.mutable_driver()->mutable_attributes());
  if (in.network) write(*in.network, *out.mutable_network_override());
}

namespace {
constexpr const char* cpu_names[] = {"System Mode", "User Mode", "Total Ticks", "Throttled Periods", "Throttled Time", "Percent"};
constexpr const char* memory_names[] = {"RSS", "Cache", "Max Usage", "Kernel Usage", "Kernel Max Usage", "Usage", "Swap"};

template <class List, std::size_t N>
std::vector<std::string> read_measured(const List& in, const char* const (&names)[N]) {
  std::vector<std::string> out;
  for (const int field : in) {
    if (field >= 0 && field < static_cast<int>(N)) out.emplace_back(names[field]);
  }
  return out;
}
template <std::size_t N>
int field_of(const std::string& name, const char* const (&names)[N]) {
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<int>(i);
  }
  return -1;
}

ResourceUsage read(const pb::TaskResourceUsage& in) {
  ResourceUsage out;
  out.cpu = {.system_mode = finite(in.cpu().system_mode()), .user_mode = finite(in.cpu().user_mode()), .total_ticks = finite(in.cpu().total_ticks()),
             .percent = finite(in.cpu().percent()), .throttled_periods = in.cpu().throttled_periods(), .throttled_time = in.cpu().throttled_time(),
             .measured = read_measured(in.cpu().measured_fields(), cpu_names)};
  out.memory = {.rss = in.memory().rss(), .cache = in.memory().cache(), .max_usage = in.memory().max_usage(), .kernel_usage = in.memory().kernel_usage(),
                .kernel_max_usage = in.memory().kernel_max_usage(), .usage = in.memory().usage(), .swap = in.memory().swap(), .mapped_file = 0,
                .measured = read_measured(in.memory().measured_fields(), memory_names)};
  return out;
}
void write(const ResourceUsage& in, pb::TaskResourceUsage& out) {
  auto& cpu = *out.mutable_cpu();
  cpu.set_system_mode(in.cpu.system_mode);
  cpu.set_user_mode(in.cpu.user_mode);
  cpu.set_total_ticks(in.cpu.total_ticks);
  cpu.set_percent(in.cpu.percent);
  cpu.set_throttled_periods(in.cpu.throttled_periods);
  cpu.set_throttled_time(in.cpu.throttled_time);
  for (const auto& name : in.cpu.measured) {
    if (const int field = field_of(name, cpu_names); field >= 0) cpu.add_measured_fields(static_cast<pb::CPUUsage_Fields>(field));
  }
  auto& memory = *out.mutable_memory();
  memory.set_rss(in.memory.rss);
  memory.set_cache(in.memory.cache);
  memory.set_max_usage(in.memory.max_usage);
  memory.set_kernel_usage(in.memory.kernel_usage);
  memory.set_kernel_max_usage(in.memory.kernel_max_usage);
  memory.set_usage(in.memory.usage);
  memory.set_swap(in.memory.swap);
  for (const auto& name : in.memory.measured) {
    if (const int field = field_of(name, memory_names); field >= 0) memory.add_measured_fields(static_cast<pb::MemoryUsage_Fields>(field));
  }
}
}  // namespace

TaskStats read(const pb::TaskStats& in) {
  TaskStats out;
  out.id = in.id();
  out.timestamp = read(in.timestamp());
  out.total = read(in.agg_resource_usage());
  for (const auto& [pid, usage] : in.resource_usage_by_pid()) out.by_pid.emplace(pid, read(usage));
  return out;
}
void write(const TaskStats& in, pb::TaskStats& out) {
  out.set_id(in.id);
  write(in.timestamp, *out.mutable_timestamp());
  write(in.total, *out.mutable_agg_resource_usage());
  for (const auto& [pid, usage] : in.by_pid) write(usage, (*out.mutable_resource_usage_by_pid())[pid]);
}

TaskEvent read(const pb::DriverTaskEvent& in) {
  return {.task_id = in.task_id(), .alloc_id = in.alloc_id(), .task_name = in.task_name(), .timestamp = read(in.timestamp()),
          .message = in.message(), .annotations = read_map(in.annotations()), .err = {}};
}
void write(const TaskEvent& in, pb::DriverTaskEvent& out) {
  out.set_task_id(in.task_id);
  out.set_alloc_id(in.alloc_id);
  out.set_task_name(in.task_name);
  write(in.timestamp, *out.mutable_timestamp());
  out.set_message(in.message);
  write_map(in.annotations, *out.mutable_annotations());
}

void write(const plugin::NodeTopology& in, hashicorp::nomad::plugins::base::proto::NomadDriverConfig& out) {
  out.set_clientmaxport(in.max_port);
  out.set_clientminport(in.min_port);
  auto& topology = *out.mutable_topology();
  for (const auto node : in.numa_nodes) topology.add_node_ids(node);
  topology.mutable_distances()->set_dimension(static_cast<std::uint32_t>(in.numa_nodes.size()));
  // Readers index without a check: exactly dimension x dimension values.
  const std::size_t wanted = in.numa_nodes.size() * in.numa_nodes.size();
  for (std::size_t i = 0; i < wanted; ++i) topology.mutable_distances()->add_values(i < in.distances.size() ? in.distances[i] : 10);
  auto cores = in.cores;
  if (cores.empty()) cores.push_back({.base_mhz = 1000, .max_mhz = 1000, .guess_mhz = 1000});
  for (const auto& core : cores) {
    auto& to = *topology.add_cores();
    to.set_socket_id(core.socket);
    to.set_node_id(core.node);
    to.set_core_id(core.core);
    to.set_core_grade(core.efficiency ? hashicorp::nomad::plugins::base::proto::Efficiency : hashicorp::nomad::plugins::base::proto::Performance);
    to.set_disable(core.disabled);
    to.set_base_speed(core.base_mhz);
    to.set_max_speed(core.max_mhz);
    to.set_guess_speed(core.guess_mhz);
  }
  topology.set_override_total_compute(in.override_total_mhz);
  topology.set_override_withold_compute(in.withheld_mhz);
}

}  // namespace drover::driver
