#include "agent/task/lifecycle.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::agent;
using S = LifecycleState;

namespace {

LifecycleTask task(Stage stage, const std::string& state, bool failed = false) {
  return {.stage = stage, .state = state, .failed = failed, .ever_started = state != "pending"};
}
// Which stages may start, one letter each: p and P prestart, m main, o and O poststart (large: sidecars), s poststop.
std::string gates(S state) {
  std::string out;
  for (const auto& [stage, letter] : {std::pair{Stage::prestart_ephemeral, 'p'}, {Stage::prestart_sidecar, 'P'}, {Stage::main, 'm'},
                                      {Stage::poststart_ephemeral, 'o'}, {Stage::poststart_sidecar, 'O'}, {Stage::poststop, 's'}}) {
    if (may_start(state, stage)) out += letter;
  }
  return out;
}

}  // namespace

TEST_CASE("lifecycle: which stages may start in which state") {
  CHECK(gates(S::init).empty());
  CHECK(gates(S::prestart) == "pP");
  CHECK(gates(S::main) == "Pm");
  CHECK(gates(S::poststart) == "PmoO");
  CHECK(gates(S::wait_alloc) == "PmO");
  CHECK(gates(S::poststop) == "s");
}

TEST_CASE("lifecycle: a start from nothing") {
  CHECK(advance(S::init, {task(Stage::main, "pending")}) == S::main);
  CHECK(advance(S::init, {task(Stage::prestart_ephemeral, "pending"), task(Stage::main, "pending")}) == S::prestart);
  CHECK(advance(S::main, {task(Stage::main, "running"), task(Stage::poststart_ephemeral, "pending")}) == S::poststart);
  CHECK(advance(S::main, {task(Stage::main, "running")}) == S::wait_alloc);
}

TEST_CASE("lifecycle: what opens main") {
  const auto with = [](const LifecycleTask& before) { return advance(S::init, {before, task(Stage::main, "pending")}); };
  CHECK(with(task(Stage::prestart_ephemeral, "running")) == S::prestart);
  CHECK(with(task(Stage::prestart_ephemeral, "dead")) == S::main);
  CHECK(with(task(Stage::prestart_ephemeral, "dead", true)) == S::prestart);
  CHECK(with(task(Stage::prestart_sidecar, "pending")) == S::prestart);
  CHECK(with(task(Stage::prestart_sidecar, "running")) == S::main);
}

TEST_CASE("lifecycle: poststop comes when everything else has ended, from any state") {
  for (const S from : {S::init, S::prestart, S::main, S::poststart, S::wait_alloc}) {
    CHECK(advance(from, {task(Stage::main, "dead"), task(Stage::poststop, "pending")}) == S::poststop);
    CHECK(advance(from, {task(Stage::prestart_ephemeral, "dead", true), task(Stage::main, "dead"), task(Stage::poststop, "pending")}) == S::poststop);
  }
  CHECK(advance(S::wait_alloc, {task(Stage::main, "running"), task(Stage::poststop, "pending")}) == S::wait_alloc);
}

TEST_CASE("lifecycle: F-01 restoring runs forward on the saved states") {
  CHECK(advance(S::init, {task(Stage::prestart_ephemeral, "dead"), task(Stage::prestart_sidecar, "running"), task(Stage::main, "running"),
                          task(Stage::poststart_ephemeral, "dead")}) == S::wait_alloc);
  // A completed prestart task does not run again, and nothing waits for it.
  CHECK(advance(S::init, {task(Stage::prestart_ephemeral, "dead"), task(Stage::main, "pending")}) == S::main);
}

TEST_CASE("lifecycle: sidecars do not outlive the main tasks") {
  CHECK(only_sidecars_left({task(Stage::prestart_sidecar, "running"), task(Stage::main, "dead")}));
  CHECK(only_sidecars_left({task(Stage::poststart_sidecar, "running"), task(Stage::main, "dead"), task(Stage::poststop, "pending")}));
  CHECK_FALSE(only_sidecars_left({task(Stage::prestart_sidecar, "running"), task(Stage::main, "pending")}));
  CHECK_FALSE(only_sidecars_left({task(Stage::prestart_sidecar, "dead"), task(Stage::main, "dead")}));
}
