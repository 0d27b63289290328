// groups, then group, then user, always all three. The same for the task and for every exec session in it.
#include "plugins/executor/child.h"

namespace drover::executor {

Failure enter_user(Child& child) {
  if (!child.spec.has(flag::set_user)) return {};
  const User& user = child.spec.rights.user;
  if (set_groups(user.group_count, user.groups) != 0) return failed("supplementary groups");
  if (set_gid(user.gid) != 0) return failed("group id");
  if (set_uid(user.uid) != 0) return failed("user id");
  return {};
}

}  // namespace drover::executor
