// The `config` blocks of a job against the schemas of their drivers, at the lines of the file. Pure.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "lib/lint/finding.h"
#include "lib/model/types.h"
#include "sdk/plugin/schema.h"

namespace drover::hcl { struct NativeBody; }

namespace drover::lint {

// By the driver's name. A driver that is not here is not checked.
using DriverSchemas = std::map<std::string, plugin::Spec>;

// The drivers that the job's tasks name.
[[nodiscard]] std::set<std::string> drivers_of(const model::Json& job);
// `body` may be null. `file` is the file's name.
[[nodiscard]] Findings check_driver_config(const model::Json& job, const std::string& file, const hcl::NativeBody* body, const DriverSchemas& schemas);
// Warnings about tasks whose driver is one of `nowhere`: no ready node has it.
[[nodiscard]] Findings report_nowhere(const model::Json& job, const std::string& file, const hcl::NativeBody* body, const std::set<std::string>& nowhere);

}  // namespace drover::lint
