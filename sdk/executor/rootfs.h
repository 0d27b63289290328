// The plan of a chroot task's root: which host directories appear in it, and how. Pure: facts about the host come in as
// values, a list of mounts for the executor goes out.
//
// Nothing is copied (client contract 11.4): a directory is bound read-only, or is the lower layer of an overlay whose upper
// layer is the task's own directory when files of the task must show or root may write there.
#pragma once

#include "sdk/executor/launch_spec.h"
#include "sdk/driver/driver.h"

namespace drover {

// One entry of chroot_env with what was found on the host.
struct ChrootEntry {
  enum class Kind : std::uint8_t { missing, directory, file, symlink };
  std::string host, task;
  Kind kind = Kind::missing;
  std::string link_text;        // of a symlink, when it leads to another entry's place
  bool populated = false;       // the task's directory already holds files there
  friend bool operator==(const ChrootEntry&, const ChrootEntry&) = default;
};

// host path -> task path.
[[nodiscard]] std::map<std::string, std::string> default_chroot_env();
// Looks at the host.
[[nodiscard]] std::vector<ChrootEntry> inspect_chroot(const std::map<std::string, std::string>& chroot_env, const std::string& task_dir);

struct RootPlanInput {
  std::string alloc_dir, task_dir;
  std::string work_dir;  // private to the driver, on the file system of task_dir: overlay work directories, generated files
  std::vector<ChrootEntry> entries;
  std::string root_dir;  // empty: task_dir. Else a tree of the job's own, in which the task's directories are mounted
  bool user_is_root = false;
  bool has_cgroup = false;
  bool has_user_namespace = false;  // then nothing is an overlay, which knows no mapping of owners
  std::vector<driver::Mount> mounts;
  std::vector<driver::Device> devices;
  bool own_resolv_conf = false, own_hosts = false;  // files of that name are in work_dir
};
[[nodiscard]] std::vector<RootMount> plan_root(const RootPlanInput& input);
// What cannot be had together with a user namespace.
[[nodiscard]] Result<> check_user_namespace(const RootPlanInput& input);

// The directory or tar file a job's `rootfs` names: relative to the task's directory (an artifact), or absolute below one that the operator
// allows. Resolved by descriptor and without links, so what is returned has none in its last parts.
[[nodiscard]] Result<std::string> find_rootfs(const std::string& rootfs, const std::string& task_dir, const std::vector<std::string>& allowed);

// The path by which a command is executed inside the root: `local/`, the root, the mounts, then the usual directories.
// The files are looked for on the host's side of the plan; nothing is followed through links of the task's directory.
[[nodiscard]] Result<std::string> find_command(const std::string& command, const RootPlanInput& input);

}  // namespace drover
