"""A terminal is made on the task's own devpts."""
from tasks import contains


def R_041_a_link_at_the_terminals_place(node):
    task = node.start('echo up; exec sleep 1000', user='root').until('up')
    # devpts takes no links; over the whole of it a directory with a link can be mounted by who may mount.
    answer = task.call('terminal', command=['sh', '-c', 'tty; stat -c %t:%T /dev/pts/0'], input=[])
    contains(answer['output'], '/dev/pts/0')
    contains(answer['output'], '88:0')
