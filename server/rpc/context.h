// What every handler works with. Owned by the Server; outlives the handlers. Loop only.
#pragma once

#include <string>

#include "lib/wire/caller.h"
#include "sdk/async/pool.h"
#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "server/fsm/writer.h"
#include "server/gc/collector.h"
#include "server/nodes/heartbeats.h"
#include "server/rpc/hooks.h"
#include "server/scheduler/scheduler.h"

namespace drover::cluster {
class Cluster;
}

namespace drover::rpc {

struct Context {
  Executor executor;
  Scope& scope;
  fsm::Fsm& fsm;
  fsm::Writer& writer;
  const Clock& clock;
  Rng& rng;
  Logger log;
  Hooks hooks;
  std::string node_id;         // of this server
  std::string name;
  std::string region;
  std::string datacenter;
  std::string advertise_rpc;
  std::string build;
  bool keeps_data = true;      // false with -dev
  std::string data_dir;        // for files on their way: that of the server role, /tmp with -dev
  std::int64_t job_tracked_versions = 6;
  std::size_t job_max_source_size = 1'000'000;
  std::int64_t job_max_priority = 100;
  gc::GcOptions gc;
  Pool* files = nullptr;       // for work on whole states
  cluster::Cluster* cluster = nullptr;  // null in tests with a log of their own: this server is then the only one
  // A heartbeat of a node: answers the time to the next one.
  std::function<std::chrono::nanoseconds(const std::string& node_id)> heartbeat;
  // The scheduler, for `job plan`.
  std::function<std::unique_ptr<scheduler::EvalRun>(model::Evaluation evaluation, Rng& rng)> make_run;
  // Set when the server shuts down: parked queries return.
  bool stopping = false;
};

[[nodiscard]] inline std::string namespace_or_default(const std::string& text) { return text.empty() ? "default" : text; }

// False for jobs that only have children: periodic and parameterized ones.
[[nodiscard]] bool has_evals(const model::Job& job);

// An evaluation that asks the scheduler to look at a job again.
[[nodiscard]] std::shared_ptr<model::Evaluation> new_eval(Context& c, const model::Job& job, std::string_view trigger);

// Go's multierror: "2 errors occurred:\n\t* a\n\t* b\n\n"; empty without errors.
[[nodiscard]] std::string error_list(const std::vector<std::string>& errors);
// "1 warning:\n\n* text"; empty without warnings.
[[nodiscard]] std::string warning_list(const std::vector<std::string>& warnings);

// Refuses an id that is not 36 characters long, in the words of the table's lookup: `node lookup failed: index error: ...`.
[[nodiscard]] Result<> check_uuid(std::string_view what, std::string_view id);
// The canonical form of an id prefix, hyphens in their places; refuses odd lengths and other characters.
[[nodiscard]] Result<std::string> uuid_prefix(std::string_view what, std::string_view prefix);

// Registers the handlers of one file each.
void add_job_reads(Context& c, wire::Registry& registry);
void add_job_writes(Context& c, wire::Registry& registry);
void add_job_plan(Context& c, wire::Registry& registry);
void add_job_scaling(Context& c, wire::Registry& registry);
void add_job_versions(Context& c, wire::Registry& registry);
void add_job_dispatch(Context& c, wire::Registry& registry);
void add_job_why(Context& c, wire::Registry& registry);
void add_job_statuses(Context& c, wire::Registry& registry);
void add_space_handlers(Context& c, wire::Registry& registry);
void add_search_handlers(Context& c, wire::Registry& registry);
void add_alloc_handlers(Context& c, wire::Registry& registry);
void add_eval_handlers(Context& c, wire::Registry& registry);
void add_deployment_handlers(Context& c, wire::Registry& registry);
void add_deployment_writes(Context& c, wire::Registry& registry);
void add_node_reads(Context& c, wire::Registry& registry);
void add_node_writes(Context& c, wire::Registry& registry);
void add_node_drain(Context& c, wire::Registry& registry);
void add_volume_handlers(Context& c, wire::Registry& registry);
void add_operator_handlers(Context& c, wire::Registry& registry);
void add_cluster_handlers(Context& c, wire::Registry& registry);
// All of them.
void register_endpoints(Context& c, wire::Registry& registry);

}  // namespace drover::rpc
