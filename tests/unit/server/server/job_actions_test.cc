// Scaling, versions, children and divisions of jobs, as calls of the server's endpoints.
#include "tests/unit/server/server/cluster.h"

using namespace drover;
namespace e = drover::wire::endpoints;

namespace {

template <class Req, class Rep>
Async<Result<Rep>> call(Cluster& c, wire::Endpoint<Req, Rep> endpoint, Req request) {
  auto reply = co_await c.caller->call(endpoint, std::move(request));
  co_return reply;
}

Async<Result<model::JobRegisterResponse>> put(Cluster& c, model::Job job) {
  model::JobRegisterRequest request;
  request.job = std::make_shared<const model::Job>(std::move(job));
  auto reply = co_await call(c, e::job_register, std::move(request));
  co_return reply;
}

Async<state::JobPtr> get(Cluster& c, std::string id) {
  model::ObjectRequest request;
  request.id = std::move(id);
  auto reply = co_await call(c, e::job_get, std::move(request));
  REQUIRE(reply);
  co_return reply->item;
}

model::JobScaleRequest scale_request(std::optional<std::int64_t> count, std::string group = "g") {
  model::JobScaleRequest out;
  out.job_id = "web";
  out.count = count;
  out.target["Group"] = std::move(group);
  return out;
}

Async<std::string> scale_refusal(Cluster& c, model::JobScaleRequest request) {
  const auto reply = co_await call(c, e::job_scale, std::move(request));
  co_return reply ? "" : reply.error().message();
}

Async<> scaling(Cluster& c) {
  model::Job web = *make_job("web", 1);
  web.task_groups[0].scaling.ensure().max = 5;
  web.task_groups[0].scaling->min = 1;
  const auto registered = co_await put(c, web);
  REQUIRE(registered);
  const auto stored = co_await get(c, "web");
  const std::string policy_id = stored->task_groups[0].scaling->id;
  CHECK(policy_id.size() == 36);
  CHECK(stored->task_groups[0].scaling->create_index == registered->index);

  auto request = scale_request(3);
  request.message = "more";
  const auto scaled = co_await call(c, e::job_scale, std::move(request));
  REQUIRE(scaled);
  CHECK(!scaled->eval_id.empty());
  const auto after = co_await get(c, "web");
  CHECK(after->task_groups[0].count == 3);
  CHECK(after->version == 1);
  CHECK(after->task_groups[0].scaling->id == policy_id);
  auto note = scale_request(std::nullopt);
  note.error = true;
  const auto noted = co_await call(c, e::job_scale, std::move(note));
  REQUIRE(noted);
  CHECK(noted->eval_id.empty());

  model::ObjectRequest status;
  status.id = "web";
  const auto seen = co_await call(c, e::job_scale_status, status);
  REQUIRE(seen);
  const auto* group = seen->item->task_groups.get("g");
  REQUIRE(group != nullptr);
  CHECK(group->desired == 3);
  REQUIRE(group->events.size() == 2);  // newest first
  CHECK(group->events[0].error);
  CHECK(group->events[0].previous_count == 3);
  CHECK(group->events[1].message == "more");
  CHECK(group->events[1].previous_count == 1);

  auto text = co_await scale_refusal(c, scale_request(9));
  CHECK(text == "group count was greater than scaling policy maximum: 9 > 5");
  text = co_await scale_refusal(c, scale_request(0));
  CHECK(text == "group count was less than scaling policy minimum: 0 < 1");
  text = co_await scale_refusal(c, scale_request(-1));
  CHECK(text == "scaling action count can't be negative");
  text = co_await scale_refusal(c, scale_request(2, "zz"));
  CHECK(text == "task group \"zz\" specified for scaling does not exist in job");
  auto stale = scale_request(2);
  stale.job_modify_index = 1;
  text = co_await scale_refusal(c, std::move(stale));
  CHECK(text.starts_with("Enforcing job modify index 1: job exists with conflicting job modify index: "));

  const auto policies = co_await call(c, e::scaling_policies, model::ScalingPoliciesRequest{});
  REQUIRE(policies);
  REQUIRE(policies->items.size() == 1);
  CHECK(policies->items[0].id == policy_id);
  model::JobDeregisterRequest purge;
  purge.job_id = "web";
  purge.purge = true;
  const auto purged = co_await call(c, e::job_deregister, std::move(purge));
  REQUIRE(purged);
  const auto none = co_await call(c, e::scaling_policies, model::ScalingPoliciesRequest{});
  REQUIRE(none);
  CHECK(none->items.empty());
}

Async<> versions(Cluster& c) {
  model::Job web = *make_job("web", 1);
  co_await put(c, web);
  web.priority = 60;
  co_await put(c, web);
  model::JobTagRequest tag;
  tag.job_id = "web";
  tag.name = "gold";
  tag.tagged = true;
  tag.version = 0;
  const auto tagged = co_await call(c, e::job_tag, tag);
  REQUIRE(tagged);
  CHECK(tagged->name == "gold");
  tag.version = 1;
  auto refused = co_await call(c, e::job_tag, tag);
  CHECK(refused.error().message() == "tag \"gold\" already exists on a different version of job \"web\"");
  tag.version = 9;
  tag.name = "x";
  refused = co_await call(c, e::job_tag, tag);
  CHECK(refused.error().message() == "job \"web\" version 9 not found");

  model::JobRevertRequest revert;
  revert.job_id = "web";
  revert.job_version = 1;
  auto reverted = co_await call(c, e::job_revert, revert);
  CHECK(reverted.error().message() == "can't revert to current version");
  revert.job_version = 0;
  revert.enforce_prior_version = 7;
  reverted = co_await call(c, e::job_revert, revert);
  CHECK(reverted.error().message() == "Current job has version 1; enforcing version 7");
  revert.enforce_prior_version = 1;
  reverted = co_await call(c, e::job_revert, revert);
  REQUIRE(reverted);
  const auto now = co_await get(c, "web");
  CHECK(now->version == 2);
  CHECK(now->priority == 50);
  CHECK_FALSE(now->version_tag);

  model::JobStabilityRequest stable;
  stable.job_id = "web";
  stable.job_version = 2;
  stable.stable = true;
  const auto set = co_await call(c, e::job_stable, stable);
  REQUIRE(set);
  const auto proven = co_await get(c, "web");
  CHECK(proven->stable);
  stable.job_version = 99;
  const auto unknown = co_await call(c, e::job_stable, stable);
  CHECK(unknown.error().message() == "job \"web\" in namespace \"default\" at version 99 not found");

  tag.name = "gold";
  tag.tagged = false;
  auto untagged = co_await call(c, e::job_tag, tag);
  REQUIRE(untagged);
  untagged = co_await call(c, e::job_tag, tag);
  CHECK(untagged.error().message() == "tag \"gold\" not found on job \"web\"");
}

Async<std::string> dispatch_refusal(Cluster& c, model::JobDispatchCall request) {
  const auto reply = co_await call(c, e::job_dispatch, std::move(request));
  co_return reply ? "" : reply.error().message();
}

Async<> children(Cluster& c) {
  model::Job param = *make_job("param", 1);
  param.type = "batch";
  param.parameterized_job.ensure().payload = "optional";
  param.parameterized_job->meta_required.push_back("who");
  const auto registered = co_await put(c, param);
  REQUIRE(registered);
  CHECK(registered->eval_id.empty());

  model::JobDispatchCall request;
  request.job_id = "param";
  auto text = co_await dispatch_refusal(c, request);
  CHECK(text == "Dispatch did not provide required meta keys: [who]");
  request.meta["who"] = "me";
  request.meta["zzz"] = "1";
  text = co_await dispatch_refusal(c, request);
  CHECK(text == "Dispatch request included unpermitted metadata keys: [zzz]");
  request.meta.erase("zzz");
  request.priority = 500;
  text = co_await dispatch_refusal(c, request);
  CHECK(text == "dispatch job priority must be between [1, 100]");
  request.priority = 60;
  request.payload = model::Bytes("hello");
  request.id_prefix_template = "pre-{{.Job.ID}}";
  request.idempotency_token = "tok";
  const auto first = co_await call(c, e::job_dispatch, request);
  REQUIRE(first);
  CHECK(first->dispatched_job_id.starts_with("param/dispatch-pre-param-1700000000-"));
  const auto child = co_await get(c, first->dispatched_job_id);
  REQUIRE(child);
  CHECK(child->parent_id == "param");
  CHECK(child->dispatched);
  CHECK(child->priority == 60);
  CHECK(child->payload.data() == "hello");
  CHECK(*child->meta.get("who") == "me");
  const auto again = co_await call(c, e::job_dispatch, request);
  REQUIRE(again);
  CHECK(again->dispatched_job_id == first->dispatched_job_id);
  CHECK(again->eval_id.empty());
  request.id_prefix_template = "{{.Nope}}";
  request.idempotency_token.clear();
  text = co_await dispatch_refusal(c, request);
  CHECK(text.starts_with("id_prefix_template: \".Nope\" is not known"));

  model::Job cron = *make_job("cron", 1);
  cron.type = "batch";
  cron.periodic.ensure().enabled = true;
  co_await put(c, cron);
  model::NameRequest force;
  force.name = "cron";
  const auto forced = co_await call(c, e::periodic_force, force);
  REQUIRE(forced);
  const auto launched = co_await get(c, "cron/periodic-1700000000");
  REQUIRE(launched);
  CHECK_FALSE(launched->periodic);
  const auto twice = co_await call(c, e::periodic_force, force);
  REQUIRE(twice);
  const auto next = co_await get(c, "cron/periodic-1700000001");
  CHECK(next != nullptr);
  force.name = "param";
  const auto wrong = co_await call(c, e::periodic_force, force);
  CHECK(wrong.error().message() == "can't force launch non-periodic job");
}

Async<> spaces(Cluster& c) {
  model::NamespaceUpsertRequest upsert;
  model::Namespace prod;
  prod.name = "prod";
  prod.capabilities.ensure().disabled_task_drivers.push_back("raw_exec");
  upsert.item = std::make_shared<const model::Namespace>(prod);
  const auto created = co_await call(c, e::namespace_upsert, upsert);
  REQUIRE(created);
  model::Job job = *make_job("p", 1);
  job.namespace_ = "prod";
  auto registered = co_await put(c, job);
  CHECK(registered.error().message() == "1 error occurred:\n\t* used task driver \"raw_exec\" is not allowed in namespace \"prod\"\n\n");
  job.task_groups[0].tasks[0].driver = "exec";
  registered = co_await put(c, job);
  REQUIRE(registered);
  model::NameRequest name;
  name.name = "prod";
  auto removed = co_await call(c, e::namespace_delete, name);
  CHECK(removed.error().message() == "1 error occurred:\n\t* namespace \"prod\" has non-terminal jobs in regions: [global]\n\n");
  name.name = "default";
  removed = co_await call(c, e::namespace_delete, name);
  CHECK(removed.error().message() == "can not delete default namespace");

  model::NodePoolUpsertRequest pool;
  model::NodePool gpu;
  gpu.name = "a b";
  pool.item = std::make_shared<const model::NodePool>(gpu);
  auto stored = co_await call(c, e::node_pool_upsert, pool);
  CHECK(stored.error().message().starts_with("invalid node pool \"a b\": 1 error occurred:\n\t* invalid name \"a b\""));
  gpu.name = "gpu";
  pool.item = std::make_shared<const model::NodePool>(gpu);
  stored = co_await call(c, e::node_pool_upsert, pool);
  REQUIRE(stored);
  model::ObjectRequest object;
  object.id = "gpu";
  const auto found = co_await call(c, e::node_pool_get, object);
  REQUIRE(found);
  REQUIRE(found->item);
  CHECK(found->item->node_identity_ttl == std::chrono::hours(24));
  CHECK(found->item->hash.data().size() == 32);
  name.name = "gpu";
  const auto gone = co_await call(c, e::node_pool_delete, name);
  CHECK(gone);
  const auto twice = co_await call(c, e::node_pool_delete, name);
  CHECK(twice.error().message() == "node pool gpu not found");
}

Async<> searching(Cluster& c) {
  co_await put(c, *make_job("web", 1));
  co_await put(c, *make_job("worker", 1));
  model::SearchRequest request;
  request.prefix = "we";
  request.context = "jobs";
  const auto found = co_await call(c, e::search_prefix, request);
  REQUIRE(found);
  REQUIRE(found->matches.get("jobs")->size() == 1);
  CHECK((*found->matches.get("jobs"))[0] == "web");
  request.context = "evals";
  const auto not_hex = co_await call(c, e::search_prefix, request);
  REQUIRE(not_hex);
  CHECK(not_hex->matches.empty());
  request.context = "odd";
  const auto wrong = co_await call(c, e::search_prefix, request);
  CHECK(wrong.error().message().starts_with("context must be one of [allocs jobs nodes"));
  model::FuzzySearchRequest fuzzy;
  fuzzy.text = "ORK";
  fuzzy.context = "jobs";
  const auto matched = co_await call(c, e::search_fuzzy, fuzzy);
  REQUIRE(matched);
  REQUIRE(matched->matches.get("jobs") != nullptr);
  CHECK((*matched->matches.get("jobs"))[0].id == "worker");
}

Async<> configuration(Cluster& c) {
  model::SchedulerSetConfigurationRequest request;
  request.config.scheduler_algorithm = "spread";
  auto set = co_await call(c, e::scheduler_config_set, request);
  REQUIRE(set);
  CHECK(set->updated);
  request.check_index = 1;
  const auto refused = co_await call(c, e::scheduler_config_set, request);
  REQUIRE(refused);
  CHECK_FALSE(refused->updated);
  request.check_index = set->index;
  request.config.pause_eval_broker = true;
  set = co_await call(c, e::scheduler_config_set, request);
  REQUIRE(set);
  CHECK(set->updated);

  // Nobody works on an evaluation while the broker is paused.
  const auto registered = co_await put(c, *make_job("web", 1));
  REQUIRE(registered);
  model::ObjectRequest eval;
  eval.id = registered->eval_id;
  const auto waiting = co_await call(c, e::eval_get, eval);
  CHECK(waiting->item->status == "pending");
  model::EvalDeleteRequest remove;
  remove.eval_ids.push_back(registered->eval_id);
  const auto unsafe = co_await call(c, e::eval_delete, remove);
  CHECK(unsafe.error().message().ends_with("eval status is not terminal"));

  request.config.pause_eval_broker = false;
  request.check_index.reset();
  set = co_await call(c, e::scheduler_config_set, request);
  REQUIRE(set);
  eval.min_query_index = waiting->item->modify_index;
  eval.max_query_time = std::chrono::seconds(10);
  const auto done = co_await call(c, e::eval_get, eval);
  CHECK(done->item->modify_index > waiting->item->modify_index);
  const auto running = co_await call(c, e::eval_delete, remove);
  CHECK(running.error().message() == "eval broker is enabled; eval broker must be paused to delete evals");
}

}  // namespace

TEST_CASE("server: scaling changes a count within its policy, and every attempt is remembered") {
  Cluster c;
  c.run(scaling(c));
}

TEST_CASE("server: versions are named, declared stable and gone back to") {
  Cluster c;
  c.run(versions(c));
}

TEST_CASE("server: dispatched and forced children are jobs of their own; a token starts one only once") {
  Cluster c;
  c.run(children(c));
}

TEST_CASE("server: namespaces limit their jobs; what is used is not deleted") {
  Cluster c;
  c.run(spaces(c));
}

TEST_CASE("server: search finds by prefix and by text") {
  Cluster c;
  c.run(searching(c));
}

TEST_CASE("server: the scheduler's configuration is stored under a check, and a paused broker hands out nothing") {
  Cluster c;
  c.run(configuration(c));
}
