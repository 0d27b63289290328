#!/usr/bin/env python3
"""kill -9 of the agent, of a driver plugin, and of both: the task keeps its pid and start time, its log has no gap, its exit
code arrives once. Ten rounds; a hundred with LONG=1. Delays within a start are spread evenly, so that rounds meet different steps."""
import os
import signal
import threading
import time

import harness
from harness import expect, start_time, until
from jobs import counting_job


def task_pids(agent):
    try:
        with open(os.path.join(agent.directory, 'pids'), encoding='ascii') as file:
            return [int(line) for line in file]
    except FileNotFoundError:
        return []


def alive(agent):
    marker = os.path.join(agent.directory, 'stop')
    return [pid for pid, exe in harness.descendants().items() if marker in harness.command_line(pid) and not exe.startswith('drover')
            and start_time(pid)]


def begin(sandbox):
    agent = sandbox.agent().start()
    agent.run(counting_job('counts', agent.directory), '-detach')
    alloc = agent.wait_alloc('counts', 'running')
    pid = until('the task to write its pid', lambda: task_pids(agent))[0]
    return agent, alloc['ID'], pid, start_time(pid)


def same(agent, alloc, pid, born):
    expect(start_time(pid) == born, f'task {pid} is gone or another process')
    expect(task_pids(agent) == [pid], f'the task was started again: {task_pids(agent)}')
    seen = agent.get(f'/v1/allocation/{alloc}')
    expect(seen['ClientStatus'] == 'running', f'allocation is {seen["ClientStatus"]}: {seen.get("ClientDescription")}')


def end(agent, alloc):
    """Lets the task end, then checks exit code and log (L-01, L-02)."""
    with open(os.path.join(agent.directory, 'stop'), 'w', encoding='ascii'):
        pass
    done = agent.wait_alloc('counts', 'failed')
    expect(done['ID'] == alloc, 'another allocation ended')
    exits = [event['ExitCode'] for event in done['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
    expect(exits == [7], f'exit codes reported: {exits}')
    numbers = agent.logs(alloc, 't').split()
    expect(numbers == [str(n) for n in range(len(numbers))], 'the log has a gap')
    expect(len(numbers) > harness.ROUNDS, f'the log has only {len(numbers)} lines')


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
    with open(os.path.join(agent.directory, 'stop'), 'w', encoding='ascii'):
        pass
    until('the task to end', lambda: start_time(pid) is None)
    agent.start()
    end(agent, alloc)


def test_f23_plugin_killed(sandbox):
    agent, alloc, pid, born = begin(sandbox)
    for _ in range(harness.ROUNDS):
        victims = agent.plugins('drover-driver-raw')
        expect(victims, 'no plugin to kill')
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        until('a new plugin', lambda: [p for p in agent.plugins('drover-driver-raw') if p not in victims], 30)
        agent.wait_node()
        same(agent, alloc, pid, born)
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


def test_f02_agent_killed_within_a_start(sandbox):
    agent = sandbox.agent().start()
    for number in range(harness.ROUNDS):
        name = f'counts-{number}'
        job = counting_job('counts', agent.directory).replace('job "counts"', f'job "{name}"')
        body = agent.call('POST', '/v1/jobs/parse', {'JobHCL': job, 'Canonicalize': True})
        kill = threading.Timer(0.030 * number / harness.ROUNDS, agent.process.kill)
        kill.start()
        try:
            agent.call('POST', '/v1/jobs', {'Job': body}, timeout=5)
        except (OSError, harness.http.client.HTTPException):
            pass  # killed before it could answer; the job may or may not be there
        kill.join()
        agent.process.wait()
        agent.start()
        if agent.request('GET', f'/v1/job/{name}')[0] == 404:
            agent.call('POST', '/v1/jobs', {'Job': body})
        agent.wait_alloc(name, 'running')
        until('the task to write its pid', lambda: alive(agent) and task_pids(agent))
        expect(len(alive(agent)) == 1, f'round {number}: processes {alive(agent)} of one task, started {task_pids(agent)}')
        agent.call('DELETE', f'/v1/job/{name}?purge=true')
        until('the task to be stopped', lambda: not alive(agent))
        os.remove(os.path.join(agent.directory, 'pids'))


def test_f02_agent_killed_within_a_stop(sandbox):
    agent = sandbox.agent().start()
    for number in range(harness.ROUNDS):
        name = f'counts-{number}'
        agent.run(counting_job('counts', agent.directory).replace('job "counts"', f'job "{name}"'), '-detach')
        agent.wait_alloc(name, 'running')
        agent.call('DELETE', f'/v1/job/{name}')
        time.sleep(0.020 * number / harness.ROUNDS)  # where in the stop the blow falls
        agent.kill9()
        agent.start()
        agent.wait_alloc(name, 'complete')
        until('the task to be gone', lambda: not alive(agent))


if __name__ == '__main__':
    harness.main(globals())
