#!/usr/bin/env python3
"""Limits that need real controllers: what a task's cgroup holds, and a task that wants more than it may have (L-09)."""
import glob
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../integration'))
import harness  # noqa: E402  pylint: disable=wrong-import-position
from harness import contains, expect, until  # noqa: E402  pylint: disable=wrong-import-position
from jobs import shell_job  # noqa: E402  pylint: disable=wrong-import-position


def start(sandbox):
    return sandbox.agent(dev=True).start(drivers=('raw_exec', 'exec'))


def scope_of(alloc):
    found = glob.glob(f'/sys/fs/cgroup/nomad.slice/*/{alloc}.t.scope')
    expect(len(found) == 1, f'cgroups of allocation {alloc}: {found}')
    return found[0]


def read(path):
    with open(path, encoding='ascii') as file:
        return file.read().strip()


def test_a_task_has_its_share_of_cpu_and_memory(sandbox):
    agent = start(sandbox)
    for driver in ('exec', 'raw_exec'):
        agent.run(shell_job(f'limited-{driver}', 'exec sleep 600', driver=driver).replace('cpu    = 20', 'cpu    = 100').replace('memory = 16', 'memory = 32\n        memory_max = 48'), '-detach')
        alloc = agent.wait_alloc(f'limited-{driver}', 'running')['ID']
        scope = scope_of(alloc)
        expect(read(f'{scope}/cpu.weight') == '17', f'{driver}: cpu.weight of 100 MHz is {read(f"{scope}/cpu.weight")}')
        # Without the servers' memory oversubscription memory_max has no effect.
        expect(read(f'{scope}/memory.max') == str(32 << 20), f'{driver}: memory.max is {read(f"{scope}/memory.max")}')
        expect(read(f'{scope}/memory.low') == '0', f'{driver}: memory.low is {read(f"{scope}/memory.low")}')
        expect(os.path.basename(os.path.dirname(scope)) == 'share.slice', f'{driver}: the scope is {scope}')


def test_l_09_a_task_that_takes_too_much_is_killed_and_says_why(sandbox):
    agent = start(sandbox)
    hungry = 'x=$(head -c 200000000 /dev/zero | tr "\\0" x); echo over'  # the shell itself grows
    agent.run(shell_job('hungry', hungry, driver='exec', kind='batch', extra='reschedule {\n attempts = 0\n unlimited = false\n}').replace('memory = 16', 'memory = 24'), '-detach')
    alloc = agent.wait_alloc('hungry', 'failed', 60)
    events = [event for event in alloc['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
    expect(events and events[0]['Signal'] == 9 or events[0]['ExitCode'] == 137, f'how it ended: {json.dumps(events)}')
    contains(json.dumps(events), 'OOM')
    until('the cgroup to go', lambda: not glob.glob(f'/sys/fs/cgroup/nomad.slice/*/{alloc["ID"]}.t.scope'))


def test_a_neighbour_is_not_killed_for_it(sandbox):
    agent = start(sandbox)
    agent.run(shell_job('quiet', 'echo tick; exec sleep 100000', driver='exec'), '-detach')
    quiet = agent.wait_alloc('quiet', 'running')['ID']
    before = read(f'{scope_of(quiet)}/cgroup.procs')
    agent.run(shell_job('loud', 'head -c 200000000 /dev/zero | tail -c 200000000 >/dev/null; echo over', driver='exec', kind='batch').replace('memory = 16', 'memory = 24'), '-detach')
    loud = agent.wait_alloc('loud', 'complete', 60)
    contains(agent.logs(loud['ID'], 't'), 'over')  # the shell outlived its child: only the largest process was killed
    expect(set(before.split()) & set(read(f'{scope_of(quiet)}/cgroup.procs').split()), 'the neighbour has other processes now')
    expect(int(dict(line.split() for line in read(f'{scope_of(quiet)}/memory.events').splitlines())['oom_kill']) == 0, 'the neighbour was killed for memory')


def test_p20_limits_of_plugins(sandbox):
    """P-20: a device plugin is limited by default, a driver by its block; a driver's other limits and those of ours are none."""
    plugins = os.path.join(sandbox.directory, 'plugins')
    os.mkdir(plugins)
    for name, source in (('drover-driver-hello', 'hello-driver/drover-hello-driver'), ('drover-driver-greeters', 'hello-device/drover-hello-device')):
        shutil.copy2(os.path.join(harness.BUILD, 'sdk/examples', source), os.path.join(plugins, name))
    blocks = 'plugin "drover-driver-greeters" {}\nplugin "drover-driver-hello" {\n  limits {\n    memory_mb = 96\n    cpu_weight = 50\n  }\n}\n'
    agent = sandbox.agent(dev=True, extra=f'plugin_dir = "{plugins}"\n{blocks}').start(drivers=('raw_exec', 'hello'))

    def limits(name):
        pid = until(f'plugin {name}', lambda: next((one for one in agent.get('/v1/agent/plugins') if one['Name'] == name and one['Phase'] == 'running'), None))['PID']
        place = next(line[3:].strip() for line in read(f'/proc/{pid}/cgroup').splitlines() if line.startswith('0::'))
        return {file: read(f'/sys/fs/cgroup{place}/{file}') for file in ('memory.max', 'memory.high', 'memory.oom.group', 'pids.max', 'cpu.weight')}
    seen = {name: limits(name) for name in ('hello-device', 'hello', 'raw_exec')}
    wanted = {'hello-device': {'memory.max': str(512 << 20), 'memory.high': str(448 << 20), 'memory.oom.group': '1', 'pids.max': '512', 'cpu.weight': '100'},
              'hello': {'memory.max': str(96 << 20), 'memory.high': str(84 << 20), 'memory.oom.group': '0', 'pids.max': 'max', 'cpu.weight': '50'},
              'raw_exec': {'memory.max': 'max', 'memory.high': 'max', 'memory.oom.group': '0', 'pids.max': 'max', 'cpu.weight': '100'}}
    expect(seen == wanted, f'limits: {json.dumps(seen)}')


if __name__ == '__main__':
    harness.main(globals())
