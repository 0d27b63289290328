"""No terminal but its own can be written to."""
from tasks import contains, equal, expect


PUSH = """
import fcntl, os
for path in ('/dev/tty', '/dev/pts/0', '/dev/tty1'):
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(fd, 0x5412, b'x')
        print('PUSHED', path)
    except OSError as error:
        pass
print('end')
"""


def R_042_a_task_has_no_controlling_terminal(node):
    equal(node.python(PUSH).out, 'end\n')


def R_042_the_filter_refuses_to_push_input(node):
    node.driver('exec', seccomp_profile='default')
    task = node.start('echo up; exec sleep 1000').until('up')
    answer = task.call('terminal', command=['/usr/bin/python3', '-c', PUSH.replace("print('PUSHED', path)", "print('PUSH' + 'ED')")], input=[])
    expect('PUSHED' not in answer['output'], answer['output'])
    contains(answer['output'], 'end')
