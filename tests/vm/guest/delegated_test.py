#!/usr/bin/env python3
"""cgroup_mode = "delegated": the tasks' cgroups are below a scope that systemd made for them and gave away."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../integration'))
import harness  # noqa: E402  pylint: disable=wrong-import-position
from harness import expect, until  # noqa: E402  pylint: disable=wrong-import-position
from jobs import shell_job  # noqa: E402  pylint: disable=wrong-import-position

SCOPE = '/sys/fs/cgroup/nomad.slice/nomad-tasks.scope'
BASE = harness.SINGLE.replace('allow_degraded = true', 'cgroup_mode = "delegated"')


def read(path):
    with open(path, encoding='ascii') as file:
        return file.read().strip()


def shown(name):
    done = subprocess.run(['systemctl', 'show', '-P', name, 'nomad-tasks.scope'], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def processes(alloc):
    return read(f'{SCOPE}/share/{alloc}.t.scope/cgroup.procs').split()


def test_tasks_live_in_a_scope_of_systemd(sandbox):
    agent = sandbox.agent(base=BASE).start(drivers=('exec',))
    expect((shown('ActiveState'), shown('Delegate')) == ('active', 'yes'), f'the scope is {shown("ActiveState")}, Delegate={shown("Delegate")}')
    agent.run(shell_job('delegated', 'echo up; exec sleep 1000', driver='exec').replace('memory = 16', 'memory = 32'), '-detach')
    alloc = agent.wait_alloc('delegated', 'running')['ID']
    until('the first line', lambda: agent.logs(alloc, 't') == 'up\n')
    scope, before = f'{SCOPE}/share/{alloc}.t.scope', processes(alloc)
    expect(len(before) == 1 and read(f'{scope}/memory.max') == str(32 << 20), f'processes {before}, memory.max {read(f"{scope}/memory.max")}')
    # systemd does not touch what it has given away, and the next agent and driver find it again.
    subprocess.run(['systemctl', 'daemon-reload'], check=True)
    agent.kill9()
    for pid in agent.plugins():
        os.kill(pid, 9)
    agent.start(drivers=('exec',))
    expect(processes(alloc) == before and read(f'{scope}/memory.max') == str(32 << 20), f'processes {processes(alloc)} after {before}')
    agent.run(shell_job('second', 'echo up; exec sleep 1000', driver='exec'), '-detach')
    second = agent.wait_alloc('second', 'running')['ID']
    expect(len(processes(second)) == 1, f'processes of the second task: {processes(second)}')
    agent.stop_jobs()
    until('the cgroups of the tasks to go', lambda: not [name for name in os.listdir(f'{SCOPE}/share') if name.endswith('.scope')])
    subprocess.run(['systemctl', 'stop', 'nomad-tasks.scope'], check=True)
    until('the scope to go', lambda: not os.path.exists(SCOPE))


if __name__ == '__main__':
    harness.main(globals())
