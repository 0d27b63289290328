// The directories of an allocation and their modes (client.md 3.10). Blocking: call on a pool. Every step is idempotent, so
// that restoring is building again; tmpfs mounts that a reboot took are made anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sdk/base/error.h"

namespace drover::agent {

struct AllocPaths {
  std::string root;  // <alloc_dir>/<alloc id>
  [[nodiscard]] std::string shared() const { return root + "/alloc"; }
  [[nodiscard]] std::string logs() const { return root + "/alloc/logs"; }
  [[nodiscard]] std::string task(const std::string& name) const { return root + "/" + name; }
  [[nodiscard]] std::string local(const std::string& name) const { return task(name) + "/local"; }
  [[nodiscard]] std::string secrets(const std::string& name) const { return task(name) + "/secrets"; }
  [[nodiscard]] std::string private_(const std::string& name) const { return task(name) + "/private"; }
};

// N-004: names that would collide with a directory we make.
[[nodiscard]] Result<> check_task_name(const std::string& name);
[[nodiscard]] Result<> build_alloc_dir(const AllocPaths& paths);
// `secrets_mb` of 0 takes the default of 1 MB. Without root secrets/ and private/ are plain directories of mode 0700.
[[nodiscard]] Result<> build_task_dir(const AllocPaths& paths, const std::string& task, std::int64_t secrets_mb);
// Unmounts whatever is mounted below the root and removes the tree without following links.
[[nodiscard]] Result<> remove_alloc_dir(const AllocPaths& paths);
// Moves alloc/data and each task's local/ from an earlier allocation on the same file system (sticky disks).
[[nodiscard]] Result<> move_ephemeral_data(const AllocPaths& from, const AllocPaths& to, const std::vector<std::string>& tasks);

}  // namespace drover::agent
