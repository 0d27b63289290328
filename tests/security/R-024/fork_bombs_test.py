"""Nothing survives the kill of a cgroup, and limits are there before the first instruction."""
import os

from tasks import controllers, equal, expect, need_controller, until


# Each process of a chain is gone as soon as it has made the next, so who kills one by one comes too late; after ten seconds it ends by itself.
FORKS = """
import os, signal, time
end = time.monotonic() + 10
for number in (1, 2, 15):
    signal.signal(number, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while time.monotonic() < end:
            if os.fork() != 0:
                os._exit(0)
        os._exit(0)
print('up', flush=True)
while True:
    signal.pause()
"""


def members(path):
    try:
        return open(path + '/cgroup.procs').read().split()
    except OSError:
        return []


def cgroup_of(pid):
    for line in open(f'/proc/{pid}/cgroup'):
        if line.startswith('0::'):
            return ('/sys/fs/cgroup' if controllers() else '/sys/fs/cgroup/unified') + line[3:].strip()
    return ''


def R_024_no_process_of_a_fork_bomb_is_left(node):
    for driver in ('exec', 'raw_exec'):
        node.driver(driver)
        task = node.start(command='/usr/bin/python3', args=['-c', FORKS]).until('up')
        scope = cgroup_of(task.pid)
        expect(len(members(scope)) > 1, 'the task has not forked')
        task.call('stop', grace_ms=20, signal='SIGTERM')
        equal(task.wait().signal, 9)
        until(lambda place=scope: members(place) == [], f'{driver}: processes are left', 2.0)
        node.finish(task)
        expect(not os.path.exists(scope), f'{scope} is left')


def R_024_pids_max_holds_from_the_first_instruction(node):
    need_controller('pids')
    node.driver('exec', pids_limit=16)
    ended = node.python("""
import os
made = 0
try:
    for _ in range(64):
        if os.fork() == 0:
            import time; time.sleep(1000)
        made += 1
except OSError as error:
    print(error.errno, made < 16)
""", resources={'memory_mb': 64})
    equal(ended.out, '11 True\n', ended.error)
