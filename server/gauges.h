// The server's gauges (server contract 36): evaluations waiting, plans queued, jobs by status, summaries by group, the log.
//
// Owned by the server; publish() is called on the loop each collection interval. Jobs and their summaries, of which there may be
// very many, are counted once per `repeat`, so that every interval of the registry has them, and twice while they change.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/metrics/meter.h"
#include "server/gauge_options.h"
#include "server/leader/leader.h"
#include "server/state/store.h"

namespace drover {

class ServerGauges {
 public:
  ServerGauges(metrics::Meter meter, const Clock& clock, GaugeOptions options) : meter_(meter), clock_(clock), options_(options) {}

  // `log`: what the replicated log counts, by name.
  void publish(const state::Tables& tables, const Leader& leader, const std::map<std::string, std::string>& log);

 private:
  void publish_evals(const Leader& leader);
  void publish_jobs(const state::Tables& tables);

  metrics::Meter meter_;
  const Clock& clock_;
  GaugeOptions options_;
  std::uint64_t jobs_index_ = 0;  // the newest change of jobs and summaries that was published
  std::chrono::steady_clock::time_point jobs_at_{};
};

// What blocked evaluations lack, by job and by class of nodes (server contract 36, `blocked_evals.*`).
void publish_blocked(const metrics::Meter& meter, const std::vector<state::EvalPtr>& blocked);
// `job`, `task_group` and `namespace`, and of a child its parent and the rest of its id.
[[nodiscard]] metrics::Labels summary_labels(const model::JobSummary& summary, const std::string& group);

}  // namespace drover
