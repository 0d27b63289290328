// What is done with versions of a job: going back to one, saying that one is stable, naming one.
#include "server/rpc/context.h"

namespace drover::rpc {
namespace {

using state::JobPtr;

Error no_version(const std::string& id, const std::string& ns, std::uint64_t version) {
  return Error(Code::internal, fmt::format("job \"{}\" in namespace \"{}\" at version {} not found", id, ns, version));
}

Async<Result<model::JobRegisterResponse>> revert(Context& c, model::JobRevertRequest request) {
  if (request.job_id.empty()) co_return fail(Code::internal, "missing job ID for revert");
  const std::string ns = namespace_or_default(request.namespace_);
  const auto snapshot = c.fsm.store().snapshot();
  const JobPtr current = snapshot->job(ns, request.job_id);
  if (!current) co_return fail(Code::internal, "job \"{}\" not found", request.job_id);
  if (request.job_version == current->version) co_return fail(Code::internal, "can't revert to current version");
  const JobPtr wanted = snapshot->job_version(ns, request.job_id, request.job_version);
  if (!wanted) co_return fail(no_version(request.job_id, ns, request.job_version));
  if (request.enforce_prior_version && *request.enforce_prior_version != current->version) {
    co_return fail(Code::internal, "Current job has version {}; enforcing version {}", current->version, *request.enforce_prior_version);
  }
  model::Job job = *wanted;
  job.version_tag.reset();
  job.stable = false;
  job.stop = false;
  job.submit_time = c.clock.unix_nanos();
  fsm::JobRegister message;
  message.enforce_index = true;
  message.job_modify_index = current->job_modify_index;
  message.tracked_versions = c.job_tracked_versions;
  if (const auto submission = snapshot->submission(ns, request.job_id, request.job_version)) {
    message.submission = submission;
  }
  model::JobRegisterResponse reply;
  if (has_evals(job)) {
    auto eval = new_eval(c, job, "job-register");
    reply.eval_id = eval->id;
    message.eval = std::move(eval);
  }
  message.job = std::make_shared<const model::Job>(std::move(job));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = *index;
  if (!reply.eval_id.empty()) reply.eval_create_index = *index;
  const JobPtr after = c.fsm.store().snapshot()->job(ns, request.job_id);
  reply.job_modify_index = after ? after->job_modify_index : *index;
  co_return reply;
}

Async<Result<model::JobStabilityResponse>> set_stable(Context& c, model::JobStabilityRequest request) {
  const std::string ns = namespace_or_default(request.namespace_);
  if (!c.fsm.store().snapshot()->job_version(ns, request.job_id, request.job_version)) {
    co_return fail(no_version(request.job_id, ns, request.job_version));
  }
  fsm::JobStability message;
  message.namespace_ = ns;
  message.job_id = request.job_id;
  message.version = request.job_version;
  message.stable = request.stable;
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  model::JobStabilityResponse reply;
  reply.index = *index;
  co_return reply;
}

Async<Result<model::JobTagResponse>> tag(Context& c, model::JobTagRequest request) {
  constexpr std::size_t max_name = 255;
  const std::string ns = namespace_or_default(request.namespace_);
  if (request.name.empty()) co_return fail(Code::internal, "tag name must be specified");
  if (request.name.size() > max_name) co_return fail(Code::internal, "tag name is longer than {} characters", max_name);
  fsm::JobVersionTag message;
  message.namespace_ = ns;
  message.job_id = request.job_id;
  message.name = request.name;
  model::JobTagResponse reply;
  if (request.tagged) {
    const auto snapshot = c.fsm.store().snapshot();
    const JobPtr job = snapshot->job(ns, request.job_id);
    if (!request.version && !job) co_return fail(Code::internal, "job \"{}\" not found", request.job_id);
    message.version = request.version ? *request.version : job->version;
    model::JobVersionTag& named = message.tag.ensure();
    named.name = reply.name = request.name;
    named.description = reply.description = request.description;
    named.tagged_time = reply.tagged_time = c.clock.unix_nanos();
  }
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = *index;
  co_return reply;
}

}  // namespace

void add_job_versions(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::job_revert, std::function([&c](model::JobRevertRequest r) { return revert(c, std::move(r)); }));
  registry.add(e::job_stable, std::function([&c](model::JobStabilityRequest r) { return set_stable(c, std::move(r)); }));
  registry.add(e::job_tag, std::function([&c](model::JobTagRequest r) { return tag(c, std::move(r)); }));
}

}  // namespace drover::rpc
