// The leader's watch over deployments: looks at each that changed or whose progress deadline passed, and proposes what
// decide.h asks for. One at a time, so a decision is never made on a state its predecessor is about to change. Loop only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/log.h"
#include "sdk/base/reckoning.h"
#include "server/deploy/decide.h"
#include "server/fsm/writer.h"

namespace drover::deploy {

class Watcher {
 public:
  Watcher(const Executor& executor, Scope& scope, fsm::Writer& writer, fsm::Fsm& fsm, const Clock& clock, Rng& rng,
          std::int64_t tracked_versions, Logger log);

  // Takes up every active deployment of the tables.
  void start();
  void stop();
  void deployment_changed(const state::DeploymentPtr& before, const state::DeploymentPtr& after);
  void alloc_changed(const state::AllocPtr& before, const state::AllocPtr& after);
  [[nodiscard]] std::optional<MonoTime> next_deadline() const;
  // Looks at deployments whose deadline passed.
  void tick(MonoTime now);
  [[nodiscard]] std::size_t watched() const { return deadlines_.size(); }

 private:
  // When it must have made progress. The state names that by the wall clock; what is left of it is fixed when it is first seen, so
  // that setting the date ends no deployment (L-10).
  struct Due {
    UnixNanos cutoff = 0;  // what `at` was made of
    MonoTime at{};
    bool armed = false;
  };
  void want(const std::string& id);
  [[nodiscard]] bool overdue(const model::Deployment& deployment, std::optional<UnixNanos> cutoff);
  Async<> run();
  Async<> look(std::string id);
  Async<> fail_deployment(state::DeploymentPtr deployment, JobPtr job, std::string reason, bool rollback);
  [[nodiscard]] std::shared_ptr<model::Evaluation> evaluation(const model::Deployment& deployment, const model::Job& job);

  Scope& scope_;
  fsm::Writer& writer_;
  fsm::Fsm& fsm_;
  const Clock& clock_;
  Rng& rng_;
  std::int64_t tracked_versions_;
  Logger log_;
  Event wake_;
  std::set<std::string> wanted_;
  std::map<std::string, Due, std::less<>> deadlines_;  // of every active deployment
};

// An evaluation of the deployment's job, for the scheduler to go on with it.
[[nodiscard]] std::shared_ptr<model::Evaluation> deployment_eval(const model::Deployment& deployment, const model::Job& job,
                                                                UnixNanos now, Rng& rng);

}  // namespace drover::deploy
