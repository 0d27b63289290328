// The launch and exec specs as the executor sees them: pointers into the mapped memfd, checked before the first clone. A
// Spec and its mapping are released as soon as the child lives on its own copy; what is needed longer is copied out.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "sdk/executor/syscalls.h"
#include "sdk/executor/wire.h"

namespace drover::executor {

inline constexpr std::size_t max_groups = 64;
inline constexpr std::size_t max_mounts = 256;
inline constexpr std::size_t max_mount_options = 8;
inline constexpr std::size_t max_limits = 16;
inline constexpr std::size_t max_landlock_rules = 64;
inline constexpr std::size_t max_filter_bytes = 4096 * 8;  // the kernel takes 4096 instructions

struct Mount {
  MountKind kind{};
  const char* source = "";
  const char* target = "";
  const char* upper = "";
  const char* work = "";
  const char* options[max_mount_options] = {};
  std::size_t option_count = 0;
  std::uint64_t flags = 0;
  mode_t mode = 0755;
};

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  gid_t groups[max_groups] = {};
  std::size_t group_count = 0;
};

struct Limit {
  int resource = 0;
  std::uint64_t soft = 0, hard = 0;
};

struct LandlockRule {
  const char* path = "";
  std::uint64_t access = 0;
};

// What a task may, and every session in it. The pointers are into the mapped specification.
struct Rights {
  User user;
  std::uint64_t capabilities = 0;
  Limit limits[max_limits];
  std::size_t limit_count = 0;
  const char* filter = nullptr;  // BPF instructions of seccomp
  std::size_t filter_size = 0;
  const LandlockRule* landlock = nullptr;
  std::size_t landlock_count = 0;
};

// Memory that lives from the reading of a spec until the child is cloned.
class SpecMemory {
 public:
  SpecMemory() = default;
  SpecMemory(const SpecMemory&) = delete;
  SpecMemory& operator=(const SpecMemory&) = delete;
  ~SpecMemory() { release(); }
  void release();
  // Maps a sealed memfd. Its content can no longer change, so what was checked stays true.
  Failure map(int fd);
  // Zeroed memory beside it, released with it.
  void* allocate(std::size_t bytes);
  [[nodiscard]] const char* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
  void* extra_ = nullptr;
  std::size_t extra_size_ = 0;
};

struct Spec {
  const char* id = "";
  const char* boot_id = "";
  const char* executable = nullptr;
  char** arguments = nullptr;    // ends with null
  char** environment = nullptr;  // ends with null
  const char* directory = "/";
  Rights rights;
  std::uint64_t flags = 0;
  int oom_score_adj = 0;
  const char* hostname = nullptr;
  const char* root = nullptr;
  const Mount* mounts = nullptr;
  std::size_t mount_count = 0;
  const char* cgroup = "";
  int cgroup_fd = -1;
  int network_fd = -1;
  int user_namespace_fd = -1;
  int mount_base_fd = -1;
  uid_t user_namespace_first = 0;
  int log_dir_fd = -1;
  const char* stdout_name = nullptr;
  const char* stderr_name = nullptr;
  std::uint64_t log_max_files = 10;
  std::uint64_t log_max_bytes = 10u << 20;
  int stdout_fd = -1;
  int stderr_fd = -1;
  FailPoint fail_point = FailPoint::none;
  unsigned short rows = 0;
  unsigned short columns = 0;

  [[nodiscard]] bool has(std::uint64_t bit) const { return (flags & bit) != 0; }
};

// Reads and checks a spec of the given type (a launch spec of either version) from a memfd.
Failure read_spec(int fd, Type type, SpecMemory& memory, Spec& spec);

}  // namespace drover::executor
