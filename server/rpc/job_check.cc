#include "server/rpc/job_check.h"

#include <algorithm>

namespace drover::rpc {
namespace {

// What a namespace does not let its jobs use; empty when it lets this one.
std::string namespace_refusal(const model::Namespace& space, const model::Job& job) {
  if (!space.capabilities) return {};
  const model::NamespaceCapabilities& may = *space.capabilities;
  const auto refused = [](const model::List<std::string>& enabled, const model::List<std::string>& disabled, const std::string& name) {
    return (!enabled.empty() && std::ranges::find(enabled, name) == enabled.end()) || std::ranges::find(disabled, name) != disabled.end();
  };
  const auto sentence = [&](std::string_view what, const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "\"" : ", \"") + name + "\"";
    if (names.size() == 1) return fmt::format("used {} {} is not allowed in namespace \"{}\"", what, list, space.name);
    return fmt::format("used {}s [{}] are not allowed in namespace \"{}\"", what, list, space.name);
  };
  std::vector<std::string> drivers, modes;
  for (const auto& group : job.task_groups) {
    for (const auto& network : group.networks) {
      const std::string mode = network.mode.empty() ? "host" : network.mode;
      if (refused(may.enabled_network_modes, may.disabled_network_modes, mode)) modes.push_back(mode);
    }
    for (const auto& task : group.tasks) {
      if (refused(may.enabled_task_drivers, may.disabled_task_drivers, task.driver)) drivers.push_back(task.driver);
    }
  }
  if (!drivers.empty()) return sentence("task driver", drivers);
  if (!modes.empty()) return sentence("group network mode", modes);
  return {};
}

}  // namespace

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
  const state::NamespacePtr space = snapshot.name_space(job.namespace_);
  if (!space) {
    out.errors.push_back(fmt::format("job \"{}\" is in nonexistent namespace \"{}\"", job.id, job.namespace_));
    return out;
  }
  if (!job.node_pool.empty() && !snapshot.node_pool(job.node_pool)) {
    out.errors.push_back(fmt::format("job \"{}\" is in nonexistent node pool \"{}\"", job.id, job.node_pool));
    return out;
  }
  if (auto refused = namespace_refusal(*space, job); !refused.empty()) {
    out.errors.push_back(std::move(refused));
    return out;
  }
  if (c.hooks.validate) out = c.hooks.validate(job, snapshot.scheduler_config().memory_oversubscription_enabled);
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
