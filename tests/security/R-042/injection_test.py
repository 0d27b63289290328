"""No terminal but its own can be written to."""
import os

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


# Becomes its argument, on a terminal that controls it.
ON_A_TERMINAL = """
import fcntl, os, sys, termios
master, slave = os.openpty()
os.set_inheritable(master, True)
if os.fork():
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setsid()
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def R_042_a_task_has_no_controlling_terminal(node):
    """Not even that of a driver which somebody started in a shell."""
    build = os.path.dirname(os.path.dirname(os.path.dirname(node.executor)))
    other = type(node)(build, node.base + '/other', ['python3', '-c', ON_A_TERMINAL])
    try:
        for driver in ('exec', 'raw_exec'):
            other.driver(driver)
            equal(other.run('(: </dev/tty) 2>/dev/null && echo REACHED; echo end').out, 'end\n', driver)
        other.driver('exec')
        equal(other.python(PUSH, user='root').out, 'end\n')
    finally:
        other.close()


def R_042_the_filter_refuses_to_push_input(node):
    node.driver('exec', seccomp_profile='default')
    task = node.start('echo up; exec sleep 1000').until('up')
    answer = task.call('terminal', command=['/usr/bin/python3', '-c', PUSH.replace("print('PUSHED', path)", "print('PUSH' + 'ED')")], input=[])
    expect('PUSHED' not in answer['output'], answer['output'])
    contains(answer['output'], 'end')
