"""Limits are in the cgroup as asked, and read back."""
import os

from tasks import contains, equal, expect, need_controller, skip


def cgroup_of(pid):
    for line in open(f'/proc/{pid}/cgroup'):
        if line.startswith('0::'):
            return '/sys/fs/cgroup' + line[3:].strip()
    return ''


def read(scope, name):
    return open(f'{scope}/{name}').read().strip()


def N_030_limits_of_a_task(node):
    for name in ('memory', 'cpu', 'pids', 'cpuset'):
        need_controller(name)
    node.driver('exec', disable_swap=True, pids_limit=50, cpu_hard_limit=True, memory_oom_group=True, memory_high_percent=90)
    task = node.start('echo up; exec sleep 1000', resources={'cpu_shares': 500, 'memory_mb': 100, 'memory_max_mb': 200, 'percent_ticks': 0.25}).until('up')
    scope = cgroup_of(task.pid)
    equal(read(scope, 'memory.max'), str(200 << 20))
    equal(read(scope, 'memory.low'), str(100 << 20))
    equal(read(scope, 'memory.swap.max'), '0')
    equal(read(scope, 'memory.oom.group'), '1')
    equal(read(scope, 'pids.max'), '50')
    equal(read(scope, 'cpu.weight'), '58')
    equal(read(scope, 'cpu.max'), f'{25000 * os.cpu_count()} 100000')
    expect(int(read(scope, 'memory.high')) <= 180 << 20, 'memory.high')


def N_030_reserved_cores(node):
    need_controller('cpuset')
    if os.cpu_count() < 2:
        skip('one core cannot be divided')
    task = node.start('echo up; exec sleep 1000', resources={'cpu_shares': 500, 'memory_mb': 64, 'cpuset_cpus': '1'}).until('up')
    scope = cgroup_of(task.pid)
    contains(scope, 'reserve.slice')
    equal(read(scope, 'cpuset.cpus.effective'), '1')
    expect('1' not in read('/sys/fs/cgroup/nomad.slice/share.slice', 'cpuset.cpus.effective').replace('-', ',').split(','), 'the core is still shared')
    node.finish(task)
    other = node.start('echo up; exec sleep 1000', resources={'cpu_shares': 500, 'memory_mb': 64}).until('up')
    contains(read(cgroup_of(other.pid), 'cpuset.cpus.effective'), '1')


def N_030_memory_limit_is_felt(node):
    need_controller('memory')
    node.driver('exec', disable_swap=True)
    eat = "x = []\nprint('up', flush=True)\nwhile True: x.append(bytearray(1 << 20))"
    task = node.start(command='/usr/bin/python3', args=['-c', eat], resources={'cpu_shares': 100, 'memory_mb': 64})
    ended = task.wait()
    equal((ended.oom, ended.signal), (True, 9))
    contains(' '.join(task.call('events')['events']), 'OOM Killed: its limit is 64 MiB')


def N_030_a_child_that_is_killed_for_memory(node):
    need_controller('memory')
    for group in (False, True):
        node.driver('exec', disable_swap=True, memory_oom_group=group)
        ended = node.run("python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'; echo went on", resources={'cpu_shares': 100, 'memory_mb': 64})
        equal(ended.oom, True)
        equal(ended.out, '' if group else 'went on\n', f'memory.oom.group {group}')
