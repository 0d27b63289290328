// One transaction on the tables: the rules of storing each kind of object, with everything derived from it.
//
// A value with its own version of the tables: dropping it undoes it. Deterministic: ids and times come with the objects, the
// only number made here is the entry's index. Call finish() last: it derives the status of the jobs that were touched.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sdk/base/error.h"
#include "server/state/change.h"

namespace drover::state {

// What changes of a node's drain. No strategy: it ends, with a status of "complete" or "canceled".
struct NodeDrainChange {
  model::Box<model::DrainStrategy> strategy;
  bool mark_eligible = false;
  std::string status;
  std::string accessor_id;
  model::Map<std::string> meta;
};

class Txn {
 public:
  Txn(Tables tables, std::uint64_t index) : t_(std::move(tables)), index_(index) { t_.index = index; }

  [[nodiscard]] const Tables& tables() const { return t_; }
  [[nodiscard]] const Changes& changes() const { return changes_; }
  [[nodiscard]] Tables take() && { return std::move(t_); }
  [[nodiscard]] std::uint64_t index() const { return index_; }

  // Nodes. Registration keeps what belongs to the servers: eligibility, drain, events, indexes.
  void put_node(model::Node node, const model::NodeEvent* event);
  void put_node_status(std::string_view id, std::string_view status, std::int64_t updated_at, const model::NodeEvent* event);
  void put_node_eligibility(std::string_view id, std::string_view eligibility, std::int64_t updated_at, const model::NodeEvent* event);
  void put_node_drain(std::string_view id, const NodeDrainChange& change, std::int64_t updated_at, const model::NodeEvent* event);
  void delete_node(std::string_view id);
  void put_node_pool(model::NodePool pool);
  void delete_node_pool(std::string_view name);
  void put_namespace(model::Namespace item);
  void delete_namespace(std::string_view name);

  // Jobs. The same specification again only touches indexes; a changed one becomes the next version.
  void put_job(model::Job job, const model::JobSubmission* submission, std::size_t tracked_versions);
  void stop_job(std::string_view namespace_, std::string_view id, std::int64_t submit_time);
  void purge_job(std::string_view namespace_, std::string_view id);
  void put_stability(std::string_view namespace_, std::string_view id, std::uint64_t version, bool stable);
  // Names a version; taking a name away, or moving it, first takes it from whichever version has it.
  [[nodiscard]] Result<> put_version_tag(std::string_view namespace_, std::string_view id, std::uint64_t version, const model::JobVersionTag& tag);
  [[nodiscard]] Result<> delete_version_tag(std::string_view namespace_, std::string_view id, std::string_view name);
  void put_scaling_event(std::string_view namespace_, std::string_view job_id, std::string_view group, model::ScalingEvent event);
  void reconcile_summaries();

  // A registered volume is pending until its node offers it.
  void put_host_volume(model::HostVolume volume);
  // An error when there is no such volume, or, unless forced, when an allocation that has not ended uses it.
  [[nodiscard]] Result<> delete_host_volume(std::string_view namespace_, std::string_view id, bool force);
  [[nodiscard]] Result<> delete_volume_claim(std::string_view id);

  void put_eval(model::Evaluation eval);
  // A plan of this evaluation was applied.
  void touch_eval(std::string_view id, std::int64_t now);
  void delete_eval(std::string_view id);

  // An allocation of a plan. `job` is given to one that has none.
  void put_planned_alloc(model::Allocation alloc, const JobPtr& job);
  // What a plan stops: only the desired fields of `alloc` count, and a client status of lost or unknown.
  void stop_planned_alloc(const model::Allocation& alloc);
  // Only the fields a client owns count.
  void put_client_alloc(const model::Allocation& alloc, std::int64_t now);
  void put_desired_transition(std::string_view id, const model::DesiredTransition& transition, std::int64_t now);
  void delete_alloc(std::string_view id);
  // The nodes' "has reported since" mark.
  void mark_alloc_update(std::string_view node_id);

  void put_deployment(model::Deployment deployment);
  // A plan's deployment: of one that exists only what the scheduler decides is taken, the counters stay.
  void put_planned_deployment(model::Deployment deployment);
  void put_deployment_status(const model::DeploymentStatusUpdate& update);
  // An error when there is no such deployment or it has ended.
  [[nodiscard]] Result<> check_active(std::string_view deployment_id) const;
  // Refused, with the groups' counts, when canaries that must be healthy are not.
  [[nodiscard]] Result<> promote_deployment(std::string_view id, bool all, const model::List<std::string>& groups, std::int64_t now);
  [[nodiscard]] Result<> put_alloc_health(std::string_view deployment_id, const model::List<std::string>& allocs, bool healthy,
                                          std::int64_t now);
  void delete_deployment(std::string_view id);
  void put_scheduler_config(model::SchedulerConfiguration config);
  void put_autopilot(model::AutopilotConfiguration config);

  // Derives job statuses. Nothing may be changed afterwards.
  void finish();

 private:
  friend class SnapshotReader;
  using JobKey = std::pair<std::string, std::string>;

  void touched(Table table) { t_.indexes[static_cast<std::size_t>(table)] = index_; }
  void record(Table table, Object before, Object after);
  void store_node(const NodePtr& before, model::Node node, bool bump);
  void store_job(JobPtr job);
  void store_tagged(model::Job job);
  void store_version(const JobPtr& job, std::size_t tracked_versions);
  void store_summary(model::JobSummary summary);
  // Notes when a periodic job was registered, or a child of one launched; forgets a job that is periodic no more.
  void note_launch(const model::Job& job);
  void store_launch(std::string_view namespace_, std::string_view id, std::optional<std::int64_t> launch);
  // Gives the job's policies their targets, and the ids of those already stored for them.
  void adopt_scaling(model::Job& job);
  // Afterwards the stored policies of the job are exactly those of `job`; of none when it is null.
  void store_scaling(std::string_view namespace_, std::string_view id, const model::Job* job);
  void store_host_volume(const HostVolumePtr& before, model::HostVolume volume);
  // What a node offers decides whether its volumes are ready.
  void match_host_volumes(const model::Node& node);
  // A new allocation of a group with sticky volumes claims those of its node.
  void claim_volumes(const model::Allocation& alloc);
  void store_eval(const EvalPtr& before, EvalPtr eval);
  void store_alloc(const AllocPtr& before, AllocPtr alloc);
  void store_deployment(const DeploymentPtr& before, DeploymentPtr deployment);
  void count_in_deployment(const AllocPtr& before, const model::Allocation& alloc);
  void count_in_summary(const AllocPtr& before, const model::Allocation& alloc);
  void count_queued(const model::Evaluation& eval);
  void count_child(const model::Job& job, const std::string& old_status, const std::string& new_status);
  void want_status(std::string_view namespace_, std::string_view id, bool eval_deleted = false);
  [[nodiscard]] std::string derive_status(const model::Job& job, bool eval_deleted) const;

  Tables t_;
  std::uint64_t index_;
  Changes changes_;
  std::map<JobKey, bool> statuses_wanted_;  // to whether an evaluation was deleted
};

// Puts an allocation or evaluation into (or out of) every order it has.
void add_to(Tables& tables, const HostVolumePtr& volume);
void add_to(Tables& tables, const VolumeClaimPtr& claim);
void add_to(Tables& tables, const AllocPtr& alloc);
void remove_from(Tables& tables, const AllocPtr& alloc);
void add_to(Tables& tables, const EvalPtr& eval);
void remove_from(Tables& tables, const EvalPtr& eval);
void add_to(Tables& tables, const DeploymentPtr& deployment);
void remove_from(Tables& tables, const DeploymentPtr& deployment);

// What `Hash` of a namespace or node pool says: another value for other content, whatever the indexes are.
[[nodiscard]] model::Bytes content_hash(const model::Namespace& item);
[[nodiscard]] model::Bytes content_hash(const model::NodePool& pool);

// What keeps a node pool or a namespace from being deleted: "non-terminal jobs", "nodes".
[[nodiscard]] std::vector<std::string> pool_uses(const Tables& tables, std::string_view name);
[[nodiscard]] std::vector<std::string> namespace_uses(const Tables& tables, std::string_view name);

// Whether two jobs ask for the same, apart from what the servers keep in them (version, indexes, status, times).
[[nodiscard]] bool same_specification(const model::Job& a, const model::Job& b);

}  // namespace drover::state
