"""Namespaces of its own, unless the job asks for the host's."""
import os

from tasks import equal, expect


def names(text):
    return dict(line.split('=') for line in text.splitlines())


LIST = 'for n in mnt pid ipc uts cgroup net user; do echo $n=$(readlink /proc/self/ns/$n); done'


def N_023_namespaces_of_a_task(node):
    ours = {name: os.readlink(f'/proc/self/ns/{name}') for name in ('mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net')}
    found = names(node.run(LIST).out)
    for name in ('mnt', 'pid', 'ipc', 'uts', 'cgroup'):
        expect(found[name] != ours[name], f'{name} is the host\'s')
    equal(found['net'], ours['net'])
    found = names(node.run(LIST, config={'pid_mode': 'host', 'ipc_mode': 'host'}).out)
    equal((found['pid'], found['ipc']), (ours['pid'], ours['ipc']))


def N_023_sessions_are_in_the_same(node):
    task = node.start(LIST + '; echo ready; exec sleep 1000', config={'hostname': 'inside'}).until('ready')
    of_task = task.text().replace('ready\n', '')
    equal(task.exec('sh', '-c', LIST)['stdout'], of_task)
    equal(task.exec('uname', '-n')['stdout'], 'inside\n')
    expect(os.uname().nodename != 'inside', 'the host was renamed')


def N_023_processes_and_memory_of_the_host_are_out_of_sight(node):
    seen = int(node.run('ls /proc | grep -c "^[0-9]"').lines[0])  # the shell, and the two of the pipe
    expect(seen <= 4, f'a task sees {seen} processes')
    equal(node.run('kill -0 2 2>/dev/null; echo $?; hostname changed 2>/dev/null; uname -n', config={'hostname': 'mine'}).lines[-1], 'mine')


UNDER_THE_ROOT = """
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
own, top = os.open('/proc/self/ns/mnt', os.O_RDONLY), os.open('/', os.O_RDONLY)
os.makedirs('/tmp/x')
os.chroot('/tmp/x')
os.fchdir(top)
os.chdir('/'.join(['..'] * 20))
os.chroot('.')
print('usr' in os.listdir('/'), library.umount2(b'/', 2), library.setns(own, 0x20000), os.listdir('/'))
"""


def N_023_nothing_of_the_host_lies_under_the_root(node):
    """A task that may mount and change its root gets out of it, and to its namespace's own: which is empty."""
    node.driver('exec', allow_caps=['all'])
    ended = node.python(UNDER_THE_ROOT, user='root', config={'cap_add': ['sys_admin', 'sys_chroot']})
    equal(ended.out, 'True 0 0 []\n', ended.err)
