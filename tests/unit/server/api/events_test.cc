#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "sdk/async/scope.h"
#include "server/api/api.h"

using namespace drover;

namespace {

// Takes what is written; the client goes away after `limit` pieces.
class Reader final : public http::ResponseStream {
 public:
  explicit Reader(int limit) : left_(limit) {}
  [[nodiscard]] Async<bool> write(std::string_view piece) override {
    text += piece;
    co_return true;
  }
  [[nodiscard]] Async<bool> flush() override { co_return --left_ > 0; }
  [[nodiscard]] bool gone() const override { return left_ <= 0; }
  std::string text;

 private:
  int left_;
};

Async<> follow(const http::Router& router, http::Request request, http::Response& answer, Reader& reader) {
  auto pending = router.handle(std::move(request));
  answer = co_await std::move(pending);
  if (answer.stream) co_await answer.stream(reader);
}

struct Fixture {
  asio::io_context loop;
  wire::Registry registry;
  wire::LocalCaller caller{registry};
  events::EventBuffer buffer{loop.get_executor(), 10};
  http::Router router;
  Reader reader{2};
  http::Response answer;

  Fixture() { api::register_server_api(router, {.caller = caller, .events = &buffer}); }

  void append(std::uint64_t index, const std::string& id) {
    auto job = std::make_shared<model::Job>();
    job->id = id;
    job->namespace_ = "default";
    auto eval = std::make_shared<model::Evaluation>();
    eval->id = "e-" + id;
    eval->job_id = id;
    eval->namespace_ = "default";
    buffer.append(fsm::MessageType::job_register, index,
                  {{state::Table::jobs, {}, state::JobPtr(job)}, {state::Table::evals, {}, state::EvalPtr(eval)}});
  }

  const std::string& ask(std::string_view query) {
    http::Request request;
    request.method = "GET";
    request.target = request.path = "/v1/event/stream";
    request.query = http::Query::parse(query);
    Scope scope(loop.get_executor());
    scope.spawn(follow(router, std::move(request), answer, reader));
    loop.run();
    loop.restart();
    return reader.text;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "events: a heartbeat comes first, then one line a batch; a registration makes two of one index") {
  append(5, "web");
  const std::string& text = ask("");
  CHECK(text.starts_with("{}\n{\"Index\":5,\"Events\":[{\"Topic\":\"Job\",\"Type\":\"JobRegistered\",\"Key\":\"web\""));
  CHECK(text.find("\n{\"Index\":5,\"Events\":[{\"Topic\":\"Evaluation\"") != std::string::npos);
  CHECK(text.ends_with("}\n"));
  CHECK(answer.until_close);
  CHECK_FALSE(answer.compress);
  CHECK(answer.headers.get("Cache-Control") == "no-cache");
}

TEST_CASE_FIXTURE(Fixture, "events: topics and keys choose, also by filter keys") {
  append(5, "web");
  append(6, "db");
  const std::string& text = ask("topic=Evaluation:db&topic=Job:none");
  CHECK(text.starts_with("{}\n{\"Index\":6,\"Events\":[{\"Topic\":\"Evaluation\""));
  CHECK(text.find("web") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "events: an index starts at the first batch at or after it") {
  append(5, "web");
  append(8, "db");
  CHECK(ask("topic=Job&index=6").find("\"Index\":8") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "events: an unknown region is 200 without a byte") {
  CHECK(ask("region=mars").empty());
  CHECK(answer.status == 200);
}
