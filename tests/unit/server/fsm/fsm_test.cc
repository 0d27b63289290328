#include "server/fsm/fsm.h"

#include <doctest/doctest.h>

#include "server/fsm/messages.h"

using namespace drover;
using namespace drover::fsm;

namespace {

std::vector<std::string> entries() {
  std::vector<std::string> out;
  NodeRegister node;
  auto n = std::make_shared<model::Node>();
  n->id = "n1";
  n->status = "ready";
  n->attributes["a"] = "b";
  node.node = n;
  out.push_back(encode(node));

  JobRegister job;
  auto j = std::make_shared<model::Job>();
  j->id = j->name = "web";
  j->namespace_ = "default";
  j->type = "service";
  model::TaskGroup group;
  group.name = "g";
  group.count = 2;
  j->task_groups.push_back(std::move(group));
  job.job = j;
  job.tracked_versions = 6;
  auto eval = std::make_shared<model::Evaluation>();
  eval->id = "e1";
  eval->namespace_ = "default";
  eval->job_id = "web";
  eval->status = "pending";
  job.eval = eval;
  model::JobSubmission submission;
  submission.source = "job {}";
  submission.format = "hcl2";
  job.submission = std::make_shared<const model::JobSubmission>(submission);
  out.push_back(encode(job));

  PlanResult plan;
  plan.eval_id = "e1";
  plan.namespace_ = "default";
  plan.job_id = "web";
  plan.now = 77;
  for (const char* id : {"x", "y"}) {
    auto alloc = std::make_shared<model::Allocation>();
    alloc->id = id;
    alloc->namespace_ = "default";
    alloc->job_id = "web";
    alloc->node_id = "n1";
    alloc->eval_id = "e1";
    alloc->task_group = "g";
    alloc->desired_status = "run";
    plan.placed.push_back(std::move(alloc));
  }
  out.push_back(encode(plan));

  AllocClientUpdate update;
  auto running = std::make_shared<model::Allocation>();
  running->id = "x";
  running->client_status = "running";
  update.allocs.push_back(running);
  update.now = 99;
  out.push_back(encode(update));
  SchedulerConfig config;
  config.config = state::default_scheduler_config();
  out.push_back(encode(config));
  return out;
}

std::string bytes_of(const Fsm& fsm) {
  std::string out;
  auto written = fsm.snapshot()([&](std::string_view record) -> Result<> {
    out += std::to_string(record.size()) + ":";
    out += record;
    return {};
  });
  REQUIRE(written);
  return out;
}

void apply_all(Fsm& fsm) {
  std::uint64_t index = 5;
  for (const auto& entry : entries()) REQUIRE(fsm.apply(index++, entry));
}

}  // namespace

TEST_CASE("fsm: L-14 the same entries give the same bytes, also after snapshot and restore") {
  Fsm a;
  Fsm b;
  apply_all(a);
  apply_all(b);
  CHECK(bytes_of(a) == bytes_of(b));

  std::vector<std::string> records;
  REQUIRE(a.snapshot()([&](std::string_view record) -> Result<> {
    records.emplace_back(record);
    return {};
  }));
  Fsm c;
  std::size_t at = 0;
  REQUIRE(c.restore([&](std::string& record) -> Result<bool> {
    if (at == records.size()) return false;
    record = records[at++];
    return true;
  }));
  CHECK(bytes_of(c) == bytes_of(a));
  const auto restored = c.store().snapshot();
  CHECK(restored->job("default", "web")->status == "running");
  CHECK(restored->submission("default", "web", 0)->source == "job {}");
  // Allocations share their job also after a restore, and it is the stored version.
  CHECK(restored->alloc("x")->job == restored->alloc("y")->job);
  CHECK(restored->alloc("x")->job == restored->job_version("default", "web", 0));
  CHECK(restored->allocs_by_job("default", "web", false).size() == 2);
  CHECK(restored->node("n1")->last_alloc_update_index == 8);
}

TEST_CASE("fsm: an entry of an unknown type stops the server unless it may be skipped") {
  Fsm fsm;
  auto unknown = fsm.apply(5, std::string(1, '\x7e'));
  REQUIRE(!unknown);
  CHECK(unknown.error().message().find("newer version") != std::string::npos);
  CHECK(fsm.apply(6, std::string(1, '\xfe')));
}

TEST_CASE("fsm: a failed precondition is told once and changes nothing") {
  Fsm fsm;
  JobRegister message;
  auto job = std::make_shared<model::Job>();
  job->id = "web";
  job->namespace_ = "default";
  message.job = job;
  message.enforce_index = true;
  message.job_modify_index = 7;
  REQUIRE(fsm.apply(5, encode(message)));
  const auto refused = fsm.take_refusal(5);
  REQUIRE(refused);
  CHECK(refused->message() == "Enforcing job modify index 7: job does not exist");
  CHECK(!fsm.take_refusal(5));
  CHECK(fsm.store().snapshot()->job("default", "web") == nullptr);
}

namespace {
// The state as one text, as an operator's file has it.
std::string text_of(const Fsm& fsm) {
  std::string out;
  REQUIRE(fsm.snapshot()([&](std::string_view record) -> Result<> {
    out += frame_of(record.size());
    out += record;
    return {};
  }));
  return out;
}
// What a server is that was started from a snapshot of the other.
void copy_state(const Fsm& from, Fsm& to) {
  std::vector<std::string> records;
  REQUIRE(from.snapshot()([&](std::string_view record) -> Result<> {
    records.emplace_back(record);
    return {};
  }));
  std::size_t at = 0;
  REQUIRE(to.restore([&](std::string& record) -> Result<bool> {
    if (at == records.size()) return false;
    record = records[at++];
    return true;
  }));
}
std::vector<std::string> pieces_of(const std::string& text, std::size_t size) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size(); at += size) {
    out.push_back(encode(RestorePiece{.id = "r", .number = out.size(), .data = model::Bytes(text.substr(at, size))}));
  }
  return out;
}
}  // namespace

TEST_CASE("fsm: F-66 a state that comes in pieces replaces the present one, whatever snapshots are taken in between") {
  Fsm source;
  apply_all(source);
  const std::string text = text_of(source);
  for (const std::size_t size : {std::size_t{1} << 20, std::size_t{300}, std::size_t{61}}) {
    const auto pieces = pieces_of(text, size);
    // A snapshot is taken, and the server started from it, after each of them in turn.
    for (std::size_t cut = 1; cut <= pieces.size(); cut += 1 + pieces.size() / 20) {
      Fsm first;
      Fsm second;
      std::uint64_t index = 100;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        REQUIRE(first.apply(index + i, pieces[i]));
        if (i + 1 == cut) copy_state(first, second);
        if (i + 1 > cut) REQUIRE(second.apply(index + i, pieces[i]));
      }
      CHECK(first.store().snapshot()->job("default", "web") == nullptr);
      index += pieces.size();
      const std::string end = encode(RestoreEnd{.id = "r", .pieces = pieces.size()});
      REQUIRE(first.apply(index, end));
      REQUIRE(second.apply(index, end));
      CHECK(!first.take_refusal(index));
      CHECK(!second.take_refusal(index));
      CHECK(bytes_of(first) == bytes_of(second));
      const auto restored = second.store().snapshot();
      CHECK(restored->job("default", "web")->status == "running");
      CHECK(restored->alloc("x")->job == restored->job_version("default", "web", 0));
      CHECK(restored->allocs_by_job("default", "web", false).size() == 2);
    }
  }
}

TEST_CASE("fsm: F-66 a state that cannot be read, or is not complete, changes nothing") {
  Fsm source;
  apply_all(source);
  const std::string text = text_of(source);
  const auto outcome = [&](const std::string& content, std::uint64_t told) {
    Fsm fsm;
    apply_all(fsm);
    const std::string before = bytes_of(fsm);
    std::uint64_t index = 100;
    for (const auto& piece : pieces_of(content, 200)) REQUIRE(fsm.apply(index++, piece));
    REQUIRE(fsm.apply(index, encode(RestoreEnd{.id = "r", .pieces = told})));
    const auto refused = fsm.take_refusal(index);
    CHECK(bytes_of(fsm) == before);
    return refused ? refused->message() : "";
  };
  const std::size_t pieces = pieces_of(text, 200).size();
  CHECK(outcome(text, pieces + 1) == "another restore came in between: nothing was changed");
  CHECK(outcome(text.substr(0, text.size() - 1), pieces) == "the last record is cut off");
  CHECK(outcome(frame_of(2) + "\x7fx", 1).find("newer version") != std::string::npos);
  CHECK(outcome(std::string(4, '\0'), 1) == "a record cannot have 0 bytes");
}
