// Removes a directory that tasks have written to: by descriptors, so that a link or a swapped directory leads
// nowhere; never through a mount, so that what a task or a driver mounted below keeps its content: it is unmounted instead.
// However deep the tree is, the descriptors and the stack it takes are bounded. Blocking and possibly long: run it on a pool.
#pragma once

#include <string>

#include "sdk/base/error.h"

namespace drover::agent {

// A path that does not exist is success.
[[nodiscard]] Result<> remove_tree(const std::string& path);
// Unmounts everything that is mounted on `name` right below `directory`; nothing there is success.
[[nodiscard]] Result<> unmount_beneath(int directory, const char* name);

}  // namespace drover::agent
