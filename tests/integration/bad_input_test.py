#!/usr/bin/env python3
"""Refusals: each names the thing, the step and the remedy, and leaves nothing behind."""
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


def test_second_agent_on_the_same_directory_names_the_pid(sandbox):
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
    contains(info.get('HealthDescription') or '', 'drover-executor')


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
    with socket.create_connection((agent.address, agent.http), timeout=10) as connection:
        connection.sendall(b'GET / HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n')
        contains(connection.recv(4096).decode(), 'HTTP/1.1 400')
    expect((agent.get('/v1/jobs') or []) == [], 'a job was registered')


def test_client_that_vanishes_from_a_stream_frees_it(sandbox):
    agent = dev(sandbox)
    agent.run(shell_job('talks', 'while echo x; do sleep 0.01; done'))
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


def test_full_disk_is_told_and_survived(sandbox):
    agent = sandbox.agent()
    os.makedirs(agent.data)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=96m,mode=755', 'drover-test', agent.data], check=False, capture_output=True).returncode:
        raise harness.Skip('this machine does not let us mount a tmpfs')
    try:
        agent.start()
        ballast = os.path.join(agent.data, 'ballast')
        with open(ballast, 'wb', buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65536))
            except OSError:
                pass
        job = shell_job('big', 'true', kind='batch', extra='meta { ballast = "%s" }' % ('x' * 900000))
        refusals = []
        for number in range(20):
            status, _, said = agent.request('PUT', '/v1/jobs/parse', {'JobHCL': job.replace('"big"', f'"big{number}"')})
            expect(status == 200, f'parsing: {status} {said[:200]!r}')
            status, _, said = agent.request('PUT', '/v1/jobs', b'{"Job":' + said + b'}', timeout=20)
            if status != 200:
                refusals.append(said.decode(errors='replace'))
                break
        expect(refusals, 'a full disk took every job')
        contains(refusals[0], 'no space left')
        os.remove(ballast)
        agent.run(shell_job('small', 'true', kind='batch'), '-detach')
        agent.wait_alloc('small', 'complete')
        agent.stop_jobs()
        agent.stop()
        for pid in agent.plugins():
            os.kill(pid, 9)
        until('plugins to end', lambda: not agent.plugins())
    finally:
        subprocess.run(['umount', '-l', agent.data], check=False)


if __name__ == '__main__':
    harness.main(globals())
