// Detached mount trees and their targets: the small steps the mounts stage is made of.
#pragma once

#include "plugins/executor/spec.h"
#include "sdk/executor/syscalls.h"

namespace drover::executor {

// MOUNT_ATTR_* bits for mount_flag bits.
std::uint64_t attribute_bits(std::uint64_t flags);
// Sets attributes and propagation on a whole detached tree; with mount_flag::idmap its owners are those of the user namespace.
Failure set_attributes(int tree, std::uint64_t flags, const char* name, int user_namespace = -1);
// A new file system of type m.source with its options and attributes, not yet attached.
Failure make_filesystem(const Mount& m, Handle& tree);
// Opens the target inside the root, making the directories (and the file, when `directory` is false) that are missing.
Failure make_target(int root, const char* path, bool directory, std::uint64_t flags, Handle& target);
// What a mount shows, as a detached tree: of the host, so that it has to be in sight; no tree for kinds that show nothing. `below` is the
// task's directory.
Failure make_source(const Mount& m, int below, int user_namespace, Handle& tree);
// Moves a detached tree onto a target.
Failure attach(int tree, int target, const char* name);

}  // namespace drover::executor
