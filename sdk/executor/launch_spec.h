// What an executor is to start, as a value, and its encoding in the executor's wire format. The driver decides everything;
// the executor only carries it out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sdk/executor/wire.h"
#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover {

struct UserIds {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  friend bool operator==(const UserIds&, const UserIds&) = default;
};

// One step of building the task's root; see executor::MountKind for which members count.
struct RootMount {
  executor::MountKind kind{};
  std::string source, target, upper, work;
  std::vector<std::string> options;
  std::uint64_t flags = 0;
  unsigned mode = 0755;
  friend bool operator==(const RootMount&, const RootMount&) = default;
};

// Where one output stream goes: into numbered files of the log directory, or to a path of the host (a FIFO, /dev/null).
struct OutputTarget {
  std::string rotated_name;  // "web.stdout"; empty: `path`
  std::string path;
};

struct ResourceLimit {
  int resource = 0;  // RLIMIT_*
  std::uint64_t soft = 0, hard = 0;
  friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

// A path of the host that a task with Landlock may use.
struct LandlockPath {
  std::string path;
  std::uint64_t access = 0;  // executor::landlock_access
  friend bool operator==(const LandlockPath&, const LandlockPath&) = default;
};

// What confines a task and its sessions beyond namespaces. Nothing of it is asked for by default.
struct Confinement {
  std::optional<std::uint64_t> capabilities;  // empty: what the user has
  bool no_new_privs = false;                  // implied by the next two
  std::string seccomp_filter;                 // BPF instructions
  std::vector<LandlockPath> landlock;
  std::vector<ResourceLimit> limits;
};

struct LaunchSpec {
  std::string id;
  std::string executable;              // absolute, in the task's root
  std::vector<std::string> arguments;  // with argv[0]
  std::vector<std::string> environment;
  std::string directory = "/";
  std::optional<UserIds> user;  // empty: the plugin's own
  std::uint64_t flags = 0;      // executor::flag
  int oom_score_adj = 0;
  Confinement confinement;
  std::string hostname;  // needs executor::flag::uts_namespace
  int user_namespace_fd = -1;  // borrowed
  uid_t user_namespace_first = 0;
  int mount_base_fd = -1;  // borrowed; a mount namespace to start from instead of the plugin's own
  std::string root;  // empty: the host's
  std::vector<RootMount> mounts;
  std::string cgroup;        // directory of a cgroup2 hierarchy, empty: none
  std::string network_path;  // network namespace, empty: the plugin's own
  std::string log_directory;
  OutputTarget stdout_target, stderr_target;
  std::uint64_t log_max_files = 10;
  std::uint64_t log_max_bytes = 10u << 20;
  executor::FailPoint fail_point{};
};

// Descriptors for SpawnOptions::descriptors, with the spec that names them.
struct PreparedLaunch {
  Fd spec;                                // sealed memfd
  std::vector<std::pair<int, Fd>> extra;  // (number in the executor, descriptor)
};
// Opens everything the spec names and encodes it. `boot_id` is the current one.
[[nodiscard]] Result<PreparedLaunch> prepare_launch(const LaunchSpec& spec, const std::string& boot_id);

struct ExecSpec {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string directory = "/";
  int oom_score_adj = 0;
  bool terminal = false;
  unsigned short rows = 0, columns = 0;
};
[[nodiscard]] Result<Fd> encode_exec(const ExecSpec& spec);

// "mounting the root", for messages; empty for a number this build does not know.
[[nodiscard]] std::string_view stage_text(executor::Stage stage);

}  // namespace drover
