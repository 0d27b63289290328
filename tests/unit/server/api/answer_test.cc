#include "server/api/answer.h"

#include <doctest/doctest.h>

#include "lib/model/rpc.h"
#include "server/api/task_events.h"

using namespace drover;
using namespace drover::api;

TEST_CASE("answer: pretty text has four spaces a level, empty containers on one line and a newline at the end") {
  CHECK(indent_json(R"({"a":[1,2],"b":{},"c":[],"d":"x:,{\"y"})") ==
        "{\n    \"a\": [\n        1,\n        2\n    ],\n    \"b\": {},\n    \"c\": [],\n    \"d\": \"x:,{\\\"y\"\n}\n");
  CHECK(indent_json("[]") == "[]\n");
  CHECK(indent_json("\"127.0.0.1\"") == "\"127.0.0.1\"\n");
}

TEST_CASE("answer: a list without items is [] and not null") {
  model::List<model::JobListStub> none;
  CHECK(list_json(none) == "[]");
  model::List<std::shared_ptr<const model::Evaluation>> evals;
  evals.push_back(std::make_shared<const model::Evaluation>());
  CHECK(list_json(evals).starts_with("[{"));
}

TEST_CASE("answer: reads carry the header quartet") {
  model::QueryMeta meta;
  meta.index = 12;
  meta.known_leader = true;
  meta.last_contact = std::chrono::milliseconds(30);
  meta.next_token = "default.x";
  const auto answer = read_answer({}, meta, "[]");
  CHECK(answer.headers.get("X-Nomad-Index") == "12");
  CHECK(answer.headers.get("X-Nomad-LastContact") == "30");
  CHECK(answer.headers.get("X-Nomad-KnownLeader") == "true");
  CHECK(answer.headers.get("X-Nomad-NextToken") == "default.x");
  meta.next_token.clear();
  CHECK_FALSE(missing(meta, "job not found").headers.has("X-Nomad-NextToken"));
  CHECK(missing(meta, "job not found").status == 404);
}

TEST_CASE("answer: the status follows the code or the end of the text, else it is 500") {
  CHECK(error_answer(Error(Code::invalid_argument, "x")).status == 400);
  CHECK(error_answer(Error(Code::not_found, "x")).status == 404);
  CHECK(error_answer(Error(Code::internal, "rpc: Permission denied")).status == 403);
  CHECK(error_answer(Error(Code::no_leader, "No cluster leader")).status == 500);
  CHECK(error_answer(Error(Code::conflict, "Enforcing job modify index 1: job already exists")).status == 500);
  CHECK(error_answer(Error(Code::internal, "x").with_http_status(422)).status == 422);
}

TEST_CASE("task events: one without a sentence gets it when it is read, and the shared allocation stays as it was") {
  model::TaskEvent event;
  event.type = "Terminated";
  event.exit_code = 137;
  event.signal = 9;
  event.message = "OOM \"x\"";
  CHECK(display_message(event) == "Exit Code: 137, Signal: 9, Exit Message: \"OOM \\\"x\\\"\"");
  event.type = "Restarting";
  event.restart_reason = "Restart within policy";
  event.start_delay = 1'500'000'000;
  CHECK(display_message(event) == "Task restarting in 1.5s");

  auto alloc = std::make_shared<model::Allocation>();
  alloc->task_states["web"].events.push_back(event);
  std::shared_ptr<const model::Allocation> shown = alloc;
  show_messages(shown);
  CHECK(shown->task_states.get("web")->events[0].display_message == "Task restarting in 1.5s");
  CHECK(alloc->task_states.get("web")->events[0].display_message.empty());
  const auto before = shown;
  show_messages(shown);
  CHECK(shown == before);
}
