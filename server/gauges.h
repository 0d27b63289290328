// The server's gauges (server contract 36): evaluations waiting, plans queued, jobs by status, summaries by group, the log.
//
// Owned by the server; publish() is called on the loop each collection interval. Jobs and their summaries, of which there may be
// very many, are counted once per `repeat`, so that every interval of the registry has them, and half-way through it those that have
// changed. That is done in steps of a millisecond or two, between which the loop has other things to do.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
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
  // Goes on with the summaries where the last step ended. False when none is left.
  [[nodiscard]] bool publish_more();
  [[nodiscard]] bool has_more() const { return walk_.has_value(); }

 private:
  void publish_evals(const Leader& leader);
  void publish_jobs(const state::Tables& tables);
  void publish_summary(const model::JobSummary& summary);

  metrics::Meter meter_;
  const Clock& clock_;
  GaugeOptions options_;
  std::uint64_t jobs_index_ = 0;  // the newest change of jobs and summaries that was published
  std::uint64_t published_ = 0;   // the walk leaves out what has not changed since
  std::chrono::steady_clock::time_point jobs_at_{};  // of the last walk
  std::chrono::steady_clock::time_point all_at_{};   // of the last that left nothing out
  std::optional<state::Tables> walk_;  // the state whose summaries are being published
  std::pair<std::string, std::string> walked_;  // namespace and job of the last of them
};

// What blocked evaluations lack, by job and by class of nodes (server contract 36, `blocked_evals.*`).
void publish_blocked(const metrics::Meter& meter, const std::vector<state::EvalPtr>& blocked);
// `job`, `task_group` and `namespace`, and of a child its parent and the rest of its id.
[[nodiscard]] metrics::Labels summary_labels(const model::JobSummary& summary, const std::string& group);

}  // namespace drover
