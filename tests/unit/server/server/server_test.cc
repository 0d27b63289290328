#include "sdk/base/uuid.h"
#include "tests/unit/server/server/cluster.h"

using namespace drover;
namespace e = drover::wire::endpoints;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const model::Node> make_node(std::string id, std::string status = "ready") {
  auto node = std::make_shared<model::Node>();
  node->id = std::move(id);
  node->secret_id = "11111111-2222-3333-4444-555555555555";
  node->datacenter = "dc1";
  node->name = "n1";
  node->http_addr = "127.0.0.1:4646";
  node->status = std::move(status);
  return node;
}

const std::string node_id = "aaaaaaaa-0000-0000-0000-000000000001";
const std::string secret = "11111111-2222-3333-4444-555555555555";

Async<Result<model::NodeClientAllocsReply>> client_allocs(Cluster& c, std::uint64_t index) {
  model::NodeClientAllocsRequest request;
  request.node_id = node_id;
  request.secret_id = secret;
  request.min_query_index = index;
  request.max_query_time = 10s;
  auto reply = co_await c.caller->call(e::node_client_allocs, std::move(request));
  co_return reply;
}

Async<> register_node(Cluster& c) {
  model::NodeRegisterRequest request;
  request.node = make_node(node_id);
  auto reply = co_await c.caller->call(e::node_register, std::move(request));
  REQUIRE(reply);
  CHECK(reply->heartbeat_ttl >= 10s);
  CHECK(reply->heartbeat_ttl <= 20s);
}

Async<Result<model::JobRegisterResponse>> register_job(Cluster& c, std::string id, std::int64_t count) {
  model::JobRegisterRequest request;
  request.job = make_job(std::move(id), count);
  auto reply = co_await c.caller->call(e::job_register, std::move(request));
  co_return reply;
}

Async<Result<model::ObjectReply<model::Job>>> get_job(Cluster& c, std::string id, std::uint64_t index = 0) {
  model::ObjectRequest request;
  request.id = std::move(id);
  request.min_query_index = index;
  request.max_query_time = 10s;
  auto reply = co_await c.caller->call(e::job_get, std::move(request));
  co_return reply;
}

Async<Result<model::WriteMeta>> report(Cluster& c, const model::Allocation& alloc, std::string status) {
  model::NodeUpdateAllocRequest request;
  request.node_id = node_id;
  request.secret_id = secret;
  auto update = std::make_shared<model::Allocation>();
  update->id = alloc.id;
  update->client_status = std::move(status);
  request.allocs.push_back(std::move(update));
  auto reply = co_await c.caller->call(e::node_update_alloc, std::move(request));
  co_return reply;
}

Async<> park(Cluster& c, std::uint64_t index, std::optional<Result<model::NodeClientAllocsReply>>& out) {
  auto reply = co_await client_allocs(c, index);
  out = std::move(reply);
}

Async<> job_to_running(Cluster& c) {
  co_await register_node(c);
  auto empty = co_await client_allocs(c, 0);
  REQUIRE(empty);
  CHECK(empty->alloc_modify_indexes.empty());

  std::optional<Result<model::NodeClientAllocsReply>> parked;
  c.scope.spawn(park(c, empty->index, parked));
  auto registered = co_await register_job(c, "web", 2);
  REQUIRE(registered);
  CHECK(registered->eval_create_index == registered->index);
  CHECK(registered->job_modify_index == registered->index);
  CHECK(!parked);

  auto answer = co_await client_allocs(c, empty->index);
  REQUIRE(answer);
  REQUIRE(answer->changed.size() == 2);
  CHECK(answer->alloc_modify_indexes.size() == 2);
  CHECK(answer->changed[0]->job->id == "web");
  CHECK(answer->changed[0]->job == answer->changed[1]->job);
  auto job = co_await get_job(c, "web");
  REQUIRE(job);
  CHECK(job->item->status == "running");

  auto first = co_await report(c, *answer->changed[0], "running");
  REQUIRE(first);
  auto second = co_await report(c, *answer->changed[1], "running");
  REQUIRE(second);
  model::ObjectRequest summary_request;
  summary_request.id = "web";
  auto summary = co_await c.caller->call(e::job_summary, std::move(summary_request));
  REQUIRE(summary);
  CHECK(summary->item->summary.get("g")->running == 2);
  CHECK(summary->item->summary.get("g")->starting == 0);
  // What the client itself told does not wake it.
  auto after = co_await client_allocs(c, 0);
  CHECK(after->index == answer->index);

  model::JobDeregisterRequest stop;
  stop.job_id = "web";
  auto stopped = co_await c.caller->call(e::job_deregister, std::move(stop));
  REQUIRE(stopped);
  auto told = co_await client_allocs(c, answer->index);
  REQUIRE(told);
  REQUIRE(told->changed.size() == 2);
  CHECK(told->changed[0]->desired_status == "stop");
  for (const auto& alloc : told->changed) {
    auto reported = co_await report(c, *alloc, "complete");
    REQUIRE(reported);
  }
  auto dead = co_await get_job(c, "web");
  CHECK(dead->item->status == "dead");
  model::EmptyRequest gc;
  auto collected = co_await c.caller->call(e::system_gc, std::move(gc));
  REQUIRE(collected);
  auto gone = co_await get_job(c, "web");
  CHECK(gone->item == nullptr);
  auto none = co_await client_allocs(c, told->index);
  REQUIRE(none);
  CHECK(none->alloc_modify_indexes.empty());
}

Async<> blocked_until_node(Cluster& c) {
  auto registered = co_await register_job(c, "late", 1);
  REQUIRE(registered);
  // No node: the evaluation is blocked, the job waits.
  auto job = co_await get_job(c, "late", registered->index - 1);
  CHECK(job->item->status == "pending");
  co_await register_node(c);
  auto answer = co_await client_allocs(c, 1);
  REQUIRE(answer);
  CHECK(answer->changed.size() == 1);
}

Async<> note_job(Cluster& c, std::string id, std::uint64_t index, int& count) {
  auto reply = co_await get_job(c, std::move(id), index);
  if (reply) ++count;
}

Async<> exact_wakes(Cluster& c) {
  auto a = co_await register_job(c, "a", 0);
  auto b = co_await register_job(c, "b", 0);
  REQUIRE(a);
  REQUIRE(b);
  auto job_a = co_await get_job(c, "a");
  auto job_b = co_await get_job(c, "b");
  int woken_a = 0;
  int woken_b = 0;
  c.scope.spawn(note_job(c, "a", b->index + 100, woken_a));
  c.scope.spawn(note_job(c, "b", job_b->index, woken_b));
  model::JobRegisterRequest change;
  auto changed = std::make_shared<model::Job>(*make_job("b", 0));
  changed->meta["k"] = "v";
  change.job = std::move(changed);
  auto registered = co_await c.caller->call(e::job_register, std::move(change));
  REQUIRE(registered);
  for (int i = 0; i < 20; ++i) co_await asio::post(c.io, asio::use_awaitable);
  CHECK(woken_b == 1);
  CHECK(woken_a == 0);
}

Async<> enforce_index(Cluster& c) {
  model::JobRegisterRequest request;
  request.job = make_job("web", 0);
  request.enforce_index = true;
  request.job_modify_index = 99;
  auto refused = co_await c.caller->call(e::job_register, std::move(request));
  REQUIRE(!refused);
  CHECK(refused.error().message() == "Enforcing job modify index 99: job does not exist");
  auto first = co_await register_job(c, "web", 0);
  REQUIRE(first);
  model::JobRegisterRequest other;
  auto batch = std::make_shared<model::Job>(*make_job("web", 0));
  batch->type = "batch";
  other.job = std::move(batch);
  auto retyped = co_await c.caller->call(e::job_register, std::move(other));
  REQUIRE(!retyped);
  CHECK(retyped.error().message() == "cannot update job from type \"service\" to \"batch\"");
  auto again = co_await register_job(c, "web", 0);
  REQUIRE(again);
  CHECK(again->job_modify_index == first->job_modify_index);
  CHECK(again->index > first->index);
}

Async<> lists(Cluster& c) {
  for (const char* id : {"c", "a", "b"}) {
    auto reply = co_await register_job(c, id, 0);
    REQUIRE(reply);
  }
  model::ListRequest request;
  request.per_page = 2;
  auto page = co_await c.caller->call(e::job_list, request);
  REQUIRE(page);
  REQUIRE(page->items.size() == 2);
  CHECK(page->items[0].id == "a");
  CHECK(page->next_token == "default.c");
  request.next_token = page->next_token;
  auto rest = co_await c.caller->call(e::job_list, request);
  REQUIRE(rest);
  REQUIRE(rest->items.size() == 1);
  CHECK(rest->items[0].id == "c");
  CHECK(rest->next_token.empty());
  model::ListRequest reverse;
  reverse.reverse = true;
  auto back = co_await c.caller->call(e::job_list, reverse);
  CHECK(back->items[0].id == "c");
  CHECK(back->items[2].id == "a");

  model::ListRequest evals;
  evals.per_page = 1;
  auto first = co_await c.caller->call(e::eval_list, evals);
  REQUIRE(first);
  REQUIRE(first->items.size() == 1);
  CHECK(first->items[0]->job_id == "c");
  CHECK(first->next_token.find('.') != std::string::npos);
  evals.next_token = first->next_token;
  auto second = co_await c.caller->call(e::eval_list, evals);
  CHECK(second->items[0]->job_id == "a");
  model::ListRequest odd;
  odd.prefix = "abc";
  auto refused = co_await c.caller->call(e::eval_list, odd);
  REQUIRE(!refused);
  CHECK(refused.error().message() == "eval lookup failed: index error: Input (without hyphens) must be even length");
  model::ObjectRequest shortened;
  shortened.id = "ab";
  auto node = co_await c.caller->call(e::node_get, shortened);
  CHECK(node.error().message() == "node lookup failed: index error: UUID must be 36 characters");
}

Async<Result<model::NodeUpdateResponse>> beat(Cluster& c) {
  model::NodeUpdateStatusRequest request;
  request.node_id = node_id;
  request.secret_id = secret;
  request.status = "ready";
  auto reply = co_await c.caller->call(e::node_update_status, std::move(request));
  co_return reply;
}

Async<std::string> node_status(Cluster& c) {
  model::ObjectRequest request;
  request.id = node_id;
  auto reply = co_await c.caller->call(e::node_get, std::move(request));
  co_return reply->item->status;
}

Async<> down_and_back(Cluster& c) {
  co_await register_node(c);
  auto registered = co_await register_job(c, "web", 1);
  REQUIRE(registered);
  auto placed = co_await client_allocs(c, 1);
  REQUIRE(placed);
  REQUIRE(placed->changed.size() == 1);
  const std::size_t entries = c.log->entries.size();
  auto quiet = co_await beat(c);
  REQUIRE(quiet);
  // A heartbeat alone costs no log entry.
  CHECK(c.log->entries.size() == entries);

  model::NodeUpdateStatusRequest down;
  down.node_id = node_id;
  down.secret_id = secret;
  down.status = "down";
  auto gone = co_await c.caller->call(e::node_update_status, std::move(down));
  REQUIRE(gone);
  CHECK(gone->eval_ids.size() == 1);
  // The allocation it runs is not accounted for yet.
  auto back = co_await beat(c);
  REQUIRE(back);
  auto waiting = co_await node_status(c);
  CHECK(waiting == "initializing");
  auto told = co_await report(c, *placed->changed[0], "running");
  REQUIRE(told);
  auto again = co_await beat(c);
  REQUIRE(again);
  auto ready = co_await node_status(c);
  CHECK(ready == "ready");
}

Async<> stopped_while_parked(Cluster& c, bool& answered) {
  auto reply = co_await client_allocs(c, 1'000'000);
  CHECK(!reply);
  answered = true;
}

Async<> strangers(Cluster& c) {
  co_await register_node(c);
  model::NodeRegisterRequest again;
  auto node = std::make_shared<model::Node>(*make_node(node_id));
  node->secret_id = "other";
  again.node = std::move(node);
  auto refused = co_await c.caller->call(e::node_register, std::move(again));
  REQUIRE(!refused);
  model::NodeClientAllocsRequest request;
  request.node_id = node_id;
  request.secret_id = "other";
  auto allocs = co_await c.caller->call(e::node_client_allocs, std::move(request));
  REQUIRE(!allocs);
  CHECK(allocs.error().code() == Code::permission_denied);
}

Async<> other_schedulers(Cluster& c) {
  co_await register_node(c);
  c.server->tune({.num_schedulers = 1, .enabled_schedulers = {"batch"}});
  auto before = co_await client_allocs(c, 0);
  REQUIRE(before);
  std::optional<Result<model::NodeClientAllocsReply>> parked;
  c.scope.spawn(park(c, before->index, parked));
  auto registered = co_await register_job(c, "web", 1);
  REQUIRE(registered);
  for (int turn = 0; turn < 50; ++turn) co_await asio::post(c.io, asio::use_awaitable);
  CHECK(!parked);
  CHECK(c.server->stats().at("broker").at("ready") == "1");
  c.server->tune({.num_schedulers = 3, .enabled_schedulers = {"batch", "service"}});
  for (int turn = 0; turn < 50 && !parked; ++turn) co_await asio::post(c.io, asio::use_awaitable);
  REQUIRE(parked);
  REQUIRE(*parked);
  CHECK((*parked)->alloc_modify_indexes.size() == 1);
}

}  // namespace

TEST_CASE("server: other schedulers while it runs: nobody takes what none of them is for, the next ones do") {
  Cluster c;
  c.run(other_schedulers(c));
}

TEST_CASE("server: a job leads to allocations that a parked client is told about, and to status running") {
  Cluster c;
  c.run(job_to_running(c));
}

TEST_CASE("server: a blocked evaluation is placed when a node comes") {
  Cluster c;
  c.run(blocked_until_node(c));
}

TEST_CASE("server: a blocking query wakes exactly when its answer changed") {
  Cluster c;
  c.run(exact_wakes(c));
}

TEST_CASE("server: registration with an enforced index, a changed type, and unchanged") {
  Cluster c;
  c.run(enforce_index(c));
}

TEST_CASE("server: lists are paged, ordered and reversed; bad ids are refused in the API's words") {
  Cluster c;
  c.run(lists(c));
}

TEST_CASE("server: only the node with the right secret is answered") {
  Cluster c;
  c.run(strangers(c));
}

TEST_CASE("server: a node that was down is ready again when its allocations are accounted for") {
  Cluster c;
  c.run(down_and_back(c));
}

TEST_CASE("server: a shutdown answers parked queries") {
  Cluster c;
  bool answered = false;
  c.run([](Cluster& cluster, bool& done) -> Async<> {
    co_await register_node(cluster);
    cluster.scope.spawn(stopped_while_parked(cluster, done));
    co_await asio::post(cluster.io, asio::use_awaitable);
  }(c, answered));
  CHECK(answered);
}
