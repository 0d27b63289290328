#!/usr/bin/env python3
"""kill -9 of the agent, of a driver plugin, of both and of executors, idle and at every named step of a task's start and end
(fail points, sdk/base/fail_point.h; no moment is left to chance). Afterwards the task has the same pid and start time, its log
has no gap, its exit code arrives once, and nothing is left. Ten rounds; a hundred with LONG=1."""
import glob
import http.client
import os
import re
import signal
import time

import harness
from harness import expect, start_time, until
from jobs import counting_job, shell_job

# The steps in the order of the path (docs/architecture.md, "One job").
START = ['server.job_stored', 'server.plan_stored', 'alloc.received', 'alloc.stored', 'task.prepared', 'driver.start.asked',
         'driver.start.prepared', 'driver.start.spawned', 'driver.start.runs', 'task.started', 'task.handle_stored', 'server.update_stored']
RECOVER = ['driver.recover.asked', 'driver.recover.done', 'task.recovered']
STOP = ['server.stop_stored', 'server.plan_stored', 'task.stop_stored', 'driver.stop.asked', 'driver.stop.sent', 'driver.stop.ended']
END = ['task.ended', 'task.end_stored', 'driver.destroy.ended', 'driver.destroy.cgroup_removed', 'driver.destroy.done',
       'task.destroyed', 'alloc.ended', 'server.update_stored']
REMOVE = ['alloc.removing', 'alloc.removed']
EXECUTOR_START = ['executor.before_record', 'executor.after_record', 'executor.after_clone', 'executor.after_exec']
EXECUTOR_END = ['executor.while_running', 'executor.before_exit_record', 'executor.before_exit_sync', 'executor.after_exit_record']


def task_pids(agent):
    try:
        with open(os.path.join(agent.directory, 'pids'), encoding='ascii') as file:
            return [int(line) for line in file]
    except FileNotFoundError:
        return []


def alive(agent):
    """The task's processes; not its child that has not become `sleep` yet and still has the shell's command line."""
    marker = os.path.join(agent.directory, 'stop')
    found = {pid: harness.stat_fields(pid) for pid, exe in harness.descendants().items()
             if marker in harness.command_line(pid) and not exe.startswith('drover')}
    return [pid for pid, fields in found.items() if fields and fields[0] != 'Z' and int(fields[1]) not in found]


def let_end(agent):
    with open(os.path.join(agent.directory, 'stop'), 'w', encoding='ascii'):
        pass


def logged(agent, alloc):
    """The numbers in the task's log files, read without the agent."""
    text = ''
    for number in range(100):
        try:
            with open(f'{agent.data}/alloc/{alloc}/alloc/logs/t.stdout.{number}', encoding='ascii') as file:
                text += file.read()
        except FileNotFoundError:
            break
    return text.split()


def begin(sandbox):
    agent = sandbox.agent().start()
    agent.run(counting_job('counts', agent.directory), '-detach')
    alloc = agent.wait_alloc('counts', 'running')
    pid = until('the task to write its pid', lambda: task_pids(agent))[0]
    until('the task to write into its log', lambda: logged(agent, alloc['ID']))
    return agent, alloc['ID'], pid, start_time(pid)


def same(agent, alloc, pid, born):
    expect(start_time(pid) == born, f'task {pid} is gone or another process')
    expect(task_pids(agent) == [pid], f'the task was started again: {task_pids(agent)}')
    seen = agent.get(f'/v1/allocation/{alloc}')
    expect(seen['ClientStatus'] == 'running', f'allocation is {seen["ClientStatus"]}: {seen.get("ClientDescription")}')


def end(agent, alloc):
    """Lets the task end, then checks exit code and log (L-01, L-02)."""
    lines = len(logged(agent, alloc))
    until('the task to write on', lambda: len(logged(agent, alloc)) > lines)
    let_end(agent)
    ended(agent, agent.wait_alloc('counts', 'failed'), alloc)


def ended(agent, done, alloc):
    expect(done['ID'] == alloc, 'another allocation ended')
    exits = [event['ExitCode'] for event in done['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
    expect(exits == [7], f'exit codes reported: {exits}')
    numbers = agent.logs(alloc, 't').split()
    expect(numbers and numbers == [str(n) for n in range(len(numbers))], f'the log has a gap or is empty: {len(numbers)} lines')


# --- idle --------------------------------------------------------------------------------------------------------------

def test_f01_l01_agent_killed_while_idle(sandbox):
    agent, alloc, pid, born = begin(sandbox)
    for _ in range(harness.ROUNDS):
        agent.kill9()
        agent.start()
        same(agent, alloc, pid, born)
    end(agent, alloc)


def test_f01_l02_task_that_ends_while_the_agent_is_dead(sandbox):
    agent, alloc, pid, _ = begin(sandbox)
    agent.kill9()
    let_end(agent)
    until('the task to end', lambda: start_time(pid) is None)
    agent.start()
    ended(agent, agent.wait_alloc('counts', 'failed'), alloc)


def kill_plugin(agent):
    victims = agent.plugins('drover-driver-raw')
    expect(victims, 'no plugin to kill')
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    return victims


def test_f23_l05_plugin_killed(sandbox):
    agent, alloc, pid, born = begin(sandbox)
    for _ in range(harness.ROUNDS):
        victims = kill_plugin(agent)
        until('a new plugin', lambda: [p for p in agent.plugins('drover-driver-raw') if p not in victims], 30)  # pylint: disable=cell-var-from-loop
        agent.wait_node()
        same(agent, alloc, pid, born)
        # P-23: a plugin that ends again and again is started ever later, by the count of this agent. The next begins at one.
        agent.stop()
        agent.start()
    end(agent, alloc)


def test_f01_f23_agent_and_plugin_killed_together(sandbox):
    agent, alloc, pid, born = begin(sandbox)
    for _ in range(harness.ROUNDS):
        agent.process.kill()
        for victim in agent.plugins():
            os.kill(victim, signal.SIGKILL)
        agent.process.wait()
        agent.start()
        same(agent, alloc, pid, born)
    end(agent, alloc)


def test_f23_task_that_ends_while_its_plugin_is_dead(sandbox):
    agent, alloc, pid, _ = begin(sandbox)
    kill_plugin(agent)
    let_end(agent)
    until('the task to end', lambda: start_time(pid) is None)
    ended(agent, agent.wait_alloc('counts', 'failed'), alloc)


def test_f12_l02_executor_killed_while_the_agent_is_dead(sandbox):
    agent, _, pid, _ = begin(sandbox)
    agent.kill9()
    for victim in agent.plugins('drover-executor'):
        os.kill(victim, signal.SIGKILL)
    let_end(agent)
    until('the task to end', lambda: start_time(pid) is None)
    agent.start()
    unknown_end(agent.wait_alloc('counts', 'failed'))


def unknown_end(done):
    """Nobody saw how the task ended: that is said, once, and never called a success (L-02)."""
    said = [event['DisplayMessage'] for event in done['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
    expect(len(said) == 1 and 'unknown' in said[0], f'ends reported: {said}')


# --- at every step -----------------------------------------------------------------------------------------------------

def test_f02_f03_every_step_in_the_sources_is_walked_here(_):
    named = set()
    for path in [one for room in ('agent', 'plugins', 'sdk/executor', 'server') for one in glob.glob(f'{harness.ROOT}/{room}/**/*.cc', recursive=True)]:
        with open(path, encoding='utf-8') as file:
            named |= set(re.findall(r'fail_point\("([^"]+)"\)|\{"(executor\.\w+)"', file.read()))
    named = {one or other for one, other in named}
    walked = set(START + RECOVER + STOP + END + REMOVE + EXECUTOR_START + EXECUTOR_END)
    walked.add('cluster.begun')  # by cluster_test.py
    walked |= {'task.devices_stored', 'task.devices_free', 'task.devices_released'}  # by plugins_test.py
    expect(named == walked, f'not walked: {sorted(named - walked)}; not in the sources: {sorted(walked - named)}')


class Life:
    """One job from its registration to its removal, with an agent that is started again whenever it dies."""

    def __init__(self, sandbox, agent, number):
        self.sandbox, self.agent, self.deaths = sandbox, agent, 0
        self.name = f'counts-{number}'
        self.body = counting_job('counts', agent.directory).replace('job "counts"', f'job "{self.name}"')
        self.points, self.victims = [], None

    def arm(self, points, victims):
        """`victims(point)`: who dies there, as for Sandbox.arm()."""
        self.points, self.victims = points, victims
        for point in points:
            self.sandbox.arm(point, *victims(point))

    def until(self, what, check, limit=40.0):
        deadline = time.monotonic() + limit
        while True:
            if self.agent.process.poll() is not None:
                self.deaths += 1
                self.agent.spawn()
                for point in self.points:
                    self.sandbox.rearm(point, *self.victims(point))
            else:
                try:
                    if check():
                        return
                except (OSError, http.client.HTTPException, harness.Failure):
                    pass  # dead or not up yet
            expect(time.monotonic() < deadline, f'{what}: not within {limit:g} s; armed: {self.sandbox.armed()}, {self.status()}')
            time.sleep(0.005)

    def status(self):
        try:
            return [(one['ClientStatus'], [event['DisplayMessage'] for event in one['TaskStates']['t']['Events']])
                    for one in self.agent.get(f'/v1/job/{self.name}/allocations')]
        except (OSError, http.client.HTTPException, harness.Failure, KeyError, TypeError) as error:
            return repr(error)

    def allocs(self):
        return self.agent.get(f'/v1/job/{self.name}/allocations', timeout=5)

    def register(self):
        if self.agent.request('GET', f'/v1/job/{self.name}', timeout=5)[0] == 200:
            return True
        job = self.agent.call('POST', '/v1/jobs/parse', {'JobHCL': self.body, 'Canonicalize': True}, timeout=5)
        self.agent.call('POST', '/v1/jobs', {'Job': job}, timeout=5)
        return True

    def run(self):
        """Until the task runs: one process, started once."""
        self.until('the job to be registered', self.register)
        self.met('the task to run', lambda: [one['ClientStatus'] for one in self.allocs()] == ['running'] and task_pids(self.agent))
        pids = task_pids(self.agent)
        expect(len(pids) == 1 and alive(self.agent) == pids, f'processes {alive(self.agent)} of one task, started {pids}')
        return self.allocs()[0]['ID'], pids[0], start_time(pids[0])

    def stop(self):
        self.until('the job to be stopped', lambda: self.agent.call('DELETE', f'/v1/job/{self.name}', timeout=5) or True)
        self.met('the allocation to complete', lambda: [one['ClientStatus'] for one in self.allocs()] == ['complete'])
        self.until('the task to be gone', lambda: not alive(self.agent))

    def end(self, alloc):
        let_end(self.agent)
        self.met('the end of the task to be reported', lambda: [one['ClientStatus'] for one in self.allocs()] == ['failed'])
        ended(self.agent, self.agent.get(f'/v1/allocation/{alloc}'), alloc)

    def remove(self):
        """Everything of the job goes, on servers and client."""
        self.until('the job to be purged', lambda: self.agent.call('DELETE', f'/v1/job/{self.name}?purge=true', timeout=5) or True)

        def gone():
            self.agent.call('PUT', '/v1/system/gc', timeout=5)
            return not os.listdir(f'{self.agent.data}/alloc')
        self.until('the directory to be removed', gone)
        self.met('the records to be removed', lambda: not glob.glob(f'{self.agent.data}/client/executor/*/*'))
        for name in ('pids', 'stop'):
            path = os.path.join(self.agent.directory, name)
            if os.path.exists(path):
                os.remove(path)

    def met(self, what, check):
        """Until all armed steps have killed and the check holds in an agent that lives on."""
        self.until('every armed step to be met', lambda: not set(self.sandbox.armed()) & set(self.points))
        self.points = []
        self.until(what, check)


def choose(points, number):
    """All of the client's steps, and of each call to the driver one: what follows in a call passes without a living caller. The
    server's steps, which take place beside those of the client, are the matter of every fifth life."""
    calls = {}
    for point in [one for one in points if one.startswith('server.') == (number % 5 == 4)]:
        calls.setdefault(point.rpartition('.')[0] if point.startswith('driver.') else point, []).append(point)
    return [call[(number % 5 + number // 10) % len(call)] for call in calls.values()]


def walk(sandbox, victims, rounds):
    """Lives in which step after step kills; recovering is a part of the path from the first death on."""
    agent = sandbox.agent().start()
    for number in range(rounds):
        life = Life(sandbox, agent, number)
        life.arm(choose(START + RECOVER, number), lambda point: victims(agent, point))
        alloc, pid, born = life.run()
        expect(life.deaths > 0, 'nothing died')
        stopped = number % 2 == 0
        life.arm(choose((STOP if stopped else []) + END, number), lambda point: victims(agent, point))
        expect(start_time(pid) == born, 'the task is another process')
        if stopped:
            life.stop()
        else:
            life.end(alloc)
        life.arm(REMOVE, lambda point: victims(agent, point))
        life.remove()


def test_f02_f03_l01_agent_killed_at_every_step(sandbox):
    walk(sandbox, lambda agent, point: [agent.pid if point.startswith('driver.') else 'self'], harness.ROUNDS)


def test_f02_f03_f23_agent_and_plugin_killed_at_every_step(sandbox):
    def victims(agent, point):
        return [agent.pid, 'self'] if point.startswith('driver.') else [*agent.plugins('drover-driver-raw'), 'self']
    walk(sandbox, victims, harness.ROUNDS)


def test_f02_f03_f23_plugin_killed_at_every_step(sandbox):
    agent = sandbox.agent().start()
    for number, point in enumerate([one for one in START + STOP + END if one.startswith('driver.')] * (10 if harness.LONG else 1)):
        life = Life(sandbox, agent, number)
        if point in START:
            life.arm([point], lambda _: ['self'])
        alloc, _, _ = life.run()
        if point not in START:
            life.arm([point], lambda _: ['self'])
        if number % 2 == 0 or point in STOP:
            life.stop()
        else:
            life.end(alloc)
        life.remove()
        expect(life.deaths == 0, 'the agent died')
        agent.kill9()  # the next agent counts the plugin's ends from none (P-23)
        agent.start()


def test_f11_l02_executor_killed_at_every_step(sandbox):
    agent = sandbox.agent().start()
    for number, point in enumerate((EXECUTOR_START + EXECUTOR_END) * (10 if harness.LONG else 1)):
        life = Life(sandbox, agent, number)
        life.body = life.body.replace('attempts = 0\nmode', 'attempts = 1\ninterval = "1h"\ndelay = "0s"\nmode')
        sandbox.arm(point, 'self')
        life.until('the job to be registered', life.register)
        if point in EXECUTOR_START:
            # Started again by policy, when the first is certainly gone.
            life.until('the task to run', lambda: [one['ClientStatus'] for one in life.allocs()] == ['running'] and task_pids(agent))
            expect(len(alive(agent)) == 1 and alive(agent) == task_pids(agent)[-1:], f'alive {alive(agent)}, started {task_pids(agent)}')
            states = [one['TaskStates']['t']['Restarts'] for one in life.allocs()]
            expect(states == [1], f'restarts counted: {states}')
            ends = [event['DisplayMessage'] for event in life.allocs()[0]['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
            may_have_run = point in ('executor.after_clone', 'executor.after_exec')
            expect(['unknown' in one for one in ends] == [True] * may_have_run, f'{point}: ends reported: {ends}')
            life.stop()
        else:
            starts = 2 if point == 'executor.while_running' else 1  # what dies at its end is started again below
            life.until('the task to run', lambda: len(task_pids(agent)) == starts and [one['ClientStatus'] for one in life.allocs()] == ['running'])  # pylint: disable=cell-var-from-loop
            let_end(agent)
            life.until('the end of the task to be reported', lambda: [one['ClientStatus'] for one in life.allocs()] == ['failed'])
            events = life.allocs()[0]['TaskStates']['t']['Events']
            ends = [event['DisplayMessage'] for event in events if event['Type'] == 'Terminated']
            known = point in ('executor.before_exit_sync', 'executor.after_exit_record')  # written is enough as long as the machine lives
            expect(len(ends) == 2 and ('Exit Code: 7' if known else 'unknown') in ends[0] and 'Exit Code: 7' in ends[1], f'{point}: ends reported: {ends}')
        life.remove()


if __name__ == '__main__':
    harness.main(globals())
