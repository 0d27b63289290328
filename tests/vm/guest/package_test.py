#!/usr/bin/env python3
"""The Debian packages under systemd: installed, started, reloaded, restarted with live tasks, hung, killed, rebooted, removed, purged.

In two halves, with a reboot between them. The tests of one half build on each other: one machine, one installation."""
import glob
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../integration'))
import harness  # noqa: E402  pylint: disable=wrong-import-position
from harness import contains, expect, until  # noqa: E402  pylint: disable=wrong-import-position
from jobs import shell_job  # noqa: E402  pylint: disable=wrong-import-position

STATE = '/var/lib/drover-tests'
REBOOTED = os.path.join(STATE, 'rebooted')
NOTE = os.path.join(STATE, 'before-reboot')
EXTRA = '''
plugin "raw_exec" {
  config {
    enabled = true
  }
}
'''


def run(*command, status=0, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300, stdin=subprocess.DEVNULL, **options)
    if status is not None:
        expect(result.returncode == status, f'{" ".join(command)}: status {result.returncode}: {result.stdout[-1500:]}')
    return result.stdout.strip()


def packages():
    """Those of an agent. The SDK's needs compilers and headers that this machine does not have."""
    return sorted(path for path in glob.glob(os.path.join(harness.BUILD, 'deb/*.deb')) if not os.path.basename(path).startswith('drover-sdk_'))


def need_packages():
    if not packages():
        raise harness.Skip('no packages in the build; `make deb` makes them')


def shown(name):
    return run('systemctl', 'show', '-P', name, 'drover.service')


def main_pid():
    return int(shown('MainPID'))


def installed(sandbox):
    """The agent of the installation, to be asked over HTTP and by its own command."""
    need_packages()
    agent = sandbox.agent()
    agent.http = 4646
    sandbox.drover = '/usr/bin/drover'
    return agent


def task_pids(agent, job):
    """Processes of the job's allocation by its cgroups, with their start times: the same list means the same processes."""
    alloc = agent.wait_alloc(job, 'running')['ID']
    out = []
    for procs in glob.glob(f'/sys/fs/cgroup/nomad.slice/*/{alloc}.*.scope/cgroup.procs'):
        with open(procs, encoding='ascii') as file:
            out += [(int(line), harness.start_time(int(line))) for line in file]
    expect(bool(out), f'no process in a cgroup of allocation {alloc}')
    return sorted(out)


def processes_of_drover():
    out = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            path = os.readlink(f'/proc/{pid}/exe')
        except OSError:  # the kernel's own, or gone
            continue
        if path.startswith(('/usr/libexec/drover/', '/usr/bin/drover')):
            out.append(int(pid))
    return out


def wait_ready(agent):
    def ready():
        try:
            return any(node['Status'] == 'ready' for node in agent.get('/v1/nodes', timeout=10) or [])
        except (OSError, harness.Failure, harness.http.client.HTTPException):
            return False
    until('the node to be ready', ready, 60)
    agent.wait_node(('raw_exec', 'exec'), 60)


# --- before the reboot ---------------------------------------------------------------------------------------------------

def test_the_packages_install_and_start_nothing(sandbox):
    installed(sandbox)
    run('dpkg', '-i', *packages(), env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
    contains(run('drover', 'version'), 'Drover')
    contains(run('nomad', 'version'), 'Nomad v')
    expect(os.path.realpath('/usr/bin/nomad') == '/usr/bin/drover', f'nomad is {os.path.realpath("/usr/bin/nomad")}')
    for path in ('/usr/share/man/man1/drover.1.gz', '/usr/share/man/man1/nomad.1.gz', '/usr/share/bash-completion/completions/drover',
                 '/usr/share/bash-completion/completions/nomad', '/usr/share/zsh/vendor-completions/_drover', '/usr/share/doc/drover/examples/client.hcl'):
        expect(os.path.exists(path), f'{path} is missing')
    contains(run('bash', '-c', 'source /usr/share/bash-completion/completions/drover; complete -p drover'), '/usr/bin/drover')
    contains(run('env', 'COMP_LINE=drover doc', '/usr/bin/drover'), 'doctor')
    expect(shown('ActiveState') == 'inactive', f'the unit is {shown("ActiveState")} after installation')
    expect(shown('UnitFileState') == 'disabled', f'the unit is {shown("UnitFileState")} after installation')
    contains(run('drover', 'config', 'validate', '/etc/nomad.d'), 'Configuration is valid!')
    contains(run('systemd-analyze', 'verify', '--man=no', 'drover.service') + ' ok', 'ok')


def test_doctor_finds_the_machine_whole(sandbox):
    installed(sandbox)
    answer = json.loads(run('drover', 'doctor', '-json', status=None))
    bad = [check for check in answer['Checks'] if check['Status'] == 'missing']
    expect(not bad and answer['Healthy'], f'missing: {bad}')


def test_systemctl_start_is_over_when_the_agent_is_ready(sandbox):
    agent = installed(sandbox)
    with open('/etc/nomad.d/test.hcl', 'w', encoding='ascii') as file:
        file.write(EXTRA)
    run('systemctl', 'enable', '--now', 'drover.service')
    expect(shown('ActiveState') == 'active' and shown('Type') == 'notify', f'the unit is {shown("ActiveState")}')
    status, _, _ = agent.request('GET', '/v1/status/leader')
    expect(status == 200, f'the API answers {status} when systemctl start is over')
    wait_ready(agent)
    expect(int(shown('WatchdogUSec').replace('min', '').split('.')[0] or 0) > 0, 'no watchdog')


def test_tasks_run_also_as_others_below_a_strict_umask(sandbox):
    agent = installed(sandbox)
    agent.run(shell_job('stays', 'id -un; echo tick; exec sleep 100000').replace('driver = "raw_exec"', 'driver = "raw_exec"\n      user = "nobody"'), '-detach')
    agent.run(shell_job('isolated', 'echo pid $$; id -un; echo tick; exec sleep 100000', driver='exec'), '-detach')
    alloc = agent.wait_alloc('stays', 'running')['ID']
    until('the first lines', lambda: agent.logs(alloc, 't').startswith('nobody\ntick\n'))
    alloc = agent.wait_alloc('isolated', 'running')['ID']
    until('the first lines', lambda: agent.logs(alloc, 't').startswith('pid 1\nnobody\ntick\n'))


def test_reload_keeps_the_process(sandbox):
    agent = installed(sandbox)
    before, tasks = main_pid(), task_pids(agent, 'stays')
    run('systemctl', 'reload', 'drover.service')
    expect(main_pid() == before, 'reload started another agent')
    expect(shown('ActiveState') == 'active', f'the unit is {shown("ActiveState")} after reload')
    until('the reload in the journal', lambda: 'configuration reloaded' in run('journalctl', '-u', 'drover', '-b', '--no-pager'))
    expect(task_pids(agent, 'stays') == tasks, 'tasks changed')


def test_restart_keeps_the_tasks(sandbox):
    agent = installed(sandbox)
    before, tasks = main_pid(), [task_pids(agent, job) for job in ('stays', 'isolated')]
    run('systemctl', 'restart', 'drover.service')
    expect(main_pid() != before, 'restart kept the agent')
    wait_ready(agent)
    expect([task_pids(agent, job) for job in ('stays', 'isolated')] == tasks, 'tasks changed')
    run('systemctl', 'stop', 'drover.service')
    expect((shown('ActiveState'), shown('Result')) == ('inactive', 'success'), f'after stop: {shown("ActiveState")}, {shown("Result")}')
    run('systemctl', 'start', 'drover.service')
    wait_ready(agent)
    expect([task_pids(agent, job) for job in ('stays', 'isolated')] == tasks, 'tasks changed')


def test_f_83_journald_restarts(sandbox):
    agent = installed(sandbox)
    before, tasks = main_pid(), task_pids(agent, 'stays')
    run('systemctl', 'restart', 'systemd-journald.service')
    run('systemctl', 'reload', 'drover.service')  # it writes to its log
    expect(main_pid() == before, 'the agent died with the journal')
    expect(task_pids(agent, 'stays') == tasks, 'tasks changed')


def test_f_84_daemon_reload_changes_no_cgroup(sandbox):
    agent = installed(sandbox)
    alloc = agent.wait_alloc('isolated', 'running')['ID']
    scope = glob.glob(f'/sys/fs/cgroup/nomad.slice/*/{alloc}.t.scope')[0]

    def settings():
        out = {}
        for name in ('cpu.weight', 'cpu.max', 'memory.max', 'memory.low', 'pids.max', 'cpuset.cpus.effective', 'cgroup.controllers', 'cgroup.procs'):
            path = os.path.join(scope, name)
            if os.path.exists(path):
                with open(path, encoding='ascii') as file:
                    out[name] = file.read()
        return out
    before = settings()
    run('systemctl', 'daemon-reload')
    run('systemctl', 'set-property', '--runtime', 'drover.service', 'CPUWeight=200')
    expect(settings() == before, f'a reload of systemd changed the scope: {before} became {settings()}')


def test_an_agent_that_is_killed_or_hangs_is_started_again(sandbox):
    agent = installed(sandbox)
    tasks = [task_pids(agent, job) for job in ('stays', 'isolated')]
    before = main_pid()
    os.kill(before, signal.SIGKILL)
    until('another agent', lambda: main_pid() not in (0, before), 60)
    wait_ready(agent)
    expect([task_pids(agent, job) for job in ('stays', 'isolated')] == tasks, 'tasks changed')
    os.makedirs('/run/systemd/system/drover.service.d', exist_ok=True)
    with open('/run/systemd/system/drover.service.d/watchdog.conf', 'w', encoding='ascii') as file:
        file.write('[Service]\nWatchdogSec=15\n')
    run('systemctl', 'daemon-reload')
    run('systemctl', 'restart', 'drover.service')
    before = main_pid()
    os.kill(before, signal.SIGSTOP)
    until('another agent after the watchdog', lambda: main_pid() not in (0, before), 120)
    wait_ready(agent)
    contains(run('journalctl', '-u', 'drover', '-b', '--no-pager'), 'watchdog')
    expect([task_pids(agent, job) for job in ('stays', 'isolated')] == tasks, 'tasks changed')


def test_f_80_a_reboot_is_prepared(sandbox):
    agent = installed(sandbox)
    tasks = {job: task_pids(agent, job) for job in ('stays', 'isolated')}
    with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as file:
        boot = file.read()
    with open(NOTE, 'w', encoding='ascii') as file:
        json.dump({'boot': boot, 'tasks': tasks, 'allocs': {job: agent.wait_alloc(job, 'running')['ID'] for job in tasks}}, file)
    for name in (REBOOTED, os.path.join(STATE, 'again')):
        open(name, 'w', encoding='ascii').close()


# --- after it --------------------------------------------------------------------------------------------------------------

def second_f_80_tasks_run_again_after_a_reboot(sandbox):
    agent = installed(sandbox)
    with open(NOTE, encoding='ascii') as file:
        note = json.load(file)
    with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as file:
        expect(file.read() != note['boot'], 'the machine has not been rebooted')
    wait_ready(agent)
    for job in ('stays', 'isolated'):
        until(f'the task of {job} to run again', lambda job=job: glob.glob(f'/sys/fs/cgroup/nomad.slice/*/{agent.wait_alloc(job, "running")["ID"]}.t.scope'), 60)
        fresh = until('processes', lambda job=job: task_pids(agent, job), 60)
        expect(fresh != [tuple(pair) for pair in note['tasks'][job]], f'{job}: the processes of before a reboot')
    running = [one for one in agent.get('/v1/allocations') if one['ClientStatus'] == 'running']
    expect(len(running) == 2, f'{len(running)} allocations run after a reboot, not 2')


def second_removal_ends_what_runs_and_keeps_what_is_stored(sandbox):
    agent = installed(sandbox)
    task_pids(agent, 'stays')
    run('dpkg', '-r', 'drover-nomad-compat', 'drover')
    until('the last processes to end', lambda: not processes_of_drover())
    left = [folder for folder in glob.glob('/sys/fs/cgroup/nomad.slice/*/*.scope')]
    expect(not left, f'cgroups after removal: {left}')
    with open('/proc/self/mounts', encoding='utf-8') as file:
        mounts = [line.split()[1] for line in file if '/var/lib/drover' in line]
    expect(not mounts, f'mounts after removal: {mounts}')
    expect(not os.path.exists('/usr/bin/drover') and not os.path.lexists('/usr/bin/nomad'), 'commands after removal')
    expect(not os.path.exists('/usr/lib/systemd/system/drover.service'), 'the unit after removal')
    expect(os.path.isdir('/var/lib/drover/server') and os.path.exists('/etc/nomad.d/test.hcl'), 'state or configuration went with the package')


def second_purge_takes_the_state_only_when_asked(sandbox):
    installed(sandbox)
    quiet = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
    run('dpkg', '-P', 'drover', 'drover-nomad-compat', env=quiet)
    expect(os.path.isdir('/var/lib/drover/server'), 'purge took the state without being asked')
    expect(os.path.exists('/etc/nomad.d/test.hcl') and not os.path.exists('/etc/nomad.d/drover.hcl'), 'purge keeps what it did not bring, and only that')
    run('dpkg', '-i', *packages(), env=quiet)
    expect(not os.path.exists('/etc/nomad.d/drover.hcl'), 'a configuration beside one that was there')
    subprocess.run(['debconf-set-selections'], input='drover drover/remove-state boolean true\n', text=True, check=True)
    run('dpkg', '-P', 'drover-nomad-compat', 'drover', env=quiet)
    expect(not os.path.exists('/var/lib/drover'), 'purge left the state although it was asked to take it')


if __name__ == '__main__':
    if os.path.exists(REBOOTED):
        harness.main({f'test_{name.removeprefix("second_")}': test for name, test in list(globals().items()) if name.startswith('second_')})
    else:
        harness.main(globals())
