// The leader's drainer: looks at every draining node whenever an allocation or node changed or a deadline passed, marks what may
// leave now and ends the drains that are done. One pass at a time. Loop only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/log.h"
#include "sdk/base/reckoning.h"
#include "server/drain/decide.h"
#include "server/fsm/writer.h"

namespace drover::drain {

class Drainer {
 public:
  Drainer(const Executor& executor, Scope& scope, fsm::Writer& writer, fsm::Fsm& fsm, const Clock& clock, Rng& rng, Logger log);

  // Takes up every draining node of the tables.
  void start();
  void stop();
  void node_changed(const state::NodePtr& before, const state::NodePtr& after);
  void alloc_changed(const state::AllocPtr& before, const state::AllocPtr& after);
  [[nodiscard]] std::optional<MonoTime> next_deadline() const;
  void tick(MonoTime now);
  [[nodiscard]] std::size_t draining() const { return nodes_.size(); }

 private:
  // The deadline of a drain. What is left of it is fixed when it is first seen, so that setting the date ends no drain (L-10).
  struct Due {
    Deadline deadline;
    MonoTime at{};
    [[nodiscard]] bool passed(MonoTime now) const { return !deadline.none && at <= now; }
  };
  Async<> run();
  Async<> pass();
  Async<> mark_allocs(std::map<std::string, model::DesiredTransition> marks);
  Async<> finish(state::NodePtr node, bool forced);

  Scope& scope_;
  fsm::Writer& writer_;
  fsm::Fsm& fsm_;
  const Clock& clock_;
  Rng& rng_;
  Logger log_;
  Event wake_;
  std::map<std::string, Due, std::less<>> nodes_;  // that drain
};

}  // namespace drover::drain
