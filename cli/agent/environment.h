// What the agent and what looks at its machine take from the process: the environment, and where the plugins are.
#pragma once

#include <map>
#include <string>

namespace drover::cli {

[[nodiscard]] std::map<std::string, std::string> whole_environment();
// The directory of first-party plugins: beside the binary in an installation, or where DROVER_LIBEXEC says.
[[nodiscard]] std::string find_libexec(const std::map<std::string, std::string>& environment);

}  // namespace drover::cli
