// The environment of a task and `${...}` at run time (client contract 3.11, 3.12). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lib/model/alloc.h"
#include "lib/model/node.h"

namespace drover::agent {

using Environment = std::map<std::string, std::string>;

struct EnvironmentInput {
  const model::Allocation& alloc;
  const model::TaskGroup& group;
  const model::Task& task;
  const model::Node& node;
  std::string region;
  // What the task sees: host paths, or /alloc, /local and /secrets inside a root of its own.
  std::string alloc_dir, task_dir, secrets_dir;
  // Ports inside by label, as the driver told them at the task's last start: none before the first, as in Nomad.
  model::Map<std::int64_t> driver_ports = {};
  // The agent's environment that may be passed on; never overrides what is set here.
  Environment host;
};

[[nodiscard]] Environment build_environment(const EnvironmentInput& input);

// Variables of `${...}`: the environment plus `node.*`, `attr.*`, `meta.*`.
[[nodiscard]] std::map<std::string, std::string> interpolation_variables(const Environment& environment, const model::Node& node,
                                                                         const std::string& region);
// Replaces `${name}`; an unknown name stays as written.
[[nodiscard]] std::string interpolate(std::string_view text, const std::map<std::string, std::string>& variables);

// `env.denylist`'s default: what is left of a host environment.
[[nodiscard]] Environment filter_host_environment(const Environment& host);
// Cleans a key that starts with one of the port and meta prefixes: other bytes than letters, digits, `_`, `.` become `_`.
[[nodiscard]] std::string clean_key(std::string_view key);

}  // namespace drover::agent
