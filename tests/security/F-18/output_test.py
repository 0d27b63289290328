"""A task that closes its output, or leaves it to a child, ends all the same."""
import os

from tasks import equal


def F_18_closed_and_kept_output(node):
    for driver in ('exec', 'raw_exec'):
        node.driver(driver)
        equal(node.run('exec >&- 2>&-; true').code, 0)
        ended = node.run('echo first; (setsid sleep 1000 &); echo last')
        equal((ended.code, ended.out), (0, 'first\nlast\n'), driver)


def F_18_output_is_stored_before_the_end_is(node):
    """The executor dies as soon as the end is in its record (sdk/base/fail_point.h): all that the task wrote is in the files by then."""
    points = node.base + '/points'
    os.makedirs(points)
    os.environ['DROVER_FAIL_POINTS'] = points
    try:
        other = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), node.base + '/other')
    finally:
        del os.environ['DROVER_FAIL_POINTS']
    other.driver('raw_exec')
    alloc = other.allocation()
    for index in range(30):
        open(points + '/executor.after_exit_record', 'w').close()
        ended = other.run('echo first; echo last', alloc=alloc, start=f'{index:08}')
        equal((ended.code, ended.unknown), (0, ''), f'the end of task {index}')
        equal(ended.out, 'first\nlast\n' * (index + 1), f'what task {index} wrote')
    other.close()
