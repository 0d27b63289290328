// What a task asks for.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/constraint.h"
#include "lib/model/network.h"

namespace drover::model {

struct LogConfig {
  std::int64_t max_files = 0;
  std::int64_t max_file_size_mb = 0;
  bool disabled = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("MaxFiles", self.max_files);
    v("MaxFileSizeMB", self.max_file_size_mb);
    v("Disabled", self.disabled);
  }
  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct NUMA {
  std::string affinity;
  List<std::string> devices;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Affinity", self.affinity);
    v("Devices", self.devices);
  }
  friend bool operator==(const NUMA&, const NUMA&) = default;
};

struct RequestedDevice {
  std::string name;
  std::uint64_t count = 0;
  List<Constraint> constraints;
  List<Affinity> affinities;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Count", self.count);
    v("Constraints", self.constraints);
    v("Affinities", self.affinities);
  }
  friend bool operator==(const RequestedDevice&, const RequestedDevice&) = default;
};

struct Resources {
  std::int64_t cpu = 0;
  std::int64_t cores = 0;
  std::int64_t memory_mb = 0;
  std::int64_t memory_max_mb = 0;
  std::int64_t disk_mb = 0;
  std::int64_t iops = 0;
  List<NetworkResource> networks;
  List<RequestedDevice> devices;
  Box<NUMA> numa;
  std::int64_t secrets_mb = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("CPU", self.cpu);
    v("Cores", self.cores);
    v("MemoryMB", self.memory_mb);
    v("MemoryMaxMB", self.memory_max_mb);
    v("DiskMB", self.disk_mb);
    v("IOPS", self.iops);
    v("Networks", self.networks);
    v("Devices", self.devices);
    v("NUMA", self.numa);
    v("SecretsMB", self.secrets_mb);
  }
  friend bool operator==(const Resources&, const Resources&) = default;
};

}  // namespace drover::model
