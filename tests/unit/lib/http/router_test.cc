#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "lib/http/parser.h"
#include "lib/http/router.h"
#include "sdk/async/scope.h"

using namespace drover;
using namespace drover::http;

namespace {
Async<Response> answer(std::string name, Request request) {
  auto text = name;
  for (const auto& [key, value] : request.params) text += " " + std::string(key) + "=" + value;
  co_return Response::text(200, text);
}

Handler named(std::string name) {
  return [name](Request request) { return answer(name, std::move(request)); };
}

Async<> ask(const Router& router, Request request, Response& out) {
  auto pending = router.handle(std::move(request));
  out = co_await std::move(pending);
}

Response call(const Router& router, std::string_view method, std::string_view target, std::string_view fields = {}) {
  Request request;
  const auto framing = parse_request_head(fmt::format("{} {} HTTP/1.1\r\nHost: x\r\n{}\r\n", method, target, fields), 100, request);
  REQUIRE(framing);
  asio::io_context loop;
  Scope scope(loop.get_executor());
  Response out;
  scope.spawn(ask(router, std::move(request), out));
  loop.run();
  return out;
}

Router make() {
  Router router;
  router.add("GET", "/v1/jobs", named("jobs"));
  router.add("GET PUT DELETE", "/v1/job/{id...}", named("job"));
  router.add("PUT", "/v1/job/{id...}/plan", named("plan"));
  router.add("GET", "/v1/job/{id...}/allocations", named("allocations"));
  router.add("PUT DELETE", "/v1/job/{id...}/versions/{tag}/tag", named("tag"));
  router.add("GET", "/v1/node/{id}/allocations", named("node"));
  router.add("*", "/v1/client/stats", named("stats"), {.cors = Cors::get});
  router.add("GET PUT DELETE", "/v1/var/{path...}", named("var"), {.cors = Cors::head_get_put_delete, .max_body_bytes = 70000});
  router.on_wrong_method("/v1/var/{path...}", 400, "Invalid method");
  router.add("*", "/ui/{path...}", named("ui"), {.api = false});
  router.set_response_headers({{"X-Golden", "1"}});
  return router;
}
}  // namespace

TEST_CASE("router: a job id may hold slashes, encoded or not") {
  const auto router = make();
  CHECK(call(router, "GET", "/v1/jobs").body == "jobs");
  CHECK(call(router, "GET", "/v1/job/a").body == "job id=a");
  CHECK(call(router, "GET", "/v1/job/a/b").body == "job id=a/b");
  CHECK(call(router, "GET", "/v1/job/a%2Fb/allocations").body == "allocations id=a/b");
  CHECK(call(router, "POST", "/v1/job/a/b/plan").body == "plan id=a/b");
  CHECK(call(router, "PUT", "/v1/job/plan").body == "job id=plan");
  CHECK(call(router, "PUT", "/v1/job/%2Fplan").body == "plan id=");
  CHECK(call(router, "PUT", "/v1/job/x/y/versions/t1/tag").body == "tag id=x/y tag=t1");
  CHECK(call(router, "GET", "/v1/job/a/other").body == "job id=a/other");
  CHECK(call(router, "GET", "/v1/node/n1/allocations").body == "node id=n1");
  CHECK(call(router, "GET", "/v1/node/n1/x/allocations").status == 404);
  CHECK(call(router, "GET", "/v1/job/").body == "job id=");
}

TEST_CASE("router: wrong methods, unknown paths and redirects") {
  const auto router = make();
  CHECK(call(router, "GET", "/v1/job/a/plan").status == 405);
  CHECK(call(router, "GET", "/v1/job/a/plan").body == "Invalid method");
  CHECK(call(router, "FOO", "/v1/var/x").status == 400);
  const auto unknown = call(router, "GET", "/v1/nothing");
  CHECK(unknown.status == 404);
  CHECK(unknown.body.empty());
  CHECK_FALSE(unknown.headers.has("X-Golden"));
  const auto clean = call(router, "GET", "/v1//jobs?a=1");
  CHECK(clean.status == 307);
  CHECK(clean.headers.get("Location") == "/v1/jobs?a=1");
  CHECK(clean.body == "<a href=\"/v1/jobs?a=1\">Temporary Redirect</a>.\n\n");
  const auto subtree = call(router, "PUT", "/v1/job");
  CHECK(subtree.headers.get("Location") == "/v1/job/");
  CHECK(subtree.body.empty());
  CHECK(call(router, "GET", "/v1/jobs").headers.get("X-Golden") == "1");
  CHECK_FALSE(call(router, "GET", "/ui/").headers.has("X-Golden"));
  CHECK(router.max_body_bytes("PUT", "/v1/var/a/b") == 70000);
  CHECK(router.max_body_bytes("PUT", "/v1/jobs") == 0);
}

TEST_CASE("router: CORS of the routes that have it") {
  const auto router = make();
  const std::string preflight = "Origin: http://x\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: X-Nomad-Token\r\n";
  const auto allowed = call(router, "OPTIONS", "/v1/var/a", preflight);
  CHECK(allowed.status == 204);
  CHECK(allowed.headers.get("Access-Control-Allow-Methods") == "PUT");
  CHECK(allowed.headers.get("Access-Control-Allow-Headers") == "X-Nomad-Token");
  const auto refused = call(router, "OPTIONS", "/v1/client/stats", preflight);
  CHECK(refused.status == 204);
  CHECK_FALSE(refused.headers.has("Access-Control-Allow-Methods"));
  CHECK(call(router, "OPTIONS", "/v1/jobs", preflight).status == 405);
  const auto shown = call(router, "GET", "/v1/client/stats", "Origin: http://x\r\n");
  CHECK(shown.headers.get("Access-Control-Allow-Origin") == "*");
  CHECK(shown.headers.get("Vary") == "Origin");
  CHECK(call(router, "GET", "/v1/client/stats").headers.get("Vary") == "Origin");
}
