// What makes a job unfit to register, and what is only worth a warning. The texts are facts users and tools compare.
//
// Works on a job that went through canonicalisation A and B. Pure; limits and what needs other rooms (cron expressions, time zones)
// come in as options.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/model/job.h"
#include "sdk/base/error.h"

namespace drover::jobspec {

struct ValidateOptions {
  std::int64_t max_priority = 100;
  std::int64_t max_count = 50000;
  bool memory_oversubscription = false;
  // The reason a cron expression or a time zone is refused; absent: not checked.
  std::function<Result<>(const std::string& expression)> check_cron;
  std::function<Result<>(const std::string& zone)> check_time_zone;
};

struct Validation {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;

  [[nodiscard]] bool good() const { return errors.empty(); }
  // "2 errors occurred:\n\t* ...", empty when there is none.
  [[nodiscard]] std::string error_text() const;
  // "1 warning:\n\n* ...", empty when there is none.
  [[nodiscard]] std::string warning_text() const;
};

[[nodiscard]] Validation validate(const model::Job& job, const ValidateOptions& options);

}  // namespace drover::jobspec
