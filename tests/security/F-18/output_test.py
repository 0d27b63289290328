"""A task that closes its output, or leaves it to a child, ends all the same."""
from tasks import equal


def F_18_closed_and_kept_output(node):
    for driver in ('exec', 'raw_exec'):
        node.driver(driver)
        equal(node.run('exec >&- 2>&-; true').code, 0)
        ended = node.run('echo first; (setsid sleep 1000 &); echo last')
        equal((ended.code, ended.out), (0, 'first\nlast\n'), driver)
