// Namespaces that are joined rather than made: the allocation's network for a task, all of the task's for an exec session.
// Pid, ipc and uts namespaces of a task are made by clone3 itself, its mount namespace by the mounts stage.
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include <charconv>
#include <cstring>

#include "plugins/executor/child.h"

namespace drover::executor {
namespace {

// A pid namespace is entered by the next child only. CLONE_PARENT makes that child the executor's, which reaps it.
Failure continue_in_pid_namespace(Child& child) {
  clone_args args{};
  args.flags = CLONE_PARENT;
  const long pid = clone3(args);
  if (pid < 0) return failed("entering the task's pid namespace");
  if (pid > 0) {
    send_report(child.report_fd, Report{Report::Kind::pid, Stage::namespaces, 0, static_cast<pid_t>(pid), {}}, -1);
    ::_exit(0);
  }
  if (::setsid() < 0) return failed("setsid");
  return {};
}

// The task's root as a descriptor, opened while the host's /proc is still there. Null without a root of its own.
Handle root_of_task(const Child& child) {
  char path[32] = "/proc/";
  char* end = std::to_chars(path + 6, path + sizeof path - 6, child.task_pid).ptr;
  std::memcpy(end, "/root", 6);
  return Handle(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

Failure enter_namespaces(Child& child) {
  if (child.task_pidfd < 0) {
    const Spec& spec = child.spec;
    if (spec.network_fd >= 0 && ::setns(spec.network_fd, CLONE_NEWNET) != 0) return failed("network namespace");
    // here, since clone3 would take the executor's cgroup for the root of the new namespace.
    if (spec.has(flag::cgroup_namespace) && ::unshare(CLONE_NEWCGROUP) != 0) return failed("cgroup namespace");
    if (spec.hostname != nullptr && ::sethostname(spec.hostname, std::strlen(spec.hostname)) != 0) return failed(spec.hostname);
    return {};
  }
  int flags = 0;
  if ((child.namespaces & flag::mount_namespace) != 0) flags |= CLONE_NEWNS;
  if ((child.namespaces & flag::pid_namespace) != 0) flags |= CLONE_NEWPID;
  if ((child.namespaces & flag::ipc_namespace) != 0) flags |= CLONE_NEWIPC;
  if ((child.namespaces & flag::uts_namespace) != 0) flags |= CLONE_NEWUTS;
  if ((child.namespaces & flag::cgroup_namespace) != 0) flags |= CLONE_NEWCGROUP;
  if (::geteuid() == 0) flags |= CLONE_NEWNET;
  const bool own_mounts = (flags & CLONE_NEWNS) != 0;
  const Handle root = own_mounts ? root_of_task(child) : Handle();
  if (own_mounts && !root) return failed("the task's root");
  // One call joins all of them or none (Linux 5.8).
  if (flags != 0 && ::setns(child.task_pidfd, flags) != 0) return failed("the task's namespaces");
  // setns(2) goes to the root of the mount namespace. That is the host's when the task's root was made in a chroot.
  if (own_mounts && (::fchdir(root.get()) != 0 || ::chroot(".") != 0)) return failed("entering the task's root");
  return (flags & CLONE_NEWPID) != 0 ? continue_in_pid_namespace(child) : Failure{};
}

}  // namespace drover::executor
