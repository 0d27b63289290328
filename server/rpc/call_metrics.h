// Counts and times the calls of a server under the names that dashboards know (server contract 36): the time of `Job.Register` is
// `nomad.job.register`, its number is in `nomad.rpc.job.write`.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lib/metrics/meter.h"
#include "lib/wire/caller.h"

namespace drover::rpc {

class CallMetrics {
 public:
  explicit CallMetrics(metrics::Meter meter) : meter_(meter) {}
  void note(const char* endpoint, wire::CallKind kind, wire::Registry::Start start, bool succeeded);

  // Of an endpoint's full name, without prefix; empty for what has no timer.
  [[nodiscard]] static std::string timer_name(std::string_view endpoint);
  [[nodiscard]] static std::string counter_name(std::string_view endpoint, wire::CallKind kind);

 private:
  struct Names {
    std::string timer, counter;
  };
  metrics::Meter meter_;
  std::map<const void*, Names> names_;  // by the address of the endpoint's name
};

}  // namespace drover::rpc
