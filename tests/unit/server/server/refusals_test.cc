// What registration and its relatives refuse for what is stored already, in the words that clients compare.
#include "tests/unit/server/server/cluster.h"

using namespace drover;
namespace e = drover::wire::endpoints;

namespace {

Async<std::string> refusal(Cluster& c, model::JobRegisterRequest request) {
  const auto reply = co_await c.caller->call(e::job_register, std::move(request));
  co_return reply ? "" : reply.error().message();
}

model::JobRegisterRequest registration(model::Job job) {
  model::JobRegisterRequest request;
  request.job = std::make_shared<const model::Job>(std::move(job));
  return request;
}

Async<> kinds(Cluster& c) {
  model::Job plain = *make_job("plain", 1);
  plain.type = "batch";
  model::Job periodic = plain;
  periodic.periodic.ensure().enabled = true;
  periodic.periodic->specs.push_back("0 0 1 1 *");
  model::Job parameterized = plain;
  parameterized.parameterized_job.ensure().payload = "optional";
  model::Job dispatched = plain;
  dispatched.dispatched = true;

  auto text = co_await refusal(c, model::JobRegisterRequest());
  CHECK(text == "missing job for registration");
  text = co_await refusal(c, registration(plain));
  CHECK(text == "");
  text = co_await refusal(c, registration(periodic));
  CHECK(text == "cannot update non-periodic job to being periodic");
  text = co_await refusal(c, registration(parameterized));
  CHECK(text == "cannot update non-parameterized job to being parameterized");
  text = co_await refusal(c, registration(dispatched));
  CHECK(text == "field 'Dispatched' is read-only");
  auto fresh = registration(plain);
  fresh.enforce_index = true;
  text = co_await refusal(c, std::move(fresh));
  CHECK(text == "Enforcing job modify index 0: job already exists");

  periodic.id = "cron";
  text = co_await refusal(c, registration(periodic));
  CHECK(text == "");
  periodic.periodic.reset();
  text = co_await refusal(c, registration(periodic));
  CHECK(text == "cannot update periodic job to being non-periodic");
  model::JobEvaluateRequest evaluate;
  evaluate.job_id = "cron";
  const auto evaluated = co_await c.caller->call(e::job_evaluate, std::move(evaluate));
  CHECK(evaluated.error().message() == "can't evaluate periodic job");

  parameterized.id = "param";
  text = co_await refusal(c, registration(parameterized));
  CHECK(text == "");
  model::JobDispatchCall dispatch;
  dispatch.job_id = "param";
  dispatch.payload = model::Bytes(std::string(16385, 'x'));
  const auto too_much = co_await c.caller->call(e::job_dispatch, std::move(dispatch));
  CHECK(too_much.error().message() == "Payload exceeds maximum size; 16385 > 16384");
  parameterized.parameterized_job.reset();
  text = co_await refusal(c, registration(parameterized));
  CHECK(text == "cannot update parameterized job to being non-parameterized");
}

}  // namespace

TEST_CASE("server: a job does not become one of another kind") {
  Cluster c;
  c.run(kinds(c));
}
