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
std::unique_ptr<Command> make_check();
std::unique_ptr<Command> make_config_validate();
std::unique_ptr<Command> make_deployment_fail();
std::unique_ptr<Command> make_deployment_list();
std::unique_ptr<Command> make_deployment_pause();
std::unique_ptr<Command> make_deployment_promote();
std::unique_ptr<Command> make_deployment_resume();
std::unique_ptr<Command> make_deployment_status();
std::unique_ptr<Command> make_deployment_unblock();
std::unique_ptr<Command> make_eval_list();
std::unique_ptr<Command> make_eval_status();
std::unique_ptr<Command> make_job_allocs();
std::unique_ptr<Command> make_job_deployments();
std::unique_ptr<Command> make_job_dispatch();
std::unique_ptr<Command> make_job_eval();
std::unique_ptr<Command> make_job_history();
std::unique_ptr<Command> make_job_init();
std::unique_ptr<Command> make_job_inspect();
std::unique_ptr<Command> make_job_periodic_force();
std::unique_ptr<Command> make_fmt();
std::unique_ptr<Command> make_job_plan();
std::unique_ptr<Command> make_job_promote();
std::unique_ptr<Command> make_job_revert();
std::unique_ptr<Command> make_job_run();
std::unique_ptr<Command> make_job_scale();
std::unique_ptr<Command> make_job_scaling_events();
std::unique_ptr<Command> make_job_start();
std::unique_ptr<Command> make_job_status();
std::unique_ptr<Command> make_job_stop();
std::unique_ptr<Command> make_job_tag_apply();
std::unique_ptr<Command> make_job_tag_unset();
std::unique_ptr<Command> make_job_validate();
std::unique_ptr<Command> make_namespace_apply();
std::unique_ptr<Command> make_namespace_delete();
std::unique_ptr<Command> make_namespace_inspect();
std::unique_ptr<Command> make_namespace_list();
std::unique_ptr<Command> make_namespace_status();
std::unique_ptr<Command> make_node_drain();
std::unique_ptr<Command> make_node_eligibility();
std::unique_ptr<Command> make_node_pool_apply();
std::unique_ptr<Command> make_node_pool_delete();
std::unique_ptr<Command> make_node_pool_info();
std::unique_ptr<Command> make_node_pool_init();
std::unique_ptr<Command> make_node_pool_jobs();
std::unique_ptr<Command> make_node_pool_list();
std::unique_ptr<Command> make_node_pool_nodes();
std::unique_ptr<Command> make_node_status();
std::unique_ptr<Command> make_operator_api();
std::unique_ptr<Command> make_operator_autopilot_get_config();
std::unique_ptr<Command> make_operator_autopilot_health();
std::unique_ptr<Command> make_operator_autopilot_set_config();
std::unique_ptr<Command> make_operator_raft_list_peers();
std::unique_ptr<Command> make_operator_raft_remove_peer();
std::unique_ptr<Command> make_operator_raft_transfer();
std::unique_ptr<Command> make_operator_scheduler_get_config();
std::unique_ptr<Command> make_operator_scheduler_set_config();
std::unique_ptr<Command> make_server_members();
std::unique_ptr<Command> make_status();
std::unique_ptr<Command> make_system_gc();
std::unique_ptr<Command> make_system_reconcile();
std::unique_ptr<Command> make_ui();
std::unique_ptr<Command> make_var_init();
std::unique_ptr<Command> make_version();
std::unique_ptr<Command> make_volume_init();

}  // namespace drover::cli
