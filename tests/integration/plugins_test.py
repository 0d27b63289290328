#!/usr/bin/env python3
"""Plugins as an operator sees them: drivers and devices of others, those that fail, those that die and hang, and what says so."""
import json
import os
import shutil
import signal
import subprocess

import harness
from harness import contains, expect, until
from jobs import shell_job

EXAMPLES = {'hello': 'sdk/examples/hello-driver/drover-hello-driver', 'greeters': 'sdk/examples/hello-device/drover-hello-device'}


def agent_with(sandbox, blocks, dev=False):
    """An agent with a plugin_dir of its own, and the directory."""
    plugins = os.path.join(sandbox.directory, 'plugins')
    os.mkdir(plugins)
    agent = sandbox.agent(dev=dev, extra=f'plugin_dir = "{plugins}"\n{blocks}')
    return agent, plugins


def install(plugins, name, source):
    shutil.copy2(os.path.join(harness.BUILD, EXAMPLES[source]), os.path.join(plugins, name))


def script(plugins, name, text):
    path = os.path.join(plugins, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write('#!/bin/sh\n' + text)
    os.chmod(path, 0o755)


def plugin(agent, name):
    return agent.get(f'/v1/agent/plugin/{name}')


def wait_phase(agent, name, *phases):
    return until(f'plugin {name} to be {" or ".join(phases)}', lambda: next((p for p in [plugin(agent, name)] if p['Phase'] in phases), None))


def test_what_is_wrong_with_a_plugin_is_said_and_mended(sandbox):
    agent, plugins = agent_with(sandbox, 'plugin "drover-driver-hello" {}\nplugin "drover-driver-broken" {}\nplugin "wrong" {}\nplugin "absent" {}\n')
    install(plugins, 'drover-driver-hello', 'hello')
    install(plugins, 'unnamed', 'hello')
    script(plugins, 'drover-driver-broken', 'echo "no engine here" >&2\nexit 3\n')
    script(plugins, 'wrong', 'echo "hello world"\nexec sleep 100\n')
    agent.start(drivers=('raw_exec', 'hello'))

    text = agent.cli('plugin', 'status')
    contains(text, 'Container Storage Interface', 'Node Plugins', 'hello', 'running', 'exit status 3', 'Unrecognized remote plugin message',
             'no plugin block names it', 'add `plugin "unnamed" {}`', 'there is no such file')
    contains(agent.cli('plugin', 'status', 'hello'), 'Type', 'driver', '0.1.0', 'v0.1.0', 'plugin_dir', 'Healthy')
    text = agent.cli('plugin', 'status', '-verbose', 'drover-driver-broken')
    contains(text, 'at step "launch"', 'no engine here', 'exit status 3', 'plugin logs drover-driver-broken')
    both = json.loads(agent.cli('plugin', 'status', '-json', '-type', 'driver'))
    expect({one['Name'] for one in both} >= {'raw_exec', 'exec', 'hello'}, f'drivers: {[one["Name"] for one in both]}')
    whole = json.loads(agent.cli('plugin', 'status', '-json', 'hello'))
    expect(whole['PID'] > 0 and whole['Digest'].startswith('sha256:') and whole['MemoryBytes'] > 0, f'hello: {whole}')
    contains(agent.cli('plugin', 'logs', 'drover-driver-broken'), 'no engine here')
    contains(agent.cli('plugin', 'status', 'zzz', status=1), 'no plugin "zzz" on this node', 'hello')
    node = agent.get('/v1/nodes')[0]['ID']
    contains(agent.cli('node', 'status', '-verbose', node), 'no engine here')
    contains(agent.cli('plugin', 'status', '-node', node[:8], 'hello'), 'running')

    # Mended on disk, it comes up by itself; asked for, at once.
    os.unlink(os.path.join(plugins, 'drover-driver-broken'))
    install(plugins, 'drover-driver-broken', 'greeters')
    contains(agent.cli('plugin', 'reset', 'drover-driver-broken'), 'is tried now')
    until('the mended plugin', lambda: any(one['Phase'] == 'running' and one['Type'] == 'device' for one in agent.get('/v1/agent/plugins')))


def test_the_file_of_drivers_acts_by_its_name(sandbox):
    drivers = os.path.join(os.path.dirname(sandbox.drover), '../libexec/drover/plugins')
    names = sorted(os.listdir(drivers))
    expect(len({os.stat(os.path.join(drivers, name)).st_ino for name in names}) == 1, f'one file under every name: {names}')
    copy = os.path.join(sandbox.directory, 'drover-driver-nothing')
    shutil.copy2(os.path.join(drivers, names[0]), copy)
    result = subprocess.run([copy], capture_output=True, text=True, check=False, timeout=30)
    expect(result.returncode == 1 and all(name in result.stderr for name in names), f'{result.returncode}: {result.stderr}')


def test_inspection_needs_no_agent(sandbox):
    agent, plugins = agent_with(sandbox, '')
    install(plugins, 'drover-driver-hello', 'hello')
    install(plugins, 'drover-driver-greeters', 'greeters')
    script(plugins, 'broken', 'echo "my reason" >&2\nexit 3\n')
    text = agent.cli('plugin', 'inspect', os.path.join(plugins, 'drover-driver-hello'))
    contains(text, 'hello', 'driver', 'greeting = string', '# required', 'shout = bool', 'default: false', 'exec')
    seen = json.loads(agent.cli('plugin', 'inspect', '-json', os.path.join(plugins, 'drover-driver-greeters')))
    expect((seen['Type'], seen['Name'], seen['Problems']) == ('device', 'hello-device', []), f'inspect: {seen}')
    contains(agent.cli('plugin', 'inspect', os.path.join(plugins, 'broken'), status=1), 'exit status 3', 'my reason')
    contains(agent.cli('plugin', 'inspect', os.path.join(plugins, 'nothing'), status=1), 'nothing')
    expect(not harness.descendants(), f'left behind: {harness.descendants()}')


def test_tasks_outlive_a_driver_that_dies_at_every_start(sandbox):
    """L-05, F-23: each task keeps its process, its end and its exit code."""
    agent, _ = agent_with(sandbox, '')
    agent.start()
    codes = {'a': 0, 'b': 7, 'c': 0}
    for name, code in codes.items():
        until('the driver', lambda: plugin(agent, 'raw_exec')['Phase'] == 'running')
        agent.run(shell_job(name, f'echo begun; while [ ! -e {sandbox.directory}/go ]; do sleep 0.05; done; exit {code}', kind='batch',
                            extra='reschedule {\n attempts = 0\n unlimited = false\n}'), '-detach')
        agent.wait_alloc(name, 'running')
        before = plugin(agent, 'raw_exec')
        os.kill(before['PID'], signal.SIGKILL)
        until('the end of the driver to be noticed', lambda before=before: plugin(agent, 'raw_exec')['PID'] != before['PID'])
    with open(f'{sandbox.directory}/go', 'w', encoding='ascii'):
        pass
    for name, code in codes.items():
        alloc = agent.wait_alloc(name, 'complete' if code == 0 else 'failed')
        state = alloc['TaskStates']['t']
        ended = [event for event in state['Events'] if event['Type'] == 'Terminated']
        expect([event['ExitCode'] for event in ended] == [code] and state['Restarts'] == 0, f'{name}: {state}')
        expect(agent.logs(alloc['ID'], 't') == 'begun\n', f'{name} ran more than once: {agent.logs(alloc["ID"], "t")!r}')
    status = plugin(agent, 'raw_exec')
    expect(status['Restarts'] == 3 and 'signal 9' in status['LastError'] and status['LastErrorStep'] == 'running', f'status: {status}')


def test_a_hung_driver_holds_up_nobody_else(sandbox):
    """L-06, F-24: a driver that is stopped costs only its own tasks' calls."""
    agent, _ = agent_with(sandbox, '')
    agent.start(drivers=('raw_exec', 'exec'))
    pid = plugin(agent, 'raw_exec')['PID']
    os.kill(pid, signal.SIGSTOP)
    try:
        agent.run(shell_job('held', 'exit 0', kind='batch'), '-detach')
        agent.run(shell_job('free', 'exit 0', driver='exec', kind='batch'), '-detach')
        agent.wait_alloc('free', 'complete')
        expect(agent.get('/v1/job/held/allocations')[0]['ClientStatus'] == 'pending', 'the task of the stopped driver should wait')
        expect(plugin(agent, 'raw_exec')['PID'] == pid, 'the stopped driver should be left alone')
    finally:
        os.kill(pid, signal.SIGCONT)
    agent.wait_alloc('held', 'complete')


def test_a_reload_finds_what_is_new_and_leaves_alone_what_runs(sandbox):
    """F-30: the running process stays, whatever happens to its file."""
    agent, plugins = agent_with(sandbox, '')
    agent.start()
    running = plugin(agent, 'raw_exec')['PID']
    install(plugins, 'drover-driver-hello', 'hello')
    with open(agent.config, 'a', encoding='utf-8') as file:
        file.write('plugin "drover-driver-hello" {}\n')
    agent.process.send_signal(signal.SIGHUP)
    agent.wait_node(('raw_exec', 'hello'))
    expect(plugin(agent, 'raw_exec')['PID'] == running, 'a reload should leave running plugins alone')
    before = plugin(agent, 'hello')
    os.unlink(os.path.join(plugins, 'drover-driver-hello'))
    install(plugins, 'drover-driver-hello', 'greeters')
    agent.process.send_signal(signal.SIGHUP)
    until('the file\'s other digest', lambda: plugin(agent, 'hello')['Digest'] != before['Digest'])
    expect(plugin(agent, 'hello')['PID'] == before['PID'], 'the running process should stay')


DEVICE_JOB = '''
job "NAME" {
  type = "batch"
  reschedule {
    attempts = 0
    unlimited = false
  }
  group "g" {
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "echo $HELLO_GREETERS; while :; do sleep 0.1; done"]
      }
      resources {
        cpu    = 20
        memory = 16
        device "drover/greeter" {
          count = COUNT
          constraint {
            attribute = "$${device.attr.memory}"
            operator  = ">="
            value     = "2 GiB"
          }
        }
      }
    }
  }
}
'''.replace('$$', '$')


def agent_with_greeters(sandbox, more=''):
    greeters = os.path.join(sandbox.directory, 'greeters')
    os.mkdir(greeters)
    for name in ('ann', 'bob'):
        with open(os.path.join(greeters, name), 'w', encoding='ascii') as file:
            file.write(name)
    agent, plugins = agent_with(sandbox, f'plugin "drover-driver-greeters" {{ config {{ directory = "{greeters}" }} }}\n{more}')
    install(plugins, 'drover-driver-greeters', 'greeters')
    agent.start()
    return agent, greeters


def test_F_32_a_task_may_fail_with_its_device_but_not_with_its_plugin(sandbox):
    agent, greeters = agent_with_greeters(sandbox, 'client { options { "device_lost" = "fail" } }\n')
    agent.run(DEVICE_JOB.replace('NAME', 'one').replace('COUNT', '1'), '-detach')
    alloc = agent.wait_alloc('one', 'running')
    mine = alloc['AllocatedResources']['Tasks']['t']['Devices'][0]['DeviceIDs'][0]
    os.kill(plugin(agent, 'hello-device')['PID'], signal.SIGKILL)
    until('the next process of the plugin', lambda: plugin(agent, 'hello-device')['Restarts'] == 1 and plugin(agent, 'hello-device')['Phase'] == 'running')
    node = agent.get('/v1/nodes')[0]['ID']
    until('the devices again', lambda: agent.get(f'/v1/node/{node}')['NodeResources']['Devices'])
    expect(agent.get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'running', 'the task should have outlived the plugin')
    os.unlink(os.path.join(greeters, mine))

    def failed():
        state = agent.get(f'/v1/allocation/{alloc["ID"]}')
        return state if state['ClientStatus'] == 'failed' else None
    events = until('the task to fail', failed)['TaskStates']['t']['Events']
    expect([event for event in events if event['Type'] == 'Device Lost' and event.get('FailsTask')], f'events: {events}')


def test_devices_are_found_reserved_and_lost(sandbox):
    agent, greeters = agent_with_greeters(sandbox)
    node = agent.get('/v1/nodes')[0]['ID']

    def devices():
        found = agent.get(f'/v1/node/{node}')['NodeResources']['Devices'] or []
        return {one['ID']: one['Healthy'] for one in found[0]['Instances']} if found else None
    until('both devices on the node', lambda: devices() == {'ann': True, 'bob': True})

    agent.run(DEVICE_JOB.replace('NAME', 'one').replace('COUNT', '1'), '-detach')
    alloc = agent.wait_alloc('one', 'running')
    held = alloc['AllocatedResources']['Tasks']['t']['Devices'][0]
    expect((held['Vendor'], held['Type'], held['Name'], len(held['DeviceIDs'])) == ('drover', 'greeter', 'file', 1), f'allotted: {held}')
    mine = held['DeviceIDs'][0]
    until('the task\'s variable', lambda: agent.logs(alloc['ID'], 't') == mine + '\n')
    stats = until('statistics of the device', lambda: agent.get(f'/v1/client/allocation/{alloc["ID"]}/stats')['ResourceUsage'].get('DeviceStats'))
    expect(list(stats[0]['InstanceStats']) == [mine] and stats[0]['InstanceStats'][mine]['Summary']['IntNumeratorVal'] == 3, f'stats: {stats}')

    # Two are not free while one is held.
    agent.run(DEVICE_JOB.replace('NAME', 'two').replace('COUNT', '2'), '-detach')
    until('the second job to be blocked', lambda: [one for one in agent.get('/v1/job/two/evaluations') if one['Status'] == 'blocked'])
    agent.cli('job', 'stop', '-purge', 'two')

    # F-32: the device falls ill under the task, which goes on and says so.
    os.rename(os.path.join(greeters, mine), os.path.join(greeters, mine + '.ill'))
    until('the node to tell', lambda: devices().get(mine + '.ill') is False and mine not in devices())
    until('the task to tell', lambda: [event for event in agent.get(f'/v1/allocation/{alloc["ID"]}')['TaskStates']['t']['Events']
                                       if event['Type'] == 'Device Lost' and f'drover/greeter/file {mine} (gone)' in event['DisplayMessage']])
    expect(agent.get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'running', 'the task should go on')

    # The plugin dies: its devices go, and come back with it.
    os.kill(plugin(agent, 'hello-device')['PID'], signal.SIGKILL)
    until('the next process of the plugin', lambda: plugin(agent, 'hello-device')['Restarts'] == 1 and plugin(agent, 'hello-device')['Phase'] == 'running')
    until('the devices again', lambda: devices() and len(devices()) == 2)


def device_log(agent, what, alloc, device):
    """How often the plugin says that it was told so."""
    lines = agent.cli('plugin', 'logs', 'hello-device').splitlines()
    return sum(f'greeters are {what}:' in line and f'alloc_id={alloc}' in line and f'ids={device} ' in line for line in lines)


def test_F_02_devices_are_released_whoever_dies(sandbox):
    """The plugin hears of each owner and of the release: with the agent dead when the task was over, and with itself dead."""
    agent, _ = agent_with_greeters(sandbox)

    def start(name):
        agent.run(DEVICE_JOB.replace('NAME', name).replace('COUNT', '1'), '-detach')
        alloc = agent.wait_alloc(name, 'running')
        return alloc['ID'], alloc['AllocatedResources']['Tasks']['t']['Devices'][0]['DeviceIDs'][0]
    sandbox.arm('task.devices_stored', 'self')
    agent.run(DEVICE_JOB.replace('NAME', 'one').replace('COUNT', '1'), '-detach')
    until('the agent to die before it reserves', lambda: agent.process.poll() is not None)
    agent.start()
    one = agent.wait_alloc('one', 'running')
    alloc, device = one['ID'], one['AllocatedResources']['Tasks']['t']['Devices'][0]['DeviceIDs'][0]
    expect(device_log(agent, 'held', alloc, device) >= 1, 'the owner is told before the device is reserved')
    sandbox.arm('task.devices_free', 'self')
    agent.cli('job', 'stop', '-detach', 'one')
    until('the agent to die with the device unreleased', lambda: agent.process.poll() is not None)
    agent.start()
    until('the next agent to release it', lambda: device_log(agent, 'free', alloc, device) == 1)

    # Told, but the agent dies before it knows: once more.
    alloc, device = start('two')
    sandbox.arm('task.devices_released', 'self')
    agent.cli('job', 'stop', '-detach', 'two')
    until('the agent to die after the release', lambda: agent.process.poll() is not None)
    agent.start()
    until('the next agent to release it again', lambda: device_log(agent, 'free', alloc, device) >= 1)

    # A task that runs on: the next agent's process of the plugin hears of it, and so does the one after that.
    alloc, device = start('three')
    agent.kill9()
    agent.start()
    until('the owner to be told again', lambda: device_log(agent, 'held', alloc, device) == 1)
    os.kill(plugin(agent, 'hello-device')['PID'], signal.SIGKILL)
    until('the owner to be told to the next process', lambda: device_log(agent, 'held', alloc, device) == 2)
    agent.cli('job', 'stop', '-detach', 'three')
    until('the release', lambda: device_log(agent, 'free', alloc, device) == 1)
    expect(device_log(agent, 'held', alloc, device) == 2, 'nobody was told twice')


MOCK_JOB = '''
job "NAME" {
  group "g" {
    task "t" {
      driver = "mock_driver"
      config {
        run_for          = "300s"
        driver_ip        = "IP"
        driver_port_map  = "PORTS"
        driver_advertise = true
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
'''


def stored_with_tasks(agent):
    """What the agent has on disk, whichever file of the database holds it."""
    state = os.path.join(agent.data, 'client')
    out = b''
    for name in sorted(os.listdir(state)):
        if name.startswith('state.db'):
            with open(os.path.join(state, name), 'rb') as file:
                out += file.read()
    return out


def test_p26_the_network_a_driver_tells_is_kept_or_refused(sandbox):
    agent, plugins = agent_with(sandbox, 'plugin "drover-driver-mock" {}\n', dev=False)
    shutil.copy2(os.path.join(harness.BUILD, 'tests/mock-driver/drover-driver-mock'), plugins)
    agent.start(drivers=('mock_driver',))

    def run(name, ip, ports):
        agent.run(MOCK_JOB.replace('NAME', name).replace('IP', ip).replace('PORTS', ports), '-detach')
        return agent.wait_alloc(name, 'running')['ID']

    def said(alloc):
        return [event['DisplayMessage'] for event in agent.get(f'/v1/allocation/{alloc}')['TaskStates']['t']['Events'] if event['Type'] == 'Driver']
    good = run('good', '10.77.0.9', 'web:8080')
    bad = run('bad', 'nowhere.example', 'web:70000')
    expect(said(good) == [], f'events: {said(good)}')
    told = until('the refused values in an event', lambda: said(bad))
    expect(len(told) == 1, f'events: {told}')
    contains(told[0], '"nowhere.example" is not an IP address', '70000 for "web"')
    kept = stored_with_tasks(agent)
    expect(b'10.77.0.9' in kept and b'PortMap' in kept, 'the network is not stored with the task')

    # The next agent recovers both, and has nothing new to say.
    agent.kill9()
    agent.start(drivers=('mock_driver',))
    for alloc in (good, bad):
        expect(agent.get(f'/v1/allocation/{alloc}')['ClientStatus'] == 'running', 'the task should have outlived the agent')
    expect(said(good) == [] and said(bad) == told, f'events after the restart: {said(good)}, {said(bad)}')


def test_p12_plugins_of_others_are_spoken_to_over_tls(sandbox):
    """P-12: also by the next agent; a block switches it off; what the record holds is for root alone."""
    agent, plugins = agent_with(sandbox, 'plugin "drover-driver-hello" {}\nplugin "drover-driver-greeters" {\n  mutual_tls = false\n}\n')
    install(plugins, 'drover-driver-hello', 'hello')
    install(plugins, 'drover-driver-greeters', 'greeters')
    agent.start(drivers=('raw_exec', 'hello'))
    contains(agent.cli('plugin', 'status', 'hello'), 'mutual TLS')
    wait_phase(agent, 'hello-device', 'running')
    expect({name: plugin(agent, name)['MutualTLS'] for name in ('hello', 'hello-device', 'raw_exec')} == {'hello': True, 'hello-device': False, 'raw_exec': False},
           'who is spoken to over TLS')
    pid = plugin(agent, 'hello')['PID']
    state = os.path.join(agent.data, 'client')
    expect(all(os.stat(os.path.join(state, name)).st_mode & 0o077 == 0 for name in os.listdir(state) if name.startswith('state.db')), 'the state can be read by others')
    agent.run(hello_job('over-tls', 3600), '-detach')
    alloc = agent.wait_alloc('over-tls', 'running')
    agent.kill9()
    agent.start(drivers=('raw_exec', 'hello'))
    status = wait_phase(agent, 'drover-driver-hello', 'running')  # by its file's name, which is known before it has answered
    expect(status['PID'] == pid and status['MutualTLS'], f'after a crash of the agent: {status}')
    agent.cli('job', 'stop', '-detach', 'over-tls')
    until('the task to end', lambda: agent.get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'complete')


def cgroup_of(pid):
    with open(f'/proc/{pid}/cgroup', encoding='ascii') as file:
        return next((line[3:].strip() for line in file if line.startswith('0::')), '')


def test_p20_a_plugin_has_a_cgroup_and_leaves_helpers_in_it(sandbox):
    """P-20: its process is in a cgroup of its own, which is never killed: who lives in it outlives the plugin. Limits are tested in the virtual machine."""
    if not any(os.path.exists(f'/sys/fs/cgroup{place}/cgroup.procs') for place in ('', '/unified')):
        raise harness.Skip('no cgroup v2 here')
    agent, plugins = agent_with(sandbox, 'plugin "drover-driver-hello" {}\n')
    install(plugins, 'drover-driver-hello', 'hello')
    agent.start(drivers=('raw_exec', 'hello'))
    own = {name: cgroup_of(plugin(agent, name)['PID']) for name in ('hello', 'raw_exec')}
    expect(own['hello'].startswith('/nomad.slice/plugins.slice/drover-driver-hello-') and own['raw_exec'].startswith('/nomad.slice/plugins.slice/drover-driver-raw-exec-'), f'cgroups: {own}')
    expect(cgroup_of(agent.process.pid) not in own.values(), 'the agent is in the cgroup of a plugin')
    agent.run(shell_job('outlives', 'exec sleep 600'), '-detach')
    alloc = agent.wait_alloc('outlives', 'running')
    [executor] = [pid for pid, exe in harness.descendants().items() if exe == 'drover-executor']
    expect(cgroup_of(executor) == own['raw_exec'], f'the executor is in {cgroup_of(executor)}')
    os.kill(plugin(agent, 'raw_exec')['PID'], signal.SIGKILL)
    until('the next process', lambda: plugin(agent, 'raw_exec')['Restarts'] == 1 and plugin(agent, 'raw_exec')['Phase'] == 'running')
    expect(cgroup_of(plugin(agent, 'raw_exec')['PID']) == own['raw_exec'] == cgroup_of(executor), 'both are there again')
    expect(agent.get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'running', 'the task goes on')
    agent.cli('job', 'stop', '-detach', 'outlives')
    until('the task to end', lambda: agent.get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'complete')


def test_a_reset_tries_at_once_and_forgets(sandbox):
    """P-23: who does not wait for the next start asks for it; each is counted."""
    agent, plugins = agent_with(sandbox, 'plugin "flaky" {}\n')
    script(plugins, 'flaky', 'echo "I fail" >&2\nexit 1\n')
    agent.start()
    for _ in range(3):
        before = plugin(agent, 'flaky')['Restarts']
        contains(agent.cli('plugin', 'reset', '-json', 'flaky'), '"Reset":true')
        until('the next try', lambda before=before: plugin(agent, 'flaky')['Restarts'] > before)
        status = wait_phase(agent, 'flaky', 'backoff')
        contains(status['Reason'], 'exit status 1', 'I fail')


HELLO_JOB = '''
job "NAME" {
  type = "batch"
  group "g" {
    restart {
      attempts = 0
      mode     = "fail"
    }
    task "t" {
      driver = "hello"
      config {
        greeting = "good morning"
        seconds  = SECONDS
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
'''


def hello_job(name, seconds):
    return HELLO_JOB.replace('NAME', name).replace('SECONDS', str(seconds))


def collectors():
    return [pid for pid, exe in harness.descendants().items() if exe == 'drover-logd']


def test_output_through_fifos_is_collected(sandbox):
    """F-20: a driver of somebody else's writes into FIFOs; the collector's death and the agent's lose nothing."""
    agent, plugins = agent_with(sandbox, 'plugin "drover-driver-hello" {}\n')
    install(plugins, 'drover-driver-hello', 'hello')
    agent.start(drivers=('hello',))
    agent.run(hello_job('short', 0), '-detach')
    alloc = agent.wait_alloc('short', 'complete')
    expect(agent.logs(alloc['ID'], 't') == 'good morning\n', f'log: {agent.logs(alloc["ID"], "t")!r}')
    logs = os.path.join(agent.data, 'alloc', alloc['ID'], 'alloc/logs')
    until('the FIFOs to go with the task', lambda: sorted(os.listdir(logs)) == ['t.stderr.0', 't.stdout.0'])

    agent.run(hello_job('long', 3600), '-detach')
    alloc = agent.wait_alloc('long', 'running')
    until('the first line', lambda: agent.logs(alloc['ID'], 't') == 'good morning\n')
    fifo = os.path.join(agent.data, 'alloc', alloc['ID'], 'alloc/logs/.t.stdout.fifo')

    def say(text):
        with open(fifo, 'w', encoding='ascii') as file:
            file.write(text)
    [first] = collectors()
    os.kill(first, signal.SIGSTOP)
    say('while it is stopped\n')
    os.kill(first, signal.SIGKILL)
    say('while it is dead\n')
    until('another collector', lambda: collectors() and collectors() != [first])
    until('what was said meanwhile', lambda: agent.logs(alloc['ID'], 't') == 'good morning\nwhile it is stopped\nwhile it is dead\n')
    [second] = collectors()
    agent.kill9()
    say('without an agent\n')
    agent.start(drivers=('hello',))
    expect(collectors() == [second], 'the collector should outlive the agent')
    until('what was said without an agent', lambda: agent.logs(alloc['ID'], 't').endswith('without an agent\n'))
    agent.stop_jobs()
    until('the FIFO to go with the task', lambda: not os.path.exists(fifo))


if __name__ == '__main__':
    harness.main(globals())
