"""A task sees its own cgroup as the root, and cannot write there."""
from tasks import contains, equal, expect


def R_023_cgroup_is_the_root_of_a_namespace(node):
    ended = node.run('grep ^0:: /proc/self/cgroup', user='root')
    equal(ended.out, '0::/\n', ended.error)


def R_023_nothing_of_the_cgroup_can_be_written(node):
    ended = node.run('for f in cgroup.procs cgroup.subtree_control cgroup.freeze cgroup.kill memory.max ../cgroup.procs; do '
                     'if echo 1 > /sys/fs/cgroup/$f; then echo WROTE $f; fi; done 2>/dev/null; mkdir /sys/fs/cgroup/x 2>/dev/null && echo MADE; echo end',
                     user='root')
    equal(ended.out, 'end\n', ended.error)
