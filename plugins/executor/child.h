// What happens in the new process between clone and exec: the stages, in the order the kernel demands, and the typed report
// to the executor. A stage is one function in one file of stages/; it says what failed and never prints.
//
// The report channel is a SOCK_SEQPACKET pair that closes on exec: its end without a report means that the program runs.
#pragma once

#include <array>

#include "plugins/executor/spec.h"
#include "sdk/executor/syscalls.h"

namespace drover::executor {

struct Child {
  const Spec& spec;
  int report_fd = -1;
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  bool waits = false;            // for a byte of the executor before the program runs: its record is durable
  int init_fd = -1;              // flag::init: where process 1 says how the program ended
  int task_pidfd = -1;           // exec sessions: whose namespaces are joined
  pid_t task_pid = 0;            // the same process, which is this one's sibling
  std::uint64_t namespaces = 0;  // flags of the task
  // Set by the mounts stage.
  Handle root = {};
  Handle old_root = {};        // what the root will take the place of
  Handle old_root_place = {};  // where that is to be hidden; none: it is to be unmounted
  Handle terminal = {};        // set by the terminal stage: the slave side
};

struct StageEntry {
  Stage stage;
  Failure (*enter)(Child&);
};

Failure enter_attributes(Child& child);
Failure enter_namespaces(Child& child);
Failure enter_mounts(Child& child);
Failure enter_pivot(Child& child);
Failure enter_terminal(Child& child);
Failure enter_bounding(Child& child);
Failure enter_user(Child& child);
Failure enter_capabilities(Child& child);
Failure enter_confine(Child& child);
Failure enter_exec(Child& child);

// The order, stated once. Attributes need the host's /proc, mounts and pivot need root's rights. Rights go in the order of
// bounding set, groups and user, what is left of the capabilities; only then what needs none (Landlock), and last the
// exec, which installs the seccomp filter and must not fail half-way for anything that could have been found earlier.
inline constexpr std::array<StageEntry, 9> task_stages{{
    {Stage::attributes, enter_attributes},
    {Stage::namespaces, enter_namespaces},
    {Stage::mounts, enter_mounts},
    {Stage::pivot, enter_pivot},
    {Stage::bounding, enter_bounding},
    {Stage::user, enter_user},
    {Stage::capabilities, enter_capabilities},
    {Stage::confine, enter_confine},
    {Stage::exec, enter_exec},
}};
inline constexpr std::array<StageEntry, 8> session_stages{{
    {Stage::attributes, enter_attributes},
    {Stage::namespaces, enter_namespaces},
    {Stage::terminal, enter_terminal},
    {Stage::bounding, enter_bounding},
    {Stage::user, enter_user},
    {Stage::capabilities, enter_capabilities},
    {Stage::confine, enter_confine},
    {Stage::exec, enter_exec},
}};

// Report of a child. `pid` tells the pid of the second process of a session that joined a pid namespace; `terminal` comes
// with the master as descriptor, `mounts` with the task's mount namespace.
struct Report {
  enum class Kind : std::uint8_t { failure = 1, pid = 2, terminal = 3, mounts = 4 };
  Kind kind{};
  Stage stage{};
  int error = 0;
  pid_t pid = 0;
  char detail[240] = {};
};
void send_report(int fd, const Report& report, int descriptor);
// Does not wait.
enum class Arrival : std::uint8_t { report, end, nothing_now };
[[nodiscard]] Arrival receive_report(int fd, Report& report, Handle& descriptor);
[[nodiscard]] Report failure_report(Stage stage, const Failure& failure);

// Process 1 of the task's pid namespace for flag::init (stages/init.cc). Never returns.
[[noreturn]] void run_init(pid_t program, int status_fd);

// Runs the stages and never returns: exec, or a failure report and _exit.
template <std::size_t N>
[[noreturn]] void run_stages(const std::array<StageEntry, N>& stages, Child& child) {
  for (const auto& entry : stages) {
    const Failure failure = entry.enter(child);
    if (!failure) continue;
    send_report(child.report_fd, failure_report(entry.stage, failure), -1);
    break;
  }
  ::_exit(127);
}

}  // namespace drover::executor
