"""Sessions and their output are bounded."""
import os

from tasks import contains, equal, until


def R_061_many_sizes_of_a_terminal(node):
    task = node.start('echo up; exec sleep 1000').until('up')
    sizes = [[rows % 200 + 1, 80] for rows in range(60)] + [[33, 132]]
    answer = task.call('terminal', command=['sh', '-c', 'read line; stty size'], input=sizes + ['go\n'])
    contains(answer['output'], '33 132')


def R_061_output_of_a_session_is_cut(node):
    task = node.start('echo up; exec sleep 1000').until('up')
    answer = task.exec('sh', '-c', 'head -c 8000000 /dev/zero | tr "\\0" x')
    equal(len(answer['stdout']), 4 << 20)
    equal(answer['code'], 0)


def R_061_sessions_leave_nothing(node):
    task = node.start('echo up; exec sleep 1000').until('up')
    before = len(os.listdir(f'/proc/{task.executor}/fd'))
    for _ in range(100):
        equal(task.exec('true')['code'], 0)
    until(lambda: len(os.listdir(f'/proc/{task.executor}/fd')) <= before, 'descriptors of the executor after 100 sessions')
