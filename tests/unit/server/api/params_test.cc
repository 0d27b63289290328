#include "server/api/params.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::api;

namespace {

struct Fixture {
  wire::Registry registry;
  wire::LocalCaller caller{registry};
  Context context{ApiOptions{.caller = caller}, caller};

  Result<model::ListRequest> list(std::string_view query) const {
    http::Request request;
    request.query = http::Query::parse(query);
    model::ListRequest out;
    if (auto read = read_list_query(context, request, out); !read) return fail(read.error());
    return out;
  }
  std::string refused(std::string_view query) const {
    const auto out = list(query);
    return out ? "accepted" : std::to_string(to_http_status(out.error())) + " " + out.error().message();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "params: wrong values are refused in the texts that clients know") {
  CHECK(refused("index=x") == "400 Invalid index");
  CHECK(refused("index=-1") == "400 Invalid index");
  CHECK(refused("index=1&wait=5") == "400 Invalid wait time");
  CHECK(refused("stale=perhaps") == "400 Expect `true` or `false` for `stale` query string parameter");
  CHECK(refused("per_page=99999999999") == "400 Expect a number for `per_page` query string parameter");
  CHECK(refused("region=mars") == "500 No path to region");
}

TEST_CASE_FIXTURE(Fixture, "params: a list understands paging, filter, prefix and every namespace") {
  const auto out = list("prefix=we&per_page=-1&next_token=default.a&filter=ID+%3D%3D+1&reverse=true&namespace=*&stale");
  REQUIRE(out);
  CHECK(out->prefix == "we");
  CHECK(out->per_page == -1);
  CHECK(out->next_token == "default.a");
  CHECK(out->filter == "ID == 1");
  CHECK(out->reverse);
  CHECK(out->all_namespaces);
  CHECK(out->allow_stale);
  CHECK_FALSE(list("reverse=maybe&stale=false")->reverse);
  CHECK(list("")->namespace_ == "default");
}

TEST_CASE_FIXTURE(Fixture, "params: a wait is 300 s when it is absent, zero, negative or longer, and none without an index") {
  CHECK(list("index=3&wait=10s")->max_query_time == std::chrono::seconds(10));
  for (const auto* query : {"index=3", "index=3&wait=0s", "index=3&wait=-1s", "index=3&wait=2h"}) {
    CHECK(list(query)->max_query_time == std::chrono::seconds(300));
  }
  CHECK(list("wait=10s")->max_query_time == std::chrono::seconds(0));
}

TEST_CASE("params: booleans are Go's words") {
  const auto query = http::Query::parse("a=T&b=maybe&c=&d=0");
  CHECK(*read_bool(query, "a") == true);
  CHECK(*read_bool(query, "c") == std::nullopt);
  CHECK(*read_bool(query, "d") == false);
  CHECK(read_bool(query, "b").error().message() ==
        "Failed to parse value of \"b\" (maybe) as a bool: strconv.ParseBool: parsing \"maybe\": invalid syntax");
  CHECK_FALSE(read_flag(query, "b"));
}

TEST_CASE("params: the token comes from its header, else from the first word after Bearer") {
  http::Request request;
  request.headers.add("Authorization", "bearer abc def");
  CHECK(request_token(request) == "abc");
  request.headers.add("X-Nomad-Token", " xyz ");
  CHECK(request_token(request) == "xyz");
}

TEST_CASE("params: bodies that are no job request are refused in Go's words") {
  const auto read = [](std::string body) {
    http::Request request;
    request.body = std::move(body);
    model::JobRegisterRequest out;
    const auto done = read_body(request, out, "api.JobRegisterRequest");
    return done ? out.job ? out.job->id : "no job" : done.error().message();
  };
  CHECK(read("") == "Request body is empty");
  CHECK(read("{") == "unexpected EOF");
  CHECK(read("{\"Job\":{\"ID\":\"a") == "unexpected EOF");
  CHECK(read("[]") == "json: cannot unmarshal array into Go value of type api.JobRegisterRequest");
  CHECK(read("{}") == "no job");
  CHECK(read("x") == "invalid character 'x' looking for beginning of value");
  CHECK(read("{1:2}") == "invalid character '1' looking for beginning of object key string");
  CHECK(read("{\"a\" 1}") == "invalid character '1' after object key");
  CHECK(read("{\"a\":[1 2]}") == "invalid character '2' after array element");
  CHECK(read("{\"a\":1 \"b\"}") == "invalid character '\"' after object key:value pair");
  CHECK(read("{\"a\":tru}") == "invalid character '}' in literal true (expecting 'e')");
  CHECK(read("{\"a\":1.}") == "invalid character '}' after decimal point in numeric literal");
  CHECK(read("{\"a\":\"\\q\"}") == "invalid character 'q' in string escape code");
  CHECK(read(R"({"Job":{"ID":5}})") == "json: cannot unmarshal number into Go struct field Job.Job.ID of type string");
  CHECK(read(R"({"EnforceIndex":"x"})") == "json: cannot unmarshal string into Go struct field JobRegisterRequest.EnforceIndex of type bool");
  CHECK(read(R"({"job":{"id":"web","Unknown":1}})") == "web");
}
