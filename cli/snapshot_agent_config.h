// The configuration of `operator snapshot agent`: a file of the reference's form, and flags that say the same.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/snapshot_targets.h"

namespace drover::cli {

struct SnapshotAgentConfig {
  std::chrono::nanoseconds interval = std::chrono::hours(1);  // 0: one snapshot, then the end
  std::int64_t retain = 30;                                   // 0: all
  bool stale = false;
  std::string prefix = "nomad";
  std::optional<LocalStorage> local;
  std::optional<S3Storage> s3;
  GeneralOptions servers;
  // Settings that have no meaning here and are passed over.
  std::vector<std::string> ignored;
};

// `config` holds what the environment and the general flags say; the file overrides it. Mistakes name file, line and column.
[[nodiscard]] Result<> read_snapshot_agent_config(const std::string& path, SnapshotAgentConfig& config);
// What is missing, or contradicts itself.
[[nodiscard]] Result<> check_snapshot_agent_config(const SnapshotAgentConfig& config);

}  // namespace drover::cli
