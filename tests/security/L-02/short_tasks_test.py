"""How a task ended is told as it was, however soon that is after its start."""
from tasks import equal


def L_02_ends_of_short_tasks(node):
    node.driver('raw_exec')
    alloc = node.allocation()
    for index in range(120):
        ended = node.run('kill -TERM $$; sleep 1000', alloc=alloc, start=f'{index:08}a')
        equal((ended.code, ended.signal, ended.unknown), (143, 15, ''), f'task {index}')
        equal(node.run('exit 7', alloc=alloc, start=f'{index:08}b').code, 7, f'task {index}')
