// Shell completion: candidates for a line, and the lines in the shells' files that ask for them (cli contract 1.6).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace drover::cli {

// Ids and names of one kind that start with a prefix; empty when nobody can be asked.
using Lookup = std::function<std::vector<std::string>(Completes kind, const std::string& prefix)>;

// Candidates for the last word of COMP_LINE: words of commands, flags, and for arguments what `lookup` finds or files.
[[nodiscard]] std::vector<std::string> complete(std::string_view line, const Lookup& lookup);
// Asks the agent that the environment names.
[[nodiscard]] std::vector<std::string> ask_api(Completes kind, const std::string& prefix);

// Adds completion to the files of bash, zsh and fish that are in use below `home`, or takes it out. Returns the files changed.
[[nodiscard]] Result<std::vector<std::string>> install_completion(const std::string& home, const std::string& program);
[[nodiscard]] Result<std::vector<std::string>> uninstall_completion(const std::string& home, const std::string& program);

}  // namespace drover::cli
