// What operators order for deployments: fail, pause and resume, promote, set health.
#include <algorithm>

#include "server/deploy/watcher.h"
#include "server/rpc/context.h"

namespace drover::rpc {
namespace {

using Reply = model::DeploymentUpdateResponse;
using state::DeploymentPtr;
using state::Snapshot;

struct Target {
  DeploymentPtr deployment;
  state::JobPtr job;
};

// `verb`: what cannot be done to a deployment that has ended.
Result<Target> find(const Snapshot& snapshot, const std::string& id, const char* refusal) {
  if (id.empty()) return fail(Code::internal, "missing deployment ID");
  Target out;
  out.deployment = snapshot.deployment(id);
  if (!out.deployment) return fail(Code::internal, "deployment not found");
  if (!state::active(*out.deployment)) return fail(Error(Code::internal, refusal));
  out.job = snapshot.job(out.deployment->namespace_, out.deployment->job_id);
  if (!out.job) return fail(Code::internal, "job \"{}\" of the deployment does not exist", out.deployment->job_id);
  return out;
}

template <class Message>
Async<Result<Reply>> write(Context& c, Message message, std::optional<std::uint64_t> reverted = std::nullopt) {
  Reply reply;
  if (message.eval) reply.eval_id = message.eval->id;
  reply.reverted_job_version = reverted;
  auto index = co_await c.writer.write(std::move(message));
  if (!index) {
    // What the state refuses is answered in its own words.
    co_return fail(Error(Code::internal, index.error().message()));
  }
  reply.index = reply.deployment_modify_index = *index;
  if (!reply.eval_id.empty()) reply.eval_create_index = *index;
  co_return reply;
}

deploy::Rollback revert(const Snapshot& snapshot, const model::Job& job, const char* reason) {
  return deploy::roll_back(snapshot.job_versions(job.namespace_, job.id), job, reason);
}

Async<Result<Reply>> fail_deployment(Context& c, model::ObjectRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  auto target = find(*snapshot, request.id, "can't fail terminal deployment");
  if (!target) co_return fail(target.error());
  fsm::DeploymentStatus message;
  message.update = {.deployment_id = request.id, .status = "failed", .status_description = deploy::description::failed_by_user,
                    .updated_at = c.clock.unix_nanos()};
  std::optional<std::uint64_t> reverted;
  const bool reverts = std::ranges::any_of(target->deployment->task_groups, [](const auto& entry) { return entry.second.auto_revert; });
  if (reverts) {
    auto back = revert(*snapshot, *target->job, deploy::description::failed_by_user);
    if (back.job) reverted = back.job->version;
    message.job = std::move(back.job);
    message.update.status_description = std::move(back.description);
    message.tracked_versions = c.job_tracked_versions;
  }
  message.eval = deploy::deployment_eval(*target->deployment, *target->job, c.clock.unix_nanos(), c.rng);
  auto reply = co_await write(c, std::move(message), reverted);
  co_return reply;
}

Async<Result<Reply>> pause(Context& c, model::DeploymentPauseRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  auto target = find(*snapshot, request.deployment_id, request.pause ? "can't pause terminal deployment" : "can't resume terminal deployment");
  if (!target) co_return fail(target.error());
  fsm::DeploymentStatus message;
  message.update = {.deployment_id = request.deployment_id, .status = request.pause ? "paused" : "running",
                    .status_description = request.pause ? deploy::description::paused : deploy::description::running,
                    .updated_at = c.clock.unix_nanos()};
  if (!request.pause) message.eval = deploy::deployment_eval(*target->deployment, *target->job, c.clock.unix_nanos(), c.rng);
  auto reply = co_await write(c, std::move(message));
  co_return reply;
}

Async<Result<Reply>> promote(Context& c, model::DeploymentPromoteRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  auto target = find(*snapshot, request.deployment_id, "can't promote terminal deployment");
  if (!target) co_return fail(target.error());
  fsm::DeploymentPromote message;
  message.deployment_id = request.deployment_id;
  message.all = request.all;
  message.groups = request.groups;
  message.now = c.clock.unix_nanos();
  message.eval = deploy::deployment_eval(*target->deployment, *target->job, message.now, c.rng);
  auto reply = co_await write(c, std::move(message));
  co_return reply;
}

// Deployments are blocked only by other regions' parts of the same job, which this cluster does not have.
Async<Result<Reply>> unblock(Context& c, model::DeploymentUnblockRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  auto target = find(*snapshot, request.deployment_id, "can't unblock terminal deployment");
  if (!target) co_return fail(target.error());
  if (target->deployment->status != "blocked") co_return fail(Code::internal, "can't unblock running deployment");
  fsm::DeploymentStatus message;
  message.update = {.deployment_id = request.deployment_id, .status = "unblocking", .status_description = deploy::description::running,
                    .updated_at = c.clock.unix_nanos()};
  message.eval = deploy::deployment_eval(*target->deployment, *target->job, c.clock.unix_nanos(), c.rng);
  auto reply = co_await write(c, std::move(message));
  co_return reply;
}

Async<Result<Reply>> set_health(Context& c, model::DeploymentAllocHealthRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  if (request.healthy_allocation_ids.empty() && request.unhealthy_allocation_ids.empty()) {
    const auto found = snapshot->deployment(request.deployment_id);
    if (!found) co_return fail(Code::internal, "deployment not found");
    co_return fail(Code::internal, "must specify at least one healthy/unhealthy allocation ID");
  }
  auto target = find(*snapshot, request.deployment_id, "can't set health of allocations for a terminal deployment");
  if (!target) co_return fail(target.error());
  fsm::DeploymentHealth message;
  message.deployment_id = request.deployment_id;
  message.healthy = request.healthy_allocation_ids;
  message.unhealthy = request.unhealthy_allocation_ids;
  message.now = c.clock.unix_nanos();
  std::optional<std::uint64_t> reverted;
  if (!message.unhealthy.empty()) {
    // One that somebody calls unhealthy ends the deployment.
    std::string text = deploy::description::unhealthy;
    for (const auto& id : message.unhealthy) {
      const auto alloc = snapshot->alloc(id);
      const auto* group = alloc ? target->deployment->task_groups.get(alloc->task_group) : nullptr;
      if (group == nullptr || !group->auto_revert) continue;
      auto back = revert(*snapshot, *target->job, deploy::description::unhealthy);
      if (back.job) reverted = back.job->version;
      message.job = std::move(back.job);
      message.tracked_versions = c.job_tracked_versions;
      text = std::move(back.description);
      break;
    }
    message.update = model::DeploymentStatusUpdate{
      .deployment_id = request.deployment_id, .status = "failed", .status_description = std::move(text), .updated_at = message.now};
  }
  message.eval = deploy::deployment_eval(*target->deployment, *target->job, message.now, c.rng);
  auto reply = co_await write(c, std::move(message), reverted);
  co_return reply;
}

}  // namespace

void add_deployment_writes(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::deployment_fail, std::function([&c](model::ObjectRequest r) { return fail_deployment(c, std::move(r)); }));
  registry.add(e::deployment_pause, std::function([&c](model::DeploymentPauseRequest r) { return pause(c, std::move(r)); }));
  registry.add(e::deployment_promote, std::function([&c](model::DeploymentPromoteRequest r) { return promote(c, std::move(r)); }));
  registry.add(e::deployment_unblock, std::function([&c](model::DeploymentUnblockRequest r) { return unblock(c, std::move(r)); }));
  registry.add(e::deployment_health, std::function([&c](model::DeploymentAllocHealthRequest r) { return set_health(c, std::move(r)); }));
}

}  // namespace drover::rpc
