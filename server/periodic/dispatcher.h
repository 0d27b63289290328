// The leader's clock for periodic jobs: launches each when it is due, unless a child still runs and overlap is prohibited. What was
// missed while there was no leader is made up for by one launch. Loop only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "server/fsm/fsm.h"
#include "server/fsm/writer.h"

namespace drover::periodic {

class Dispatcher {
 public:
  Dispatcher(Scope& scope, fsm::Writer& writer, fsm::Fsm& fsm, const Clock& clock, Rng& rng, std::int64_t tracked_versions, Logger log)
      : scope_(scope), writer_(writer), fsm_(fsm), clock_(clock), rng_(rng), tracked_versions_(tracked_versions), log_(std::move(log)) {}

  // Takes up every periodic job of the tables; who missed a launch is due at once.
  void start();
  void stop() { due_.clear(); known_.clear(); }
  void job_changed(const state::JobPtr& before, const state::JobPtr& after);
  [[nodiscard]] std::optional<UnixNanos> next_deadline() const;
  // Launches whoever is due.
  void tick(UnixNanos now);
  [[nodiscard]] std::size_t tracked() const { return due_.size(); }

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, job
  // Instants of the date that have been lived through, ends included: what was due in them is launched. Setting the date begins another,
  // and what it goes back over is not launched again; what it leaps over is, should it come after all (L-10). In seconds.
  struct Span {
    std::int64_t first = 0, last = 0;
  };
  // From where on the spans concern a job, and the last launch before that.
  struct Known {
    std::size_t span = 0;
    std::int64_t from = 0;
    std::int64_t floor = 0;
  };
  // False when the date was set back.
  [[nodiscard]] bool live_through(std::int64_t second);
  [[nodiscard]] bool launched(const Known& known, std::int64_t second) const;
  [[nodiscard]] Known& known_of(const model::Job& job, std::int64_t now);
  void plan_again(std::int64_t now);
  // When it is due next, after an instant; it is forgotten when there is no further launch.
  void plan(const model::Job& job, std::int64_t after);
  void launch(const state::JobPtr& job, std::int64_t second);
  Async<> write(model::Job child);

  Scope& scope_;
  fsm::Writer& writer_;
  fsm::Fsm& fsm_;
  const Clock& clock_;
  Rng& rng_;
  std::int64_t tracked_versions_;
  Logger log_;
  std::map<Key, std::int64_t> due_;  // seconds
  std::map<Key, Known> known_;
  std::vector<Span> spans_;
  std::size_t forgotten_ = 0;  // spans before the first of these
};

}  // namespace drover::periodic
