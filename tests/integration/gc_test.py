#!/usr/bin/env python3
"""Garbage collection: by the intervals and thresholds of the configuration, and of everything at once by `system gc`."""
import harness
from harness import expect, until
from jobs import shell_job


def finished(agent, name):
    """Runs a batch job to its end and returns the ids of what it leaves behind."""
    agent.run(shell_job(name, 'true', kind='batch'), '-detach')
    alloc = agent.wait_alloc(name, 'complete')['ID']
    until(f'job "{name}" to be dead', lambda: agent.get(f'/v1/job/{name}')['Status'] == 'dead')
    return alloc, [one['ID'] for one in agent.get(f'/v1/job/{name}/evaluations')]


def status(agent, path):
    return agent.request('GET', path)[0]


def expect_gone(agent, name, alloc, evals):
    for path in [f'/v1/job/{name}', f'/v1/allocation/{alloc}', *(f'/v1/evaluation/{one}' for one in evals)]:
        until(f'{path} to be gone', lambda path=path: status(agent, path) == 404)


def test_thresholds_of_the_configuration(sandbox):
    agent = sandbox.agent(extra='server {\n job_gc_interval = "1s"\n job_gc_threshold = "10ms"\n}\n').start()
    agent.run(shell_job('stays', 'sleep 1000'), '-detach')
    agent.wait_alloc('stays', 'running')
    # It may be collected at once: nothing is asked about it but whether it was there and is gone.
    evaluation = agent.call('PUT', '/v1/jobs', {'Job': {'ID': 'goes', 'Type': 'batch', 'Datacenters': ['*'], 'TaskGroups': [
        {'Name': 'g', 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/true'}}]}]}})['EvalID']
    expect(evaluation, 'the registration answers with an evaluation')
    expect_gone(agent, 'goes', '00000000-0000-0000-0000-000000000000', [evaluation])
    expect(agent.get('/v1/job/stays')['Status'] == 'running', 'a job that runs is not collected')
    agent.stop_jobs()
    agent.stop()


def test_system_gc_ignores_ages(sandbox):
    agent = sandbox.agent().start()
    alloc, evals = finished(agent, 'goes')
    agent.run(shell_job('stays', 'sleep 1000'), '-detach')
    agent.wait_alloc('stays', 'running')
    agent.cli('system', 'gc')
    expect_gone(agent, 'goes', alloc, evals)
    expect(agent.get('/v1/job/stays')['Status'] == 'running', 'a job that runs is not collected')
    # What was deleted stays deleted when the log is read again.
    agent.kill9()
    agent.start()
    expect(status(agent, '/v1/job/goes') == 404, 'a collected job does not come back')
    agent.wait_alloc('stays', 'running')
    agent.stop_jobs()
    agent.stop()


def test_intervals_that_cannot_be(sandbox):
    agent = sandbox.agent(extra='server {\n job_gc_interval = "-5s"\n}\n').spawn()
    agent.process.wait(20 * harness.SLOW)
    expect('server.job_gc_interval should be greater than 0s' in agent.log_tail(), f'the agent says why it does not start: {agent.log_tail()}')


if __name__ == '__main__':
    harness.main(globals())
