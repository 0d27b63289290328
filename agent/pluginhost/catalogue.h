// Which executables are plugins: a scan of the two plugin directories against the agent's plugin blocks (protocol 3.3).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/pluginhost/plugin_cgroup.h"
#include "sdk/base/error.h"

namespace drover::pluginhost {

// One `plugin "name" { args = [...]  mutual_tls = true  config { ... } }` of the agent's configuration.
struct PluginBlock {
  std::vector<std::string> args;
  std::string config_json = {};          // the config block as JSON; empty: no block
  std::optional<bool> mutual_tls = {};   // P-12; unset: see Candidate::asks_for_tls()
  PluginLimits limits = {};              // P-20
  friend bool operator==(const PluginBlock&, const PluginBlock&) = default;
};

struct Directories {
  std::string third_party;  // plugin_dir: only files with a block are started
  std::string first_party;  // libexec: started also without a block
};

struct Candidate {
  std::string name;   // base name of the file
  std::string path;
  bool first_party = false;
  PluginBlock block;
  // P-12: on by default for plugins of others. Ours gain nothing by it, since nobody but this user reaches their socket, and each would map OpenSSL
  // for it (docs/adr/0011-plugin-tls.md).
  [[nodiscard]] bool asks_for_tls() const { return block.mutual_tls.value_or(!first_party); }
};

struct Skipped {
  std::string path;
  std::string reason;
  std::string remedy;
};

struct Catalogue {
  std::vector<Candidate> candidates;  // in directory order, first party first
  std::vector<Skipped> skipped;
};

// Not recursive. A directory that does not exist is empty, with a note in `skipped` for plugin_dir.
[[nodiscard]] Catalogue scan_plugins(const Directories& directories, const std::map<std::string, PluginBlock>& blocks);

}  // namespace drover::pluginhost
