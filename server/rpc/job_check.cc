#include "server/rpc/job_check.h"

namespace drover::rpc {
model::Job complete_job(const Context& c, const model::Job& given, const std::string& request_namespace) {
  model::Job job = given;
  if (!request_namespace.empty()) job.namespace_ = request_namespace;
  if (job.namespace_.empty()) job.namespace_ = "default";
  if (job.region.empty()) job.region = c.region;
  if (c.hooks.canonicalize) c.hooks.canonicalize(job);
  return job;
}

JobVerdict check_job(const Context& c, const state::Snapshot& snapshot, const model::Job& job) {
  JobVerdict out;
  if (job.namespace_ != "default") {
    out.errors.push_back(fmt::format("job \"{}\" is in nonexistent namespace \"{}\"", job.id, job.namespace_));
    return out;
  }
  if (!job.node_pool.empty() && !snapshot.node_pool(job.node_pool)) {
    out.errors.push_back(fmt::format("job \"{}\" is in nonexistent node pool \"{}\"", job.id, job.node_pool));
    return out;
  }
  if (c.hooks.validate) out = c.hooks.validate(job, snapshot.scheduler_config().memory_oversubscription_enabled);
  if (!job.dispatched && !job.payload.empty()) out.errors.emplace_back("job can't be submitted with a payload, only dispatched");
  return out;
}

Result<> check_update(const model::Job& old_job, const model::Job& job) {
  if (old_job.type != job.type) return fail(Code::internal, "cannot update job from type \"{}\" to \"{}\"", old_job.type, job.type);
  if (old_job.periodic && !job.periodic) return fail(Code::internal, "cannot update periodic job to being non-periodic");
  if (!old_job.periodic && job.periodic) return fail(Code::internal, "cannot update non-periodic job to being periodic");
  if (old_job.parameterized_job && !job.parameterized_job) {
    return fail(Code::internal, "cannot update parameterized job to being non-parameterized");
  }
  if (!old_job.parameterized_job && job.parameterized_job) {
    return fail(Code::internal, "cannot update non-parameterized job to being parameterized");
  }
  if (old_job.dispatched != job.dispatched) return fail(Code::internal, "field 'Dispatched' is read-only");
  return {};
}

}  // namespace drover::rpc
