// The routes in front of handlers that answer from memory.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "sdk/async/scope.h"
#include "server/api/api.h"

using namespace drover;

namespace {

namespace endpoints = wire::endpoints;

struct Seen {
  model::ObjectRequest object;
  model::JobRegisterRequest registered;
  model::JobDeregisterRequest deregistered;
  model::NodeUpdateEligibilityRequest eligibility;
};

model::QueryMeta meta() {
  model::QueryMeta out;
  out.index = 7;
  out.known_leader = true;
  return out;
}

Async<Result<model::ObjectReply<model::Job>>> get_job(Seen& seen, model::ObjectRequest request) {
  model::ObjectReply<model::Job> reply{meta(), nullptr};
  if (request.id == "team/a@b" || request.id == "web") {
    auto job = std::make_shared<model::Job>();
    job->id = request.id;
    reply.item = job;
  }
  seen.object = std::move(request);
  co_return reply;
}

Async<Result<model::ObjectReply<model::JobSummary>>> get_summary(model::ObjectRequest request) {
  auto summary = std::make_shared<model::JobSummary>();
  summary->job_id = request.id;
  co_return model::ObjectReply<model::JobSummary>{meta(), summary};
}

Async<Result<model::ObjectReply<model::Node>>> get_node(model::ObjectRequest) {
  auto node = std::make_shared<model::Node>();
  node->secret_id = "hidden";
  node->drain_strategy.ensure();
  co_return model::ObjectReply<model::Node>{meta(), node};
}

Async<Result<model::JobRegisterResponse>> register_job(Seen& seen, model::JobRegisterRequest request) {
  seen.registered = std::move(request);
  model::JobRegisterResponse reply;
  reply.index = 9;
  reply.eval_id = "e";
  co_return reply;
}

Async<Result<model::JobDeregisterResponse>> deregister(Seen& seen, model::JobDeregisterRequest request) {
  seen.deregistered = std::move(request);
  co_return model::JobDeregisterResponse{};
}

Async<Result<model::ListReply<std::shared_ptr<const model::Deployment>>>> job_deployments(model::ObjectRequest request) {
  model::ListReply<std::shared_ptr<const model::Deployment>> reply{meta(), {}};
  for (const std::uint64_t index : {3U, 5U, 4U}) {
    if (request.id == "none") break;
    auto deployment = std::make_shared<model::Deployment>();
    deployment->id = "d" + std::to_string(index);
    deployment->create_index = index;
    reply.items.push_back(std::move(deployment));
  }
  co_return reply;
}

Async<Result<model::RaftConfigurationResponse>> raft_config() {
  model::RaftConfigurationResponse reply;
  model::RaftServer server;
  server.id = "id";
  server.node = "golden-1.global";
  server.address = "127.0.0.1:14647";
  server.raft_protocol = "3";
  reply.servers.push_back(server);
  co_return reply;
}

Async<> ask(const http::Router& router, http::Request request, http::Response& out) {
  auto pending = router.handle(std::move(request));
  out = co_await std::move(pending);
}

struct Fixture {
  Seen seen;
  wire::Registry registry;
  wire::LocalCaller caller{registry};
  http::Router router;

  Fixture() {
    registry.add(endpoints::job_get, std::function([this](model::ObjectRequest r) { return get_job(seen, std::move(r)); }));
    registry.add(endpoints::job_summary, std::function([](model::ObjectRequest r) { return get_summary(std::move(r)); }));
    registry.add(endpoints::node_get, std::function([](model::ObjectRequest r) { return get_node(std::move(r)); }));
    registry.add(endpoints::job_register, std::function([this](model::JobRegisterRequest r) { return register_job(seen, std::move(r)); }));
    registry.add(endpoints::job_deregister, std::function([this](model::JobDeregisterRequest r) { return deregister(seen, std::move(r)); }));
    registry.add(endpoints::job_deployments, std::function([](model::ObjectRequest r) { return job_deployments(std::move(r)); }));
    registry.add(endpoints::raft_config, std::function([](model::EmptyRequest) { return raft_config(); }));
    api::ApiOptions options{.caller = caller, .name = "golden-1", .version = "2.0.6"};
    options.agent.self = [] { return model::AgentSelf{}; };
    options.agent.health = [](bool client, bool server) {
      model::AgentHealthResponse out;
      if (client) out.client = model::AgentHealth{true, "ok"};
      if (server) out.server = model::AgentHealth{false, "no leader"};
      return out;
    };
    api::register_server_api(router, std::move(options));
  }

  http::Response call(std::string method, std::string target, std::string body = {}) const {
    http::Request request;
    request.method = std::move(method);
    request.target = target;
    request.path = *http::percent_decode(request.raw_path());
    request.query = http::Query::parse(request.raw_query());
    request.body = std::move(body);
    asio::io_context loop;
    Scope scope(loop.get_executor());
    http::Response out;
    scope.spawn(ask(router, std::move(request), out));
    loop.run();
    return out;
  }
};

bool holds(const http::Response& response, std::string_view text) { return response.body.find(text) != std::string::npos; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "routes: a job's id may hold slashes, encoded or not") {
  CHECK(holds(call("GET", "/v1/job/team%2Fa%40b"), "\"ID\":\"team/a@b\""));
  CHECK(holds(call("GET", "/v1/job/team/a@b/summary"), "\"JobID\":\"team/a@b\""));
  CHECK(holds(call("GET", "/v1/job/web?pretty"), "\n    \"ID\": \"web\""));
}

TEST_CASE_FIXTURE(Fixture, "routes: a missing job is 404 with the headers of a read") {
  const auto answer = call("GET", "/v1/job/none?index=3&wait=1s");
  CHECK(answer.status == 404);
  CHECK(answer.body == "job not found");
  CHECK(answer.headers.get("X-Nomad-Index") == "7");
  CHECK(seen.object.min_query_index == 3);
  CHECK(seen.object.max_query_time == std::chrono::seconds(1));
}

TEST_CASE_FIXTURE(Fixture, "routes: registration checks what the path, the query and the body say") {
  CHECK(call("PUT", "/v1/jobs").body == "Request body is empty");
  CHECK(call("PUT", "/v1/jobs", "{}").body == "Job must be specified");
  CHECK(call("PUT", "/v1/jobs", R"({"Job":{"Name":"x"}})").body == "Job ID hasn't been provided");
  CHECK(call("POST", "/v1/job/y", R"({"Job":{"ID":"x"}})").body == "Job ID does not match name");
  CHECK(call("PUT", "/v1/jobs?region=mars", R"({"Job":{"ID":"x"}})").body == "No path to region");
  const auto answer = call("PUT", "/v1/jobs?namespace=prod", R"({"Job":{"ID":"x","Namespace":"dev"},"EnforceIndex":true})");
  CHECK(answer.status == 200);
  CHECK(answer.headers.get("X-Nomad-Index") == "9");
  CHECK_FALSE(answer.headers.has("X-Nomad-KnownLeader"));
  CHECK(holds(answer, "\"NextToken\":\"\""));
  CHECK(seen.registered.namespace_ == "prod");
  CHECK(seen.registered.enforce_index);
}

TEST_CASE_FIXTURE(Fixture, "routes: a stop passes its parameters on and answers index 0 when there was nothing to stop") {
  const auto answer = call("DELETE", "/v1/job/none?purge=true&eval_priority=70");
  CHECK(answer.headers.get("X-Nomad-Index") == "0");
  CHECK(seen.deregistered.purge);
  CHECK(seen.deregistered.eval_priority == 70);
  CHECK(call("DELETE", "/v1/job/none?purge=maybe").status == 500);
}

TEST_CASE_FIXTURE(Fixture, "routes: the latest deployment is the one created last, null without any") {
  CHECK(holds(call("GET", "/v1/job/web/deployment"), "\"ID\":\"d5\""));
  CHECK(call("GET", "/v1/job/none/deployment").body == "null");
  CHECK(call("GET", "/v1/job/none/deployments").body == "[]");
}

TEST_CASE_FIXTURE(Fixture, "routes: a node shows whether it drains and never its secret") {
  const auto answer = call("GET", "/v1/node/00000000-0000-0000-0000-000000000000");
  CHECK(holds(answer, "\"SecretID\":\"\""));
  CHECK_FALSE(holds(answer, "hidden"));
  CHECK(answer.body.ends_with(",\"Drain\":true}"));
}

TEST_CASE_FIXTURE(Fixture, "routes: members are made from the servers, and the agent finds itself among them") {
  CHECK(holds(call("GET", "/v1/agent/members"), "\"Name\":\"golden-1.global\",\"Addr\":\"127.0.0.1\",\"Port\":14647"));
  CHECK(holds(call("GET", "/v1/agent/self"), "\"build\":\"2.0.6\""));
}

TEST_CASE_FIXTURE(Fixture, "routes: health is 500 when one asked part is not well") {
  CHECK(call("GET", "/v1/agent/health").status == 500);
  CHECK(call("GET", "/v1/agent/health?type=client").body == R"({"client":{"ok":true,"message":"ok"}})");
}

TEST_CASE_FIXTURE(Fixture, "routes: wrong methods and unknown words are refused as clients know it") {
  CHECK(call("DELETE", "/v1/jobs").body == "Invalid method");
  CHECK(call("GET", "/v1/job/web/evaluate").status == 405);
  CHECK(call("PUT", "/v1/operator/raft/configuration").body.empty());
  CHECK(call("GET", "/v1/allocation/x/other").body == "resource not found");
  CHECK(call("GET", "/v1/event/stream?topic=a:b:c").body ==
        "Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: a:b:c");
  CHECK(call("GET", "/v1/event/stream?index=x").body == "Unable to parse index: strconv.Atoi: parsing \"x\": invalid syntax");
  CHECK(call("GET", "/v1/event/stream").status == 501);
}
