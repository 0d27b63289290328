// `${name}` in values of a running task: the simple engine of client.md 3.12. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lib/model/job.h"

namespace drover::agent {

using Variables = std::map<std::string, std::string, std::less<>>;

// Replaces ${name} where `name` is in a map, environment first, then node; what is unknown stays as written.
[[nodiscard]] std::string interpolate(std::string_view text, const Variables& environment, const Variables& node);
// Every text of a driver's config, keys left alone: ${NAME}, ${env["NAME"]}, ${node.*}, ${attr.*}, ${meta.*}.
[[nodiscard]] model::Any interpolate_config(const model::Any& config, const Variables& environment, const Variables& node);

}  // namespace drover::agent
