// B: what the leader adds when a job is registered (job specification 5.3), and a request's job from its text.
#include <nlohmann/json.hpp>

#include "lib/jobspec/canonical.h"

namespace drover::jobspec {
namespace {

template <class T>
void nil_when_empty(T& container) {
  if (container.empty()) container.set_nil();
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

void canonicalize_service(model::Service& service, const model::Job& job, const model::TaskGroup& group, const model::Task* task) {
  const auto replace = [&](std::string& name, std::string_view variable, const std::string& value) {
    for (std::size_t at = name.find(variable); at != std::string::npos; at = name.find(variable, at + value.size())) name.replace(at, variable.size(), value);
  };
  replace(service.name, "${JOB}", job.name);
  replace(service.name, "${TASKGROUP}", group.name);
  replace(service.name, "${TASK}", task != nullptr ? task->name : "group");
  replace(service.name, "${BASE}", task != nullptr ? job.name + "-" + group.name + "-" + task->name : job.name + "-" + group.name);
  if (service.provider == "nomad") service.namespace_ = job.namespace_;
  else if (service.namespace_.empty()) service.namespace_ = "default";
  nil_when_empty(service.tags);
  nil_when_empty(service.canary_tags);
  nil_when_empty(service.checks);
  nil_when_empty(service.meta);
  nil_when_empty(service.canary_meta);
  nil_when_empty(service.tagged_addresses);
}

void canonicalize_task(model::Task& task, const model::Job& job, const model::TaskGroup& group) {
  nil_when_empty(task.env);
  nil_when_empty(task.meta);
  nil_when_empty(task.services);
  nil_when_empty(task.templates);
  nil_when_empty(task.artifacts);
  nil_when_empty(task.constraints);
  nil_when_empty(task.affinities);
  nil_when_empty(task.volume_mounts);
  task.kill_signal = upper(task.kill_signal);
  for (auto& one : task.templates) one.change_signal = upper(one.change_signal);
  if (task.vault) task.vault->change_signal = upper(task.vault->change_signal);
  for (auto& service : task.services) canonicalize_service(service, job, group, &task);
  // Every task has the default identity (workload identity of the cluster).
  if (!task.identity) {
    auto& identity = task.identity.ensure();
    identity.name = "default";
    identity.audience = {"nomadproject.io"};
  } else {
    if (task.identity->name.empty()) task.identity->name = "default";
    if (task.identity->audience.empty()) task.identity->audience = {"nomadproject.io"};
  }
}

}  // namespace

void canonicalize_server(model::Job& job) {
  if (job.namespace_.empty()) job.namespace_ = "default";
  if (job.node_pool.empty()) job.node_pool = "default";
  if (job.datacenters.empty()) job.datacenters = {"*"};
  nil_when_empty(job.constraints);
  nil_when_empty(job.affinities);
  nil_when_empty(job.spreads);
  nil_when_empty(job.meta);
  if (job.parameterized_job && job.parameterized_job->payload.empty()) job.parameterized_job->payload = "optional";
  for (auto& group : job.task_groups) {
    nil_when_empty(group.constraints);
    nil_when_empty(group.affinities);
    nil_when_empty(group.spreads);
    nil_when_empty(group.meta);
    nil_when_empty(group.networks);
    nil_when_empty(group.services);
    nil_when_empty(group.volumes);
    for (auto& service : group.services) canonicalize_service(service, job, group, nullptr);
    for (auto& task : group.tasks) canonicalize_task(task, job, group);
  }
}

Result<model::Job> job_from_api_json(std::string_view text) {
  const model::Json given = model::Json::parse(text, nullptr, false);
  if (given.is_discarded()) return fail(Code::invalid_argument, "the request body is not valid JSON");
  auto job = complete_api_job(given);
  if (!job) return fail(job.error());
  canonicalize_api(*job);
  auto out = to_model(*job);
  if (!out) return fail(out.error());
  canonicalize_server(*out);
  return out;
}

}  // namespace drover::jobspec
