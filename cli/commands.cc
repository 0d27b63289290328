// The table of commands: dispatch, help and completion follow from it.
#include "cli/commands.h"

namespace drover::cli {

const std::vector<CommandEntry>& all_commands() {
  static const std::vector<CommandEntry> table{
      {.words = "agent", .synopsis = "Run a Drover agent", .arguments = "[options]", .help = "", .make = make_agent, .general_options = false},
      {.words = "agent-info", .synopsis = "Show what the agent knows about itself", .arguments = "[options]", .help = "", .make = make_agent_info},
      {.words = "alloc fs", .synopsis = "Look into an allocation's directory", .arguments = "[options] <allocation> <path>", .help = "", .make = make_alloc_fs},
      {.words = "alloc logs", .synopsis = "Show a task's log", .arguments = "[options] <allocation> <task>", .help = "", .make = make_alloc_logs},
      {.words = "alloc restart", .synopsis = "Restart the tasks of a running allocation", .arguments = "[options] <allocation> <task>", .help = "", .make = make_alloc_restart},
      {.words = "alloc signal", .synopsis = "Send a signal to the tasks of an allocation", .arguments = "[options] <allocation> <task>", .help = "", .make = make_alloc_signal},
      {.words = "alloc status", .synopsis = "Show an allocation, its tasks and their events", .arguments = "[options] <allocation>", .help = "", .make = make_alloc_status},
      {.words = "alloc stop", .synopsis = "Stop an allocation and let it be placed again", .arguments = "[options] <allocation>", .help = "", .make = make_alloc_stop},
      {.words = "alloc-status", .synopsis = "Show an allocation, its tasks and their events", .arguments = "[options] <allocation>", .help = "", .make = make_alloc_status, .hidden = true, .alias_of = "alloc status"},
      {.words = "eval list", .synopsis = "List evaluations", .arguments = "[options]", .help = "", .make = make_eval_list},
      {.words = "eval status", .synopsis = "Show an evaluation and its placement failures", .arguments = "[options] <evaluation>", .help = "", .make = make_eval_status},
      {.words = "eval-status", .synopsis = "Show an evaluation and its placement failures", .arguments = "[options] <evaluation>", .help = "", .make = make_eval_status, .hidden = true, .alias_of = "eval status"},
      {.words = "fmt", .synopsis = "Bring job files into their canonical layout", .arguments = "[options] <path>...", .help = "", .make = make_fmt, .general_options = false},
      {.words = "fs", .synopsis = "Look into an allocation's directory", .arguments = "[options] <allocation> <path>", .help = "", .make = make_alloc_fs, .alias_of = "alloc fs"},
      {.words = "inspect", .synopsis = "Show a job as it was submitted", .arguments = "[options] <job>", .help = "", .make = make_job_inspect, .alias_of = "job inspect"},
      {.words = "job allocs", .synopsis = "List the allocations of a job", .arguments = "[options] <job>", .help = "", .make = make_job_allocs},
      {.words = "job eval", .synopsis = "Evaluate a job again", .arguments = "[options] <job_id>", .help = "", .make = make_job_eval},
      {.words = "job history", .synopsis = "List the versions of a job", .arguments = "[options] <job>", .help = "", .make = make_job_history},
      {.words = "job inspect", .synopsis = "Show a job as it was submitted", .arguments = "[options] <job>", .help = "", .make = make_job_inspect},
      {.words = "job plan", .synopsis = "Show what registering a job would do", .arguments = "[options] <path>", .help = "", .make = make_job_plan, .flag_error_code = 255},
      {.words = "job run", .synopsis = "Register a job or update it", .arguments = "[options] <path>", .help = "", .make = make_job_run},
      {.words = "job status", .synopsis = "List jobs, or show one", .arguments = "[options] <job>", .help = "", .make = make_job_status},
      {.words = "job stop", .synopsis = "Stop a job", .arguments = "[options] <job>", .help = "", .make = make_job_stop},
      {.words = "job validate", .synopsis = "Check a job file without registering it", .arguments = "[options] <path>", .help = "", .make = make_job_validate},
      {.words = "logs", .synopsis = "Show a task's log", .arguments = "[options] <allocation> <task>", .help = "", .make = make_alloc_logs, .alias_of = "alloc logs"},
      {.words = "node eligibility", .synopsis = "Let the scheduler use a node, or not", .arguments = "[options] <node>", .help = "", .make = make_node_eligibility},
      {.words = "node status", .synopsis = "List nodes, or show one", .arguments = "[options] <node>", .help = "", .make = make_node_status},
      {.words = "node-status", .synopsis = "List nodes, or show one", .arguments = "[options] <node>", .help = "", .make = make_node_status, .hidden = true, .alias_of = "node status"},
      {.words = "operator api", .synopsis = "Send a request to the HTTP API", .arguments = "[options] <path>", .help = "", .make = make_operator_api},
      {.words = "plan", .synopsis = "Show what registering a job would do", .arguments = "[options] <path>", .help = "", .make = make_job_plan, .alias_of = "job plan", .flag_error_code = 255},
      {.words = "run", .synopsis = "Register a job or update it", .arguments = "[options] <path>", .help = "", .make = make_job_run, .alias_of = "job run"},
      {.words = "server members", .synopsis = "List the servers", .arguments = "[options]", .help = "", .make = make_server_members},
      {.words = "server-members", .synopsis = "List the servers", .arguments = "[options]", .help = "", .make = make_server_members, .hidden = true, .alias_of = "server members"},
      {.words = "status", .synopsis = "Show the object an id belongs to, or the jobs", .arguments = "[options] <identifier>", .help = "", .make = make_status},
      {.words = "stop", .synopsis = "Stop a job", .arguments = "[options] <job>", .help = "", .make = make_job_stop, .alias_of = "job stop"},
      {.words = "system gc", .synopsis = "Collect garbage now", .arguments = "[options]", .help = "", .make = make_system_gc},
      {.words = "system reconcile summaries", .synopsis = "Count the summaries of all jobs again", .arguments = "[options]", .help = "", .make = make_system_reconcile},
      {.words = "validate", .synopsis = "Check a job file without registering it", .arguments = "[options] <path>", .help = "", .make = make_job_validate, .alias_of = "job validate"},
      {.words = "version", .synopsis = "Show the version", .arguments = "", .help = "", .make = make_version, .general_options = false},
  };
  return table;
}

}  // namespace drover::cli
