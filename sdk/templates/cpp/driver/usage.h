// What a task uses: all processes of its session, from /proc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "sdk/driver/driver.h"

class Meter {
 public:
  explicit Meter(pid_t session) : session_(session), before_(look()) {}
  drover::driver::TaskStats sample(const std::string& task_id);

 private:
  struct Use {
    std::chrono::steady_clock::time_point at;
    double user = 0, system = 0;  // seconds
    std::uint64_t memory = 0;
  };
  [[nodiscard]] Use look() const;

  pid_t session_;
  Use before_;
};
