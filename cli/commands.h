// Makers of every command; commands.cc lists them with their words and help.
#pragma once

#include <memory>

#include "cli/command.h"

namespace drover::cli {

std::unique_ptr<Command> make_agent();
std::unique_ptr<Command> make_agent_info();
std::unique_ptr<Command> make_alloc_fs();
std::unique_ptr<Command> make_alloc_logs();
std::unique_ptr<Command> make_alloc_restart();
std::unique_ptr<Command> make_alloc_signal();
std::unique_ptr<Command> make_alloc_status();
std::unique_ptr<Command> make_alloc_stop();
std::unique_ptr<Command> make_eval_list();
std::unique_ptr<Command> make_eval_status();
std::unique_ptr<Command> make_job_allocs();
std::unique_ptr<Command> make_job_eval();
std::unique_ptr<Command> make_job_history();
std::unique_ptr<Command> make_job_inspect();
std::unique_ptr<Command> make_fmt();
std::unique_ptr<Command> make_job_plan();
std::unique_ptr<Command> make_job_run();
std::unique_ptr<Command> make_job_status();
std::unique_ptr<Command> make_job_stop();
std::unique_ptr<Command> make_job_validate();
std::unique_ptr<Command> make_node_eligibility();
std::unique_ptr<Command> make_node_status();
std::unique_ptr<Command> make_operator_api();
std::unique_ptr<Command> make_server_members();
std::unique_ptr<Command> make_status();
std::unique_ptr<Command> make_system_gc();
std::unique_ptr<Command> make_system_reconcile();
std::unique_ptr<Command> make_version();

}  // namespace drover::cli
