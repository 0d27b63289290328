// What the handlers need from rooms they must not depend on. All may be empty.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/job.h"
#include "sdk/base/error.h"
#include "server/state/change.h"

namespace drover::rpc {

struct JobVerdict {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

// Whether a stored object matches; errors have the API's text.
using Matcher = std::function<Result<bool>(const state::Object& object)>;

struct Hooks {
  std::function<void(model::Job& job)> canonicalize;
  std::function<JobVerdict(const model::Job& job, bool memory_oversubscription)> validate;
  // The text of a parse error is the parser's own.
  std::function<Result<Matcher>(std::string_view expression)> parse_filter;
};

}  // namespace drover::rpc
