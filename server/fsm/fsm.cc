#include "server/fsm/fsm.h"

#include "sdk/base/text.h"

namespace drover::fsm {
namespace {

constexpr std::size_t max_refusals = 1024;  // kept for callers that have not asked yet

void put_evals(state::Txn& txn, const EvalList& evals) {
  for (const auto& eval : evals) txn.put_eval(*eval);
}

// Two dispatches with one token that passed each other on the way: the second is refused.
Result<> check_token(const state::Tables& t, const model::Job& job) {
  bool taken = false;
  t.jobs.scan({job.namespace_, job.parent_id}, [&](const state::JobPtr& other) {
    if (other->namespace_ != job.namespace_ || !other->id.starts_with(job.parent_id)) return false;
    taken = other->parent_id == job.parent_id && other->id != job.id && other->dispatch_idempotency_token == job.dispatch_idempotency_token;
    return !taken;
  });
  if (taken) return fail(Code::already_exists, "a dispatch of job \"{}\" with this idempotency token exists", job.parent_id);
  return {};
}

// Something began to use them since the request was admitted.
Result<> check_unused(const std::string& what, const std::vector<std::string>& uses) {
  if (uses.empty()) return {};
  return fail(Code::conflict, "{} has {}", what, join(uses, " and "));
}

Result<> apply_message(state::Txn& txn, const NodeRegister& m) {
  if (m.node) txn.put_node(*m.node, m.event.get());
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const NodeDeregister& m) {
  for (const auto& id : m.node_ids) txn.delete_node(id);
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const NodeUpdateStatus& m) {
  txn.put_node_status(m.node_id, m.status, m.updated_at, m.event.get());
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const NodeEligibility& m) {
  txn.put_node_eligibility(m.node_id, m.eligibility, m.updated_at, m.event.get());
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const NodeDrain& m) {
  state::NodeDrainChange change{.strategy = m.strategy, .mark_eligible = m.mark_eligible, .status = m.status, .accessor_id = m.accessor_id, .meta = m.meta};
  txn.put_node_drain(m.node_id, change, m.updated_at, m.event.get());
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const JobRegister& m) {
  if (!m.job) return fail(Code::invalid_argument, "job is missing");
  const state::JobPtr* current = txn.tables().jobs.find({m.job->namespace_, m.job->id});
  if (m.enforce_index) {
    if (current == nullptr && m.job_modify_index != 0) {
      return fail(Code::conflict, "Enforcing job modify index {}: job does not exist", m.job_modify_index);
    }
    if (current != nullptr && m.job_modify_index == 0) {
      return fail(Code::conflict, "Enforcing job modify index 0: job already exists");
    }
    if (current != nullptr && (*current)->job_modify_index != m.job_modify_index) {
      return fail(Code::conflict, "Enforcing job modify index {}: job exists with conflicting job modify index: {}", m.job_modify_index,
                  (*current)->job_modify_index);
    }
  }
  if (!m.job->dispatch_idempotency_token.empty()) {
    DROVER_TRY(check_token(txn.tables(), *m.job));
  }
  txn.put_job(*m.job, m.submission.get(), static_cast<std::size_t>(m.tracked_versions));
  if (m.scaling) txn.put_scaling_event(m.scaling->namespace_, m.scaling->job_id, m.scaling->group, m.scaling->event);
  if (m.eval) {
    model::Evaluation eval = *m.eval;
    const state::JobPtr* stored = txn.tables().jobs.find({m.job->namespace_, m.job->id});
    eval.job_modify_index = (*stored)->job_modify_index;
    txn.put_eval(std::move(eval));
  }
  return {};
}

Result<> apply_message(state::Txn& txn, const JobDeregister& m) {
  if (m.no_shutdown_delay) {
    std::vector<std::string> ids;
    txn.tables().allocs_job.scan({m.namespace_, m.job_id, {}}, [&](const state::AllocPtr& alloc) {
      if (alloc->namespace_ != m.namespace_ || alloc->job_id != m.job_id) return false;
      if (!state::terminal(*alloc)) ids.push_back(alloc->id);
      return true;
    });
    model::DesiredTransition transition;
    transition.no_shutdown_delay = true;
    for (const auto& id : ids) txn.put_desired_transition(id, transition, m.submit_time);
  }
  if (m.purge) txn.purge_job(m.namespace_, m.job_id);
  else txn.stop_job(m.namespace_, m.job_id, m.submit_time);
  if (m.eval) {
    model::Evaluation eval = *m.eval;
    eval.job_modify_index = txn.index();
    txn.put_eval(std::move(eval));
  }
  return {};
}

Result<> apply_message(state::Txn& txn, const JobBatchDeregister& m) {
  for (const auto& ref : m.jobs) {
    const state::JobPtr* job = txn.tables().jobs.find({ref.namespace_, ref.id});
    // Registered again since the collector looked.
    if (job == nullptr || (*job)->status != "dead") continue;
    txn.purge_job(ref.namespace_, ref.id);
  }
  return {};
}

Result<> apply_message(state::Txn& txn, const EvalUpdate& m) {
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const EvalDelete& m) {
  for (const auto& id : m.evals) txn.delete_eval(id);
  for (const auto& id : m.allocs) txn.delete_alloc(id);
  return {};
}

Result<> apply_message(state::Txn& txn, const AllocClientUpdate& m) {
  for (const auto& alloc : m.allocs) {
    txn.put_client_alloc(*alloc, m.now);
    if (const state::AllocPtr* stored = txn.tables().allocs.find(alloc->id)) txn.mark_alloc_update(std::string((*stored)->node_id));
  }
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const ReconcileSummaries&) {
  txn.reconcile_summaries();
  return {};
}

Result<> apply_message(state::Txn& txn, const PlanResult& m) {
  state::JobPtr job = m.job;
  if (const state::JobPtr* stored = txn.tables().versions.find({m.namespace_, m.job_id, m.job_version})) {
    if (!job || (*stored)->create_index == job->create_index) job = *stored;
  }
  for (const auto& alloc : m.stopped) txn.stop_planned_alloc(*alloc);
  for (const auto& alloc : m.preempted) txn.stop_planned_alloc(*alloc);
  if (m.deployment) txn.put_planned_deployment(*m.deployment);
  for (const auto& update : m.deployment_updates) txn.put_deployment_status(update);
  for (const auto& alloc : m.placed) txn.put_planned_alloc(*alloc, job);
  txn.touch_eval(m.eval_id, m.now);
  put_evals(txn, m.preemption_evals);
  return {};
}

void put_reverted(state::Txn& txn, const std::shared_ptr<const model::Job>& job, std::int64_t tracked_versions) {
  if (job) txn.put_job(*job, nullptr, static_cast<std::size_t>(tracked_versions));
}

void put_deployment_eval(state::Txn& txn, const std::shared_ptr<const model::Evaluation>& eval) {
  if (!eval) return;
  model::Evaluation stored = *eval;
  if (const state::JobPtr* job = txn.tables().jobs.find({eval->namespace_, eval->job_id})) stored.job_modify_index = (*job)->job_modify_index;
  txn.put_eval(std::move(stored));
}

Result<> apply_message(state::Txn& txn, const DeploymentStatus& m) {
  DROVER_TRY(txn.check_active(m.update.deployment_id));
  txn.put_deployment_status(m.update);
  put_reverted(txn, m.job, m.tracked_versions);
  put_deployment_eval(txn, m.eval);
  return {};
}

Result<> apply_message(state::Txn& txn, const DeploymentPromote& m) {
  DROVER_TRY(txn.promote_deployment(m.deployment_id, m.all, m.groups, m.now));
  put_deployment_eval(txn, m.eval);
  return {};
}

Result<> apply_message(state::Txn& txn, const DeploymentHealth& m) {
  DROVER_TRY(txn.check_active(m.deployment_id));
  DROVER_TRY(txn.put_alloc_health(m.deployment_id, m.healthy, true, m.now));
  DROVER_TRY(txn.put_alloc_health(m.deployment_id, m.unhealthy, false, m.now));
  if (m.update) txn.put_deployment_status(*m.update);
  put_reverted(txn, m.job, m.tracked_versions);
  put_deployment_eval(txn, m.eval);
  return {};
}

Result<> apply_message(state::Txn& txn, const JobStability& m) {
  txn.put_stability(m.namespace_, m.job_id, m.version, m.stable);
  return {};
}

Result<> apply_message(state::Txn& txn, const DeploymentDelete& m) {
  for (const auto& id : m.deployments) txn.delete_deployment(id);
  return {};
}

Result<> apply_message(state::Txn& txn, const AllocDesiredTransition& m) {
  for (const auto& [id, transition] : m.transitions) txn.put_desired_transition(id, transition, m.now);
  put_evals(txn, m.evals);
  return {};
}

Result<> apply_message(state::Txn& txn, const ScalingEvent& m) {
  txn.put_scaling_event(m.namespace_, m.job_id, m.group, m.event);
  return {};
}

Result<> apply_message(state::Txn& txn, const JobVersionTag& m) {
  if (m.tag) return txn.put_version_tag(m.namespace_, m.job_id, m.version, *m.tag);
  return txn.delete_version_tag(m.namespace_, m.job_id, m.name);
}

Result<> apply_message(state::Txn& txn, const NodePoolUpsert& m) {
  for (const auto& pool : m.pools) txn.put_node_pool(pool);
  return {};
}

Result<> apply_message(state::Txn& txn, const NodePoolDelete& m) {
  for (const auto& name : m.names) {
    DROVER_TRY(check_unused(fmt::format("node pool \"{}\"", name), state::pool_uses(txn.tables(), name)));
    txn.delete_node_pool(name);
  }
  return {};
}

Result<> apply_message(state::Txn& txn, const NamespaceUpsert& m) {
  for (const auto& item : m.namespaces) txn.put_namespace(item);
  return {};
}

Result<> apply_message(state::Txn& txn, const NamespaceDelete& m) {
  for (const auto& name : m.names) {
    DROVER_TRY(check_unused(fmt::format("namespace \"{}\"", name), state::namespace_uses(txn.tables(), name)));
    txn.delete_namespace(name);
  }
  return {};
}

Result<> apply_message(state::Txn& txn, const HostVolumeUpsert& m) {
  txn.put_host_volume(*m.volume);
  return {};
}

Result<> apply_message(state::Txn& txn, const HostVolumeDelete& m) { return txn.delete_host_volume(m.namespace_, m.id, m.force); }

Result<> apply_message(state::Txn& txn, const VolumeClaimDelete& m) { return txn.delete_volume_claim(m.id); }

Result<> apply_message(state::Txn& txn, const SchedulerConfig& m) {
  const state::ConfigPtr& stored = txn.tables().scheduler_config;
  if (m.check_index && *m.check_index != (stored ? stored->modify_index : 0)) {
    return fail(Code::conflict, "the scheduler configuration was changed at index {}, not {}", stored ? stored->modify_index : 0, *m.check_index);
  }
  txn.put_scheduler_config(m.config);
  return {};
}

Result<> apply_message(state::Txn& txn, const AutopilotConfig& m) {
  const auto& stored = txn.tables().autopilot;
  if (m.check_index && *m.check_index != (stored ? stored->modify_index : 0)) {
    return fail(Code::conflict, "the autopilot configuration was changed at index {}, not {}", stored ? stored->modify_index : 0, *m.check_index);
  }
  txn.put_autopilot(m.config);
  return {};
}

// A refusal of the message is not an error of the log: it is returned as a value inside.
template <class M>
Result<std::optional<Error>> decode_and_apply(state::Txn& txn, std::string_view entry) {
  auto message = decode<M>(entry);
  if (!message) return fail(message.error());
  if (auto applied = apply_message(txn, *message); !applied) return std::optional<Error>(applied.error());
  return std::optional<Error>();
}

Result<std::optional<Error>> dispatch(state::Txn& txn, MessageType type, std::string_view entry) {
  switch (type) {
    case MessageType::node_register: return decode_and_apply<NodeRegister>(txn, entry);
    case MessageType::node_deregister: return decode_and_apply<NodeDeregister>(txn, entry);
    case MessageType::node_update_status: return decode_and_apply<NodeUpdateStatus>(txn, entry);
    case MessageType::node_drain: return decode_and_apply<NodeDrain>(txn, entry);
    case MessageType::job_register: return decode_and_apply<JobRegister>(txn, entry);
    case MessageType::job_deregister: return decode_and_apply<JobDeregister>(txn, entry);
    case MessageType::eval_update: return decode_and_apply<EvalUpdate>(txn, entry);
    case MessageType::eval_delete: return decode_and_apply<EvalDelete>(txn, entry);
    case MessageType::alloc_client_update: return decode_and_apply<AllocClientUpdate>(txn, entry);
    case MessageType::reconcile_summaries: return decode_and_apply<ReconcileSummaries>(txn, entry);
    case MessageType::plan_result: return decode_and_apply<PlanResult>(txn, entry);
    case MessageType::deployment_status: return decode_and_apply<DeploymentStatus>(txn, entry);
    case MessageType::deployment_promote: return decode_and_apply<DeploymentPromote>(txn, entry);
    case MessageType::deployment_health: return decode_and_apply<DeploymentHealth>(txn, entry);
    case MessageType::job_stability: return decode_and_apply<JobStability>(txn, entry);
    case MessageType::deployment_delete: return decode_and_apply<DeploymentDelete>(txn, entry);
    case MessageType::job_batch_deregister: return decode_and_apply<JobBatchDeregister>(txn, entry);
    case MessageType::alloc_desired_transition: return decode_and_apply<AllocDesiredTransition>(txn, entry);
    case MessageType::node_eligibility: return decode_and_apply<NodeEligibility>(txn, entry);
    case MessageType::scaling_event: return decode_and_apply<ScalingEvent>(txn, entry);
    case MessageType::job_version_tag: return decode_and_apply<JobVersionTag>(txn, entry);
    case MessageType::node_pool_upsert: return decode_and_apply<NodePoolUpsert>(txn, entry);
    case MessageType::node_pool_delete: return decode_and_apply<NodePoolDelete>(txn, entry);
    case MessageType::host_volume_upsert: return decode_and_apply<HostVolumeUpsert>(txn, entry);
    case MessageType::host_volume_delete: return decode_and_apply<HostVolumeDelete>(txn, entry);
    case MessageType::volume_claim_delete: return decode_and_apply<VolumeClaimDelete>(txn, entry);
    case MessageType::namespace_upsert: return decode_and_apply<NamespaceUpsert>(txn, entry);
    case MessageType::namespace_delete: return decode_and_apply<NamespaceDelete>(txn, entry);
    case MessageType::scheduler_config: return decode_and_apply<SchedulerConfig>(txn, entry);
    case MessageType::autopilot_config: return decode_and_apply<AutopilotConfig>(txn, entry);
    default: break;
  }
  if ((static_cast<unsigned>(type) & static_cast<unsigned>(MessageType::ignore_unknown_flag)) != 0) return std::optional<Error>();
  return fail(Code::unimplemented, "log entry of unknown type {}: it was written by a newer version; start that version again",
              static_cast<unsigned>(type));
}

// The name under which the time of an entry is recorded (server contract 36); empty for one that has none.
std::string_view timer_name(MessageType type) {
  switch (type) {
    case MessageType::node_register: return "nomad.fsm.register_node";
    case MessageType::node_deregister: return "nomad.fsm.deregister_node";
    case MessageType::node_update_status: return "nomad.fsm.node_status_update";
    case MessageType::node_drain: return "nomad.fsm.node_drain_update";
    case MessageType::node_eligibility: return "nomad.fsm.node_eligibility_update";
    case MessageType::job_register: return "nomad.fsm.register_job";
    case MessageType::job_deregister: return "nomad.fsm.deregister_job";
    case MessageType::job_batch_deregister: return "nomad.fsm.batch_deregister_job";
    case MessageType::eval_update: return "nomad.fsm.update_eval";
    case MessageType::eval_delete: return "nomad.fsm.delete_eval";
    case MessageType::alloc_client_update: return "nomad.fsm.alloc_client_update";
    case MessageType::alloc_desired_transition: return "nomad.fsm.alloc_update_desired_transition";
    case MessageType::plan_result: return "nomad.fsm.apply_plan_results";
    case MessageType::deployment_status: return "nomad.fsm.apply_deployment_status_update";
    case MessageType::deployment_promote: return "nomad.fsm.apply_deployment_promotion";
    case MessageType::deployment_health: return "nomad.fsm.apply_deployment_alloc_health";
    case MessageType::deployment_delete: return "nomad.fsm.apply_deployment_delete";
    case MessageType::job_stability: return "nomad.fsm.apply_job_stability";
    case MessageType::job_version_tag: return "nomad.fsm.apply_job_version_tag";
    case MessageType::scaling_event: return "nomad.fsm.upsert_scaling_event";
    case MessageType::node_pool_upsert: return "nomad.fsm.apply_node_pool_upsert";
    case MessageType::node_pool_delete: return "nomad.fsm.apply_node_pool_delete";
    case MessageType::namespace_upsert: return "nomad.fsm.apply_namespace_upsert";
    case MessageType::namespace_delete: return "nomad.fsm.apply_namespace_delete";
    case MessageType::scheduler_config: return "nomad.fsm.apply_scheduler_config";
    default: return {};
  }
}

}  // namespace

Result<> Fsm::apply(std::uint64_t index, std::string_view entry) {
  if (entry.empty()) return {};  // raft's own entries carry nothing for the state
  const auto start = std::chrono::steady_clock::now();
  const auto type = static_cast<MessageType>(static_cast<std::uint8_t>(entry.front()));
  if (type == MessageType::restore_piece) return add_piece(entry);
  if (type == MessageType::restore_end) return end_restore(index, entry);
  state::Txn txn = store_.begin(shown_index(index));
  auto refused = dispatch(txn, type, entry);
  if (!refused) return fail(refused.error(), "applying log entry {}", index);
  if (*refused) {
    refuse(index, std::move(**refused));
    return {};
  }
  txn.finish();
  const state::Changes changes = txn.changes();
  store_.commit(std::move(txn));
  meter_.since("raft.fsm.apply", start);
  if (const auto timer = timer_name(type); !timer.empty()) meter_.since(timer, start);
  if (listener_) listener_(type, shown_index(index), changes);
  return {};
}

void Fsm::refuse(std::uint64_t index, Error error) {
  refusals_.emplace(index, std::move(error));
  if (refusals_.size() > max_refusals) refusals_.erase(refusals_.begin());
}

std::optional<Error> Fsm::take_refusal(std::uint64_t index) {
  const auto found = refusals_.find(index);
  if (found == refusals_.end()) return std::nullopt;
  std::optional<Error> out(std::move(found->second));
  refusals_.erase(found);
  return out;
}

}  // namespace drover::fsm
