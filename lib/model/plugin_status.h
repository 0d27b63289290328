// One plugin of a node as the agent's API and `plugin status` show it. Ours, not the reference's.
#pragma once

#include <string>

#include "lib/model/node_resources.h"
#include "lib/model/types.h"

namespace drover::model {

struct AgentPlugin {
  std::string name;     // from the plugin; its file's before it has answered
  std::string type;     // driver, device, unknown
  std::string version;
  List<std::string> api_versions;
  std::string file;
  std::string digest;   // SHA-256 of the file as it is now
  bool first_party = false;
  std::string phase;    // starting, running, backoff, failed, stopped, skipped
  Time since;           // of this phase
  Time next_start;
  std::int64_t pid = 0;
  bool mutual_tls = false;  // of the agent's channel to it
  std::int64_t restarts = 0;
  std::int64_t tasks = 0;
  std::uint64_t memory_bytes = 0;  // resident
  std::int64_t threads = 0;
  std::int64_t open_files = 0;
  std::string step;     // where it stands, or where it failed
  std::string reason;
  std::string remedy;
  std::string last_error;
  std::string last_error_step;
  Time last_error_time;
  std::string stderr_tail;
  bool healthy = false;
  std::string health_description;
  List<std::string> refused;
  List<NodeDeviceResource> devices;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Type", self.type);
    v("Version", self.version);
    v("APIVersions", self.api_versions);
    v("File", self.file);
    v("Digest", self.digest);
    v("FirstParty", self.first_party);
    v("Phase", self.phase);
    v("Since", self.since);
    v("NextStart", self.next_start);
    v("PID", self.pid);
    v("MutualTLS", self.mutual_tls);
    v("Restarts", self.restarts);
    v("Tasks", self.tasks);
    v("MemoryBytes", self.memory_bytes);
    v("Threads", self.threads);
    v("OpenFiles", self.open_files);
    v("Step", self.step);
    v("Reason", self.reason);
    v("Remedy", self.remedy);
    v("LastError", self.last_error);
    v("LastErrorStep", self.last_error_step);
    v("LastErrorTime", self.last_error_time);
    v("Stderr", self.stderr_tail);
    v("Healthy", self.healthy);
    v("HealthDescription", self.health_description);
    v("Refused", self.refused);
    v("Devices", self.devices);
  }
};

}  // namespace drover::model
