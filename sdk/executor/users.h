// Users of tasks: host accounts, numeric ids, and the ids an operator forbids.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sdk/executor/launch_spec.h"

namespace drover {

struct Account {
  std::string name, home;
  UserIds ids;
};

// "name", "uid" or "uid:gid" (R-031: no sign, no wrap, no other base). `nomad-<n>` is a dynamic user without an account.
[[nodiscard]] Result<Account> find_account(const std::string& user);

struct IdRange {
  std::uint32_t first = 0, last = 0;
  friend bool operator==(const IdRange&, const IdRange&) = default;
};
// "1,5-9".
[[nodiscard]] Result<std::vector<IdRange>> parse_id_ranges(std::string_view text);
// Error "running as uid N is disallowed" for a forbidden id, its group included.
[[nodiscard]] Result<> check_ids(const UserIds& ids, const std::vector<IdRange>& denied_uids, const std::vector<IdRange>& denied_gids);

// "SIGHUP", "hup", "1". Empty: `fallback`.
[[nodiscard]] Result<int> parse_signal(const std::string& name, int fallback);

}  // namespace drover
