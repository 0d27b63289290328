// Reading the framed streams of the file API (http-api 3.2) and writing their data to stdout.
#pragma once

#include <string>

#include "cli/api_client.h"

namespace drover::cli {

// Writes the data of every frame. With `last_lines` >= 0 only that many lines of what comes first are shown; then, when
// following, everything. Returns at the end of the stream.
[[nodiscard]] Result<> write_frames(Context& context, const std::string& path, QueryPairs query, bool follow, std::int64_t last_lines);

}  // namespace drover::cli
