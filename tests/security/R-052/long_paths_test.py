"""The length of the state directory does not matter to the control socket."""
import os

from tasks import equal


def R_052_a_state_directory_of_any_length(node):
    deep = node.base + '/' + '/'.join(['d' * 90] * 3)
    other = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), deep)
    try:
        equal(other.run('echo ran').out, 'ran\n')
        task = other.start('echo up; exec sleep 1000').until('up')
        equal(task.exec('echo', 'session')['stdout'], 'session\n')
    finally:
        other.close()
