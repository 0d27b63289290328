// Versions we report. `drover version` shows ours; API fields that clients compare hold the reference's (architecture 1).
#pragma once

namespace drover::cli {

inline constexpr const char* drover_version = "0.1.0";
// What clients see as the agent's version.
inline constexpr const char* compatible_version = "2.0.6+drover";

}  // namespace drover::cli
