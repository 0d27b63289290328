"""A task opens no device but those of its /dev, whatever nodes it makes."""
import os

from tasks import contains, equal, skip


MAKE = """
import os, stat
for kind, major, minor in ((stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 254, 0), (stat.S_IFBLK, 259, 0), (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 1, 4), (stat.S_IFCHR, 10, 237), (stat.S_IFBLK, 7, 0)):
    for directory in ('/dev', '/dev/shm', '/tmp', '/local', '/alloc/data'):
        path = f'{directory}/node'
        try:
            os.mknod(path, kind | 0o666, os.makedev(major, minor))
        except OSError:
            continue
        try:
            os.close(os.open(path, os.O_RDONLY))
            print('OPENED', path, major, minor)
        except OSError:
            pass
        os.unlink(path)
print('end')
"""


def R_043_nodes_that_a_task_makes_open_nothing(node):
    equal(node.python(MAKE, user='root').out, 'end\n')
    equal(node.python(MAKE, config={'cap_add': ['mknod']}).out, 'end\n', 'nobody with MKNOD')


def R_043_the_usual_devices_work(node):
    ended = node.run('head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; echo x > /dev/null && echo null; ls /dev | tr "\\n" " "')
    equal(ended.out, '4\n4\nnull\nfd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ', ended.err)


def R_043_a_device_of_the_job_opens_with_its_permissions(node):
    if not os.path.exists('/dev/loop-control'):
        skip('this host has no /dev/loop-control')
    open_it = "import os; os.close(os.open('/dev/mine', os.O_RDWR)); print('opened')"
    device = {'task': '/dev/mine', 'host': '/dev/loop-control'}
    equal(node.python(open_it, user='root', devices=[{**device, 'permissions': 'rw'}]).out, 'opened\n')
    equal(node.python(open_it, user='root', devices=[{**device, 'permissions': 'r'}]).code, 1)
    contains(node.run('true', devices=[{'task': '/dev/x', 'host': '/etc/passwd'}]).error, 'is not a device')
