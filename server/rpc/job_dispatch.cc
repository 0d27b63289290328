// Children of jobs: those dispatched of a parameterized job, and those a periodic job is made to launch.
#include <algorithm>

#include "sdk/base/text.h"
#include "sdk/base/uuid.h"
#include "server/periodic/children.h"
#include "server/rpc/context.h"

namespace drover::rpc {
namespace {

using state::JobPtr;
using state::Snapshot;

constexpr std::size_t max_payload = 16 * 1024;

bool holds(const model::List<std::string>& keys, const std::string& key) { return std::ranges::find(keys, key) != keys.end(); }

std::string bracketed(const std::vector<std::string>& keys) { return "[" + join(keys, " ") + "]"; }

Result<> check_dispatch(const Context& c, const model::ParameterizedJobConfig& config, const model::JobDispatchRequest& request) {
  const bool has_payload = !request.payload.empty();
  if (config.payload == "required" && !has_payload) return fail(Code::internal, "Payload is not provided but required by parameterized job");
  if (config.payload == "forbidden" && has_payload) return fail(Code::internal, "Payload provided but forbidden by parameterized job");
  if (request.payload.data().size() > max_payload) {
    return fail(Code::internal, "Payload exceeds maximum size; {} > {}", request.payload.data().size(), max_payload);
  }
  std::vector<std::string> unpermitted;
  for (const auto& [key, value] : request.meta) {
    if (!holds(config.meta_required, key) && !holds(config.meta_optional, key)) unpermitted.push_back(key);
  }
  if (!unpermitted.empty()) return fail(Code::internal, "Dispatch request included unpermitted metadata keys: {}", bracketed(unpermitted));
  std::vector<std::string> lacking;
  for (const auto& key : config.meta_required) {
    if (request.meta.get(key) == nullptr) lacking.push_back(key);
  }
  if (!lacking.empty()) return fail(Code::internal, "Dispatch did not provide required meta keys: {}", bracketed(lacking));
  if (request.priority != 0 && (request.priority < 1 || request.priority > c.job_max_priority)) {
    return fail(Code::internal, "dispatch job priority must be between [1, {}]", c.job_max_priority);
  }
  return {};
}

// `pre-{{.Job.ID}}`: names of the job between double braces, anything else as it is.
Result<std::string> expand_prefix(std::string_view text, const model::Job& job) {
  const std::map<std::string_view, std::string_view> names = {
      {".Job.ID", job.id}, {".Job.Name", job.name}, {".Job.Namespace", job.namespace_}, {".Job.Region", job.region}, {".Job.Type", job.type}};
  std::string out;
  while (!text.empty()) {
    const auto open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = text.find("}}", open);
    const std::string_view name = close == std::string_view::npos ? text.substr(open) : trim(text.substr(open + 2, close - open - 2));
    const auto found = names.find(name);
    if (found == names.end()) {
      return fail(Code::invalid_argument, "id_prefix_template: {} is not known; .Job.ID, .Job.Name, .Job.Namespace, .Job.Region and .Job.Type are",
                  quote(name));
    }
    out += found->second;
    text.remove_prefix(close + 2);
  }
  return out;
}

JobPtr child_with_token(const Snapshot& s, const model::Job& parent, const std::string& token) {
  JobPtr out;
  if (token.empty()) return out;
  s.tables().jobs.scan({parent.namespace_, parent.id}, [&](const JobPtr& job) {
    if (job->namespace_ != parent.namespace_ || !job->id.starts_with(parent.id)) return false;
    if (job->parent_id == parent.id && job->dispatch_idempotency_token == token) out = job;
    return !out;
  });
  return out;
}

model::JobDispatchResponse known_child(const model::Job& child) {
  model::JobDispatchResponse reply;
  reply.dispatched_job_id = child.id;
  reply.job_create_index = child.create_index;
  reply.index = child.modify_index;
  return reply;
}

std::string child_id(Context& c, const model::Job& parent, const std::string& prefix) {
  const std::string random = make_uuid(c.rng).substr(0, 8);
  const std::int64_t now = c.clock.unix_nanos() / 1'000'000'000;
  return fmt::format("{}/dispatch-{}{}{}-{}", parent.id, prefix, prefix.empty() ? "" : "-", now, random);
}

Async<Result<model::JobDispatchResponse>> dispatch(Context& c, model::JobDispatchCall request) {
  if (request.job_id.empty()) co_return fail(Code::internal, "missing parameterized job ID");
  const std::string ns = namespace_or_default(request.namespace_);
  const auto snapshot = c.fsm.store().snapshot();
  const JobPtr parent = snapshot->job(ns, request.job_id);
  if (!parent) co_return fail(Code::internal, "parameterized job not found");
  if (!parent->parameterized_job || parent->dispatched) {
    co_return fail(Code::internal, "Specified job \"{}\" is not a parameterized job", request.job_id);
  }
  if (parent->stop) co_return fail(Code::internal, "Specified job \"{}\" is stopped", request.job_id);
  DROVER_CO_TRY(check_dispatch(c, *parent->parameterized_job, request));
  if (const JobPtr known = child_with_token(*snapshot, *parent, request.idempotency_token)) co_return known_child(*known);
  auto prefix = expand_prefix(request.id_prefix_template, *parent);
  if (!prefix) co_return fail(prefix.error());

  model::Job job = periodic::make_child(*parent, child_id(c, *parent, *prefix), c.clock.unix_nanos());
  job.dispatched = true;
  job.dispatch_idempotency_token = request.idempotency_token;
  job.payload = request.payload;
  for (const auto& [key, value] : request.meta) job.meta[key] = value;
  if (request.priority != 0) job.priority = request.priority;
  fsm::JobRegister message;
  message.tracked_versions = c.job_tracked_versions;
  model::JobDispatchResponse reply;
  reply.dispatched_job_id = job.id;
  if (has_evals(job)) {
    auto eval = new_eval(c, job, "job-register");
    reply.eval_id = eval->id;
    message.eval = std::move(eval);
  }
  message.job = std::make_shared<const model::Job>(std::move(job));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) {
    // Another dispatch with the token was stored first.
    const JobPtr known = child_with_token(*c.fsm.store().snapshot(), *parent, request.idempotency_token);
    if (known) co_return known_child(*known);
    co_return fail(index.error());
  }
  reply.index = reply.job_create_index = *index;
  if (!reply.eval_id.empty()) reply.eval_create_index = *index;
  co_return reply;
}

Async<Result<model::PeriodicForceResponse>> force(Context& c, model::NameRequest request) {
  if (request.name.empty()) co_return fail(Code::internal, "missing job ID for evaluation");
  const std::string ns = namespace_or_default(request.namespace_);
  const auto snapshot = c.fsm.store().snapshot();
  const JobPtr parent = snapshot->job(ns, request.name);
  if (!parent) co_return fail(Code::internal, "job not found");
  if (!parent->periodic) co_return fail(Code::internal, "can't force launch non-periodic job");
  std::int64_t second = c.clock.unix_nanos() / 1'000'000'000;
  while (snapshot->job(ns, periodic::child_id(*parent, second))) ++second;  // forced twice within a second
  model::Job job = periodic::make_child(*parent, periodic::child_id(*parent, second), c.clock.unix_nanos());
  job.periodic.reset();
  fsm::JobRegister message;
  message.tracked_versions = c.job_tracked_versions;
  auto eval = new_eval(c, job, "periodic-job");
  model::PeriodicForceResponse reply;
  reply.eval_id = eval->id;
  message.eval = std::move(eval);
  message.job = std::make_shared<const model::Job>(std::move(job));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = reply.eval_create_index = *index;
  co_return reply;
}

}  // namespace

void add_job_dispatch(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::job_dispatch, std::function([&c](model::JobDispatchCall r) { return dispatch(c, std::move(r)); }));
  registry.add(e::periodic_force, std::function([&c](model::NameRequest r) { return force(c, std::move(r)); }));
}

}  // namespace drover::rpc
