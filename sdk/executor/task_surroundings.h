// What every driver with a root of the task's own makes of a TaskConfig around it: account, environment, generated files, and whether the
// host can give the isolation.
#pragma once

#include <string>
#include <vector>

#include "sdk/driver/driver.h"
#include "sdk/executor/cgroups.h"
#include "sdk/executor/rootfs.h"
#include "sdk/executor/users.h"

namespace drover {

// The job's user, else nobody.
[[nodiscard]] Result<Account> task_account(const driver::TaskConfig& config);
// As "NAME=value", with what the account says.
[[nodiscard]] std::vector<std::string> task_environment(const driver::TaskConfig& config, const Account& account);
// Mounts and devices have absolute places in the root.
[[nodiscard]] Result<> check_task_paths(const driver::TaskConfig& config);
// The driver's own directory beside the task's, which the task cannot reach: overlay work directories, resolv.conf and hosts.
[[nodiscard]] Result<> make_root_files(RootPlanInput& input, const driver::TaskConfig& config);
// The fingerprint of a driver that needs root and cgroups: healthy without limits only where that is allowed.
[[nodiscard]] driver::Fingerprint judge_host(const std::string& driver, bool is_root, const CgroupHost& cgroups, bool allow_degraded);

}  // namespace drover
