// What attributes are when a job file is silent, for the reference page: asked of the code that fills them in. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lib/jobspec/schema.h"

namespace drover::jobspec {

// Of a block's fields by their name in the API, as a job file would write them: `"30s"`, `1`, `true`. Those of a service job.
using Defaults = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] const Defaults& defaults_of(const Schema& schema);

}  // namespace drover::jobspec
