#!/usr/bin/env python3
"""Refusals: each names the thing, the step and the remedy, and leaves nothing behind."""
import contextlib
import http.client
import os
import socket
import subprocess
import time

import harness
from harness import contains, expect, until
from jobs import shell_job


def dev(sandbox):
    return sandbox.agent(dev=True).start()


def refused(agent, limit=10.0):
    """Waits for an agent that must not start; returns what it said."""
    try:
        status = agent.process.wait(limit)
    except subprocess.TimeoutExpired:
        raise harness.Failure('the agent was not refused') from None
    expect(status != 0, 'the agent ended with status 0')
    return agent.log_tail(50)


def test_unknown_key_in_a_job_file(sandbox):
    agent = sandbox.agent(dev=True)
    path = os.path.join(agent.directory, 'job.nomad.hcl')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('job "x" {\n  group "g" {\n    cuont = 2\n    task "t" {\n      driver = "raw_exec"\n    }\n  }\n}\n')
    agent.start(node=False)
    contains(agent.cli('job', 'run', path, status=1), 'job.nomad.hcl:3', 'cuont')
    expect((agent.get('/v1/jobs') or []) == [], 'a job was registered')


def test_unknown_key_in_the_configuration(sandbox):
    agent = sandbox.agent(dev=True, extra='client { srevers = ["a"] }\n').spawn()
    contains(refused(agent), 'srevers', 'agent.hcl')


def test_port_in_use(sandbox):
    agent = sandbox.agent(dev=True)
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', agent.http))
        taken.listen()
        contains(refused(agent.spawn()), str(agent.http), 'in use')


def test_f10_second_agent_on_the_same_directory_names_the_pid(sandbox):
    first = sandbox.agent('first').start(node=False)
    second = sandbox.agent('second')
    with open(second.config, encoding='utf-8') as file:
        text = file.read()
    with open(second.config, 'w', encoding='utf-8') as file:
        file.write(text.replace(second.data, first.data))
    began = time.monotonic()
    said = refused(second.spawn())
    took = time.monotonic() - began
    contains(said, str(first.pid), first.data)
    expect(took < 1, f'the refusal took {took:.1f} s')
    first.get('/v1/status/leader')


def test_missing_executor_leaves_the_agent_up_and_says_so(sandbox):
    os.remove(os.path.join(sandbox.directory, 'root/libexec/drover/drover-executor'))
    agent = sandbox.agent(dev=True).start(drivers=())
    node = agent.wait_drivers(('raw_exec',))
    info = node['Drivers']['raw_exec']
    expect(not info.get('Healthy'), 'raw_exec is healthy without an executor')
    contains(info.get('HealthDescription') or '', 'drover-executor', 'is missing', 'install it')


def test_executor_that_is_not_executable_leaves_the_agent_up_and_says_so(sandbox):
    path = os.path.join(sandbox.directory, 'root/libexec/drover/drover-executor')
    os.remove(path)  # a link to the build's
    with open(path, 'w', encoding='ascii') as file:
        file.write('not a program\n')
    agent = sandbox.agent(dev=True).start(drivers=())
    for name in ('raw_exec', 'exec'):
        info = agent.wait_drivers((name,))['Drivers'][name]
        expect(not info.get('Healthy'), f'{name} is healthy without an executor')
        contains(info.get('HealthDescription') or '', path, 'not executable', 'chmod')
    contains(agent.run(shell_job('waits', 'true'), status=2), 'missing drivers')


def test_plugin_that_is_not_executable_leaves_the_agent_up(sandbox):
    path = os.path.join(sandbox.directory, 'root/libexec/drover/plugins/drover-driver-raw-exec')
    os.remove(path)
    with open(path, 'w', encoding='ascii') as file:
        file.write('not a program\n')
    agent = sandbox.agent(dev=True).start(drivers=())
    contains(agent.cli('node', 'status'), 'ready')
    out = agent.run(shell_job('waits', 'true'), status=2)
    contains(out, 'missing drivers')


def test_missing_command_fails_the_task_with_its_name(sandbox):
    agent = dev(sandbox)
    job = shell_job('absent', 'true', kind='batch').replace('/bin/sh', '/does/not/exist')
    agent.run(job, '-detach')
    alloc = agent.wait_alloc('absent', 'failed')
    said = ' '.join(event['DisplayMessage'] for event in alloc['TaskStates']['t']['Events'])
    contains(said, '/does/not/exist')


def test_job_without_an_eligible_node_is_blocked_with_reasons(sandbox):
    agent = dev(sandbox)
    job = shell_job('nowhere', 'true', extra='constraint {\n attribute = "${attr.kernel.name}"\n value = "plan9"\n}')
    out = agent.run(job, status=2)
    contains(out, 'plan9', 'excluded by filter')
    evaluations = agent.get('/v1/job/nowhere/evaluations')
    expect('blocked' in {one['Status'] for one in evaluations}, f'evaluations: {[one["Status"] for one in evaluations]}')


def test_oversized_body_is_refused(sandbox):
    agent = dev(sandbox)
    with socket.create_connection((agent.address, agent.http), timeout=10) as connection:
        connection.sendall(b'PUT /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1099511627776\r\n\r\n{"Job":')
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        expect(answer.status == 413, f'status {answer.status}')
        contains(answer.read().decode(), 'too large')
    agent.get('/v1/status/leader')


def test_malformed_bodies_are_refused(sandbox):
    agent = dev(sandbox)
    for body in (b'', b'{', b'null', b'[]', b'{"Job":[]}', b'{"Job":{"ID":5}}', b'\xff\xfe', b'{' * 100000):
        status, _, said = agent.request('PUT', '/v1/jobs', body)
        expect(400 <= status <= 500 and said, f'{body[:20]!r}: status {status}, {said[:200]!r}')
    # A member of the wrong type is no zero: the servers would be looked after in another way than anybody said.
    before = agent.get('/v1/operator/autopilot/configuration')
    for body, member in ((b'{"CleanupDeadServers":"yes"}', 'CleanupDeadServers'), (b'{"MaxTrailingLogs":-4}', 'MaxTrailingLogs'), (b'{"MinQuorum":"3"}', 'MinQuorum')):
        status, _, said = agent.request('PUT', '/v1/operator/autopilot/configuration', body)
        expect(status == 400 and member in said.decode(), f'{body}: status {status}, {said[:200]!r}')
    expect(agent.get('/v1/operator/autopilot/configuration') == before, 'the configuration of autopilot has changed')
    with socket.create_connection((agent.address, agent.http), timeout=10) as connection:
        connection.sendall(b'GET / HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n')
        contains(connection.recv(4096).decode(), 'HTTP/1.1 400')
    expect((agent.get('/v1/jobs') or []) == [], 'a job was registered')


def test_client_that_vanishes_from_a_stream_frees_it(sandbox):
    agent = dev(sandbox)
    agent.run(shell_job('talks', 'while echo x; do sleep 0.01; done'), '-detach')
    alloc = agent.wait_alloc('talks', 'running')

    def descriptors():
        return len(os.listdir(f'/proc/{agent.pid}/fd'))
    agent.get('/v1/jobs')
    before = descriptors()
    for _ in range(20):
        connection = http.client.HTTPConnection(agent.address, agent.http, timeout=10)
        connection.request('GET', f'/v1/client/fs/logs/{alloc["ID"]}?task=t&type=stdout&follow=true&origin=start&plain=true')
        answer = connection.getresponse()
        expect(answer.read(2) == b'x\n', 'the stream')
        answer.close()
        connection.close()
    until('the descriptors of vanished streams to be closed', lambda: descriptors() <= before + 2)


@contextlib.contextmanager
def small_disk(agent):
    """The agent's data directory on a file system of its own, for which it says how to fill it."""
    os.makedirs(agent.data)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=96m,mode=755', 'drover-test', agent.data], check=False, capture_output=True).returncode:
        raise harness.Skip('this machine does not let us mount a tmpfs')
    ballast = os.path.join(agent.data, 'ballast')

    def fill():
        with open(ballast, 'ab', buffering=0) as file:
            for size in (65536, 512):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass
    try:
        yield fill, lambda: os.remove(ballast)
    finally:
        agent.stop()
        for pid in agent.plugins():
            os.kill(pid, 9)
        until('plugins to end', lambda: not agent.plugins())
        subprocess.run(['umount', '-l', agent.data], check=False)


def test_full_disk_refuses_registrations_and_loses_none_that_was_taken(sandbox):
    agent = sandbox.agent()
    with small_disk(agent) as (fill, free):
        agent.start(node=False)
        fill()
        text = shell_job('big', 'true', extra='meta { ballast = "%s" }\nconstraint {\n attribute = "${attr.kernel.name}"\n value = "none"\n}' % ('x' * 900000))
        taken, said = [], None
        while said is None and len(taken) < 100:
            name = f'big{len(taken)}'
            job = agent.call('PUT', '/v1/jobs/parse', {'JobHCL': text.replace('"big"', f'"{name}"')})
            status, _, answer = agent.request('PUT', '/v1/jobs', {'Job': job}, timeout=20)
            if status == 200:
                taken.append(name)
            else:
                said = answer.decode(errors='replace')
        expect(said, 'a full disk took every job')
        contains(said, 'no space left', 'free space')
        agent.get('/v1/jobs')  # reading goes on
        agent.kill9()
        free()
        agent.start(node=False)
        have = [job['ID'] for job in agent.get('/v1/jobs')]
        expect(set(taken) <= set(have), f'taken {taken}, but after the restart there are {have}')
        fill()
        until('a registration to be refused', lambda: agent.request('PUT', '/v1/jobs', {'Job': job})[0] != 200)
        free()
        until('registrations to be taken again', lambda: agent.request('PUT', '/v1/jobs', {'Job': job})[0] == 200)


def test_f39_l08_task_that_ends_on_a_full_disk_while_the_agent_is_killed(sandbox):
    agent = sandbox.agent()
    with small_disk(agent) as (fill, free):
        agent.start()
        job = shell_job('waits', f'while [ ! -e {agent.directory}/stop ]; do sleep 0.01; done; exit 7', kind='batch')
        job = job.replace('group "g" {', 'group "g" {\n    ephemeral_disk {\n      size = 20\n    }')
        agent.run(job.replace('driver =', 'logs {\n        max_files = 1\n        max_file_size = 1\n      }\n      driver ='), '-detach')
        alloc = agent.wait_alloc('waits', 'running')
        fill()
        agent.kill9()
        agent.spawn()
        until('the agent to be up', lambda: answers(agent))
        expect(agent.get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'running', 'the allocation does not run on')
        with open(os.path.join(agent.directory, 'stop'), 'w', encoding='ascii'):
            pass
        until('the task to end', lambda: not any(agent.directory + '/stop' in harness.command_line(pid) for pid in harness.descendants()))
        free()
        done = agent.wait_alloc('waits', 'failed')
        exits = [event['ExitCode'] for event in done['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
        expect(done['ID'] == alloc['ID'] and exits == [7], f'exit codes reported: {exits}')
        agent.stop_jobs()


def answers(agent):
    agent.expect_alive()
    try:
        return agent.request('GET', '/v1/jobs', timeout=5)[0] == 200
    except OSError:
        return False


if __name__ == '__main__':
    harness.main(globals())
