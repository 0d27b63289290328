// Opens a database with its schema, whatever state the file is in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/store/database.h"
#include "sdk/base/clock.h"

namespace drover {

struct OpenedDatabase {
  Database database;
  // Where a damaged file went and what was wrong with it; the database is a new, empty one then.
  struct Quarantine {
    std::string path;
    std::string reason;
  };
  std::optional<Quarantine> quarantined;
};

// Reads what the owner needs; an error of it means damage.
using DatabaseProbe = std::function<Result<>(Database&)>;

// `migrations[i]` is the SQL that leads from version i to i + 1; each runs in a transaction. Before the first one is run on a file
// that has content, a copy of it is made as "<path>.backup".
// A damaged file, or something that is no file at all, is moved aside as "<path>.corrupt-<time>" with its log (F-37). A file
// of a newer version is refused with nothing changed (L-19).
[[nodiscard]] Result<OpenedDatabase> open_database(const std::string& path, const std::vector<std::string>& migrations, UnixNanos now,
                                                    const DatabaseProbe& probe = {});

}  // namespace drover
