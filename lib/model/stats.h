// Resource usage of hosts, allocations and tasks.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct StatValue {
  std::optional<double> float_numerator_val;
  std::optional<double> float_denominator_val;
  std::optional<std::int64_t> int_numerator_val;
  std::optional<std::int64_t> int_denominator_val;
  std::optional<std::string> string_val;
  std::optional<bool> bool_val;
  std::string unit;
  std::string desc;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("FloatNumeratorVal", self.float_numerator_val, omit_empty);
    v("FloatDenominatorVal", self.float_denominator_val, omit_empty);
    v("IntNumeratorVal", self.int_numerator_val, omit_empty);
    v("IntDenominatorVal", self.int_denominator_val, omit_empty);
    v("StringVal", self.string_val, omit_empty);
    v("BoolVal", self.bool_val, omit_empty);
    v("Unit", self.unit, omit_empty);
    v("Desc", self.desc, omit_empty);
  }
  friend bool operator==(const StatValue&, const StatValue&) = default;
};

struct StatObject {
  Map<StatObject> nested;
  Map<StatValue> attributes;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Nested", self.nested);
    v("Attributes", self.attributes);
  }
  friend bool operator==(const StatObject&, const StatObject&) = default;
};

struct DeviceStats {
  Box<StatValue> summary;
  Box<StatObject> stats;
  Time timestamp;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Summary", self.summary);
    v("Stats", self.stats);
    v("Timestamp", self.timestamp);
  }
  friend bool operator==(const DeviceStats&, const DeviceStats&) = default;
};

struct DeviceGroupStats {
  std::string vendor;
  std::string type;
  std::string name;
  Map<DeviceStats> instance_stats;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Vendor", self.vendor);
    v("Type", self.type);
    v("Name", self.name);
    v("InstanceStats", self.instance_stats);
  }
  friend bool operator==(const DeviceGroupStats&, const DeviceGroupStats&) = default;
};

struct CpuStats {
  double system_mode = 0;
  double user_mode = 0;
  double total_ticks = 0;
  std::uint64_t throttled_periods = 0;
  std::uint64_t throttled_time = 0;
  double percent = 0;
  List<std::string> measured;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SystemMode", self.system_mode);
    v("UserMode", self.user_mode);
    v("TotalTicks", self.total_ticks);
    v("ThrottledPeriods", self.throttled_periods);
    v("ThrottledTime", self.throttled_time);
    v("Percent", self.percent);
    v("Measured", self.measured);
  }
  friend bool operator==(const CpuStats&, const CpuStats&) = default;
};

struct MemoryStats {
  std::uint64_t rss = 0;
  std::uint64_t cache = 0;
  std::uint64_t swap = 0;
  std::uint64_t mapped_file = 0;
  std::uint64_t usage = 0;
  std::uint64_t max_usage = 0;
  std::uint64_t kernel_usage = 0;
  std::uint64_t kernel_max_usage = 0;
  List<std::string> measured;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("RSS", self.rss);
    v("Cache", self.cache);
    v("Swap", self.swap);
    v("MappedFile", self.mapped_file);
    v("Usage", self.usage);
    v("MaxUsage", self.max_usage);
    v("KernelUsage", self.kernel_usage);
    v("KernelMaxUsage", self.kernel_max_usage);
    v("Measured", self.measured);
  }
  friend bool operator==(const MemoryStats&, const MemoryStats&) = default;
};

struct ResourceUsage {
  Box<MemoryStats> memory_stats;
  Box<CpuStats> cpu_stats;
  List<DeviceGroupStats> device_stats;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("MemoryStats", self.memory_stats);
    v("CpuStats", self.cpu_stats);
    v("DeviceStats", self.device_stats);
  }
  friend bool operator==(const ResourceUsage&, const ResourceUsage&) = default;
};

struct HostMemoryStats {
  std::uint64_t total = 0;
  std::uint64_t available = 0;
  std::uint64_t used = 0;
  std::uint64_t free = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Total", self.total);
    v("Available", self.available);
    v("Used", self.used);
    v("Free", self.free);
  }
  friend bool operator==(const HostMemoryStats&, const HostMemoryStats&) = default;
};

struct CPUStats {
  std::string cpu;
  double user = 0;
  double system = 0;
  double idle = 0;
  double total_percent = 0;
  double total_ticks = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("CPU", self.cpu);
    v("User", self.user);
    v("System", self.system);
    v("Idle", self.idle);
    v("TotalPercent", self.total_percent);
    v("TotalTicks", self.total_ticks);
  }
  friend bool operator==(const CPUStats&, const CPUStats&) = default;
};

struct TaskResourceUsage {
  Box<ResourceUsage> resource_usage;
  std::int64_t timestamp = 0;
  Map<ResourceUsage> pids;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ResourceUsage", self.resource_usage);
    v("Timestamp", self.timestamp);
    v("Pids", self.pids);
  }
  friend bool operator==(const TaskResourceUsage&, const TaskResourceUsage&) = default;
};

struct DiskStats {
  std::string device;
  std::string mountpoint;
  std::uint64_t size = 0;
  std::uint64_t used = 0;
  std::uint64_t available = 0;
  double used_percent = 0;
  double inodes_used_percent = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Device", self.device);
    v("Mountpoint", self.mountpoint);
    v("Size", self.size);
    v("Used", self.used);
    v("Available", self.available);
    v("UsedPercent", self.used_percent);
    v("InodesUsedPercent", self.inodes_used_percent);
  }
  friend bool operator==(const DiskStats&, const DiskStats&) = default;
};

struct HostStats {
  Box<HostMemoryStats> memory;
  List<CPUStats> cpu;
  List<DiskStats> disk_stats;
  Box<DiskStats> alloc_dir_stats;
  List<DeviceGroupStats> device_stats;
  std::uint64_t uptime = 0;
  std::int64_t timestamp = 0;
  double cpu_ticks_consumed = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Memory", self.memory);
    v("CPU", self.cpu);
    v("DiskStats", self.disk_stats);
    v("AllocDirStats", self.alloc_dir_stats);
    v("DeviceStats", self.device_stats);
    v("Uptime", self.uptime);
    v("Timestamp", self.timestamp);
    v("CPUTicksConsumed", self.cpu_ticks_consumed);
  }
  friend bool operator==(const HostStats&, const HostStats&) = default;
};

struct AllocResourceUsage {
  Box<ResourceUsage> resource_usage;
  Map<TaskResourceUsage> tasks;
  std::int64_t timestamp = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ResourceUsage", self.resource_usage);
    v("Tasks", self.tasks);
    v("Timestamp", self.timestamp);
  }
  friend bool operator==(const AllocResourceUsage&, const AllocResourceUsage&) = default;
};

}  // namespace drover::model
