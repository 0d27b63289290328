// Snapshot files of `operator snapshot`: fetched from the servers, checked, read. Blocking.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/snapshot/archive.h"
#include "sdk/base/fd.h"

namespace drover::cli {

class ApiClient;

// "2026-11-26T10:11:12Z", "20261126".
[[nodiscard]] std::string format_utc(std::int64_t nanos, const char* form);

// An existing file, with Go's words for one that cannot be opened.
[[nodiscard]] Result<Fd> open_snapshot(const std::string& path);
[[nodiscard]] Result<std::uint64_t> file_bytes(const Fd& file);

// Fetches the state into a file that gets its name only when all of it has come and was found whole: a cut connection must not leave
// something behind that cannot be restored.
[[nodiscard]] Result<snapshot::Meta> fetch_snapshot(ApiClient& api, const std::string& path, bool stale);

}  // namespace drover::cli
