// From files and flags to one checked agent::Config. Blocking file reads; called at start and at SIGHUP.
#pragma once

#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "sdk/base/error.h"

namespace drover::agent {

// The built-in defaults, and those of -dev (client.md 1.7).
[[nodiscard]] Config default_config();
[[nodiscard]] Config dev_config();

// One file's text. `name` is used in errors: `web.hcl:12: unknown key "servr" in block "client"; did you mean "servers"?`
// A name ending in .json, or a text that starts with {, is JSON.
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& name);
// A file, or a directory's .hcl and .json files in byte order.
[[nodiscard]] Result<Config> read_config(const std::string& path);
[[nodiscard]] Config merge_config(Config base, const Config& later);

// Defaults, files, flags; then checks, derived directories and resolved addresses (1.1).
[[nodiscard]] Result<Config> load_config(const Flags& flags, const Surroundings& surroundings);
// The last part alone, for a merged configuration.
[[nodiscard]] Result<Config> complete_config(Config config, const Surroundings& surroundings);
[[nodiscard]] Surroundings read_surroundings();

}  // namespace drover::agent
