// What happens in the new process between clone and exec: the stages, in the order the kernel demands, and the typed report
// to the executor. A stage is one function in one file of stages/; it says what failed and never prints.
//
// The report channel is a SOCK_SEQPACKET pair that closes on exec: its end without a report means that the program runs.
#pragma once

#include <array>

#include "plugins/executor/spec.h"
#include "plugins/executor/syscalls.h"

namespace drover::executor {

struct Child {
  const Spec& spec;
  const User& user;
  int report_fd = -1;
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  int task_pidfd = -1;           // exec sessions: whose namespaces are joined
  pid_t task_pid = 0;            // the same process, which is this one's sibling
  std::uint64_t namespaces = 0;  // flags of the task
  int root_fd = -1;              // set by the mounts stage
  Handle terminal;               // set by the terminal stage: the slave side
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
Failure enter_user(Child& child);
Failure enter_exec(Child& child);

// The order, stated once. Attributes need the host's /proc, mounts and pivot need root's rights, the user comes last but
// for the exec, which must not fail half-way for anything that could have been found earlier.
inline constexpr std::array<StageEntry, 6> task_stages{{
    {Stage::attributes, enter_attributes},
    {Stage::namespaces, enter_namespaces},
    {Stage::mounts, enter_mounts},
    {Stage::pivot, enter_pivot},
    {Stage::user, enter_user},
    {Stage::exec, enter_exec},
}};
inline constexpr std::array<StageEntry, 5> session_stages{{
    {Stage::attributes, enter_attributes},
    {Stage::namespaces, enter_namespaces},
    {Stage::terminal, enter_terminal},
    {Stage::user, enter_user},
    {Stage::exec, enter_exec},
}};

// Report of a child. `pid` tells the pid of the second process of a session that joined a pid namespace; `terminal` comes
// with the master as descriptor.
struct Report {
  enum class Kind : std::uint8_t { failure = 1, pid = 2, terminal = 3 };
  Kind kind{};
  Stage stage{};
  int error = 0;
  pid_t pid = 0;
  char detail[240] = {};
};
void send_report(int fd, const Report& report, int descriptor);

// Runs the stages and never returns: exec, or a failure report and _exit.
template <std::size_t N>
[[noreturn]] void run_stages(const std::array<StageEntry, N>& stages, Child& child) {
  for (const auto& entry : stages) {
    const Failure failure = entry.enter(child);
    if (!failure) continue;
    Report report{Report::Kind::failure, entry.stage, failure.error, 0, {}};
    for (std::size_t i = 0; i + 1 < sizeof report.detail && failure.detail[i] != '\0'; ++i) report.detail[i] = failure.detail[i];
    send_report(child.report_fd, report, -1);
    break;
  }
  ::_exit(127);
}

}  // namespace drover::executor
