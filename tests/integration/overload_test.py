#!/usr/bin/env python3
"""What must not bring servers down: storms of evaluations, jobs that are far too large, a full disk, nodes that flap. Each
is answered clearly, the rest goes on, and nothing acknowledged is lost."""
import concurrent.futures
import json
import os
import subprocess

import harness
from cluster_test import SERVER, addresses, ask, client, fill, leader_of, register, server, wait_leader
from harness import contains, expect, until
from jobs import shell_job


def resident_mib(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS:')) / 1024


def evals(agent, job=None):
    return agent.get(f'/v1/job/{job}/evaluations' if job else '/v1/evaluations') or []


def count_job(name, count, datacenter='dc1'):
    return {'Job': {'ID': name, 'Name': name, 'Type': 'batch', 'Datacenters': [datacenter], 'TaskGroups': [
        {'Name': 'g', 'Count': count, 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/sleep', 'args': ['1000']},
                                                 'Resources': {'CPU': 1000, 'MemoryMB': 10}}]}]}}


def test_F_71_a_storm_of_evaluations_is_worked_off_and_writes_go_on(sandbox):
    """Two thousand blocked evaluations at once, when the node comes that all of them wait for."""
    agent = server(sandbox, 's1', [], 1, settings='job_max_count = 0').start(node=False)
    jobs = 2000 if harness.LONG else 400

    def put(number):
        status, _, text = agent.request('PUT', '/v1/jobs', count_job(f'job-{number}', 1))
        return status == 200 or text
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(put, range(jobs)))
    expect(all(one is True for one in results), f'{[one for one in results if one is not True][:3]}')
    until('every evaluation to be blocked', lambda: sum(one['Status'] == 'blocked' for one in evals(agent)) == jobs, 60)
    client(sandbox, [agent])
    # Writes and reads are answered while the storm is worked off.
    for i in range(20):
        expect(register(agent, f'meanwhile-{i}'), f'write {i}')
        expect(agent.get(f'/v1/job/meanwhile-{i}')['ID'], 'a read')
    until('the broker to have nothing to do', lambda: not [one for one in evals(agent) if one['Status'] == 'pending'], 60)
    placed = len(agent.get('/v1/allocations'))
    blocked = {one['JobID'] for one in evals(agent) if one['Status'] == 'blocked'}
    expect(placed > 0 and placed + len([one for one in blocked if one.startswith('job-')]) == jobs, f'{placed} placed, {len(blocked)} blocked')
    for i in range(jobs):
        agent.call('DELETE', f'/v1/job/job-{i}')


def test_a_job_of_a_million_allocations_is_refused_or_blocked_and_memory_stays(sandbox):
    agent = server(sandbox, 's1', [], 1).start(node=False)
    status, _, text = agent.request('PUT', '/v1/jobs', count_job('too-large', 1_000_000))
    expect(status != 200, f'status {status}')
    contains(text.decode(), 'total count was greater than configured job_max_count: 1000000 > 50000')
    expect(not agent.get('/v1/jobs'), 'the job was stored')
    other = server(sandbox, 's2', [], 1, settings='job_max_count = 0').start(node=False)
    client(sandbox, [other])
    before = resident_mib(other.pid)
    body = count_job('large', 1_000_000)
    expect(other.call('PUT', '/v1/jobs', body)['EvalID'], 'an evaluation')
    until('the evaluation to be done', lambda: [one for one in evals(other, 'large') if one['Status'] == 'blocked'], 60)
    blocked = next(one for one in evals(other, 'large') if one['Status'] == 'blocked')
    expect('g' in blocked['FailedTGAllocs'], json.dumps(blocked)[:500])
    placed = other.get('/v1/job/large/allocations')
    summary = other.get('/v1/job/large/summary')['Summary']['g']
    expect(len(placed) >= 1 and summary['Queued'] == 1_000_000 - len(placed), f'{len(placed)} placed, {summary}')
    # Room for the names and requests of one evaluation, not for a million allocations.
    grown = resident_mib(other.pid) - before
    expect(grown < 1024, f'the server grew by {grown:.0f} MiB')
    expect(register(other, 'after'), 'a write afterwards')
    other.call('DELETE', '/v1/job/large')


class SmallDisk:
    """A file system of its own at a directory."""

    def __init__(self, path, mib):
        self.path = path
        os.makedirs(path)
        result = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={mib}m', 'tmpfs', path], check=False, capture_output=True, text=True)
        if result.returncode:
            raise harness.Skip(f'mounting a tmpfs: {result.stderr.strip()}')

    def fill(self):
        with open(f'{self.path}/ballast', 'wb', buffering=0) as file:
            try:
                while True:
                    file.write(b'x' * 65536)
            except OSError:
                pass

    def free(self):
        os.unlink(f'{self.path}/ballast')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(['umount', '-l', self.path], check=False)


def test_F_62_a_follower_whose_disk_is_full_steps_out_and_comes_back(sandbox):
    agents = [sandbox.agent(f's{i + 1}', base=SERVER) for i in range(3)]
    with SmallDisk(agents[2].data, 64) as disk:
        for agent in agents:
            fill(agent, NAME=agent.name, EXPECT='bootstrap_expect = 3', JOIN=addresses(agents), SETTINGS='')
            agent.spawn()
        for agent in agents:
            wait_leader(agent)
        if leader_of(agents) is agents[2]:
            agents[0].cli('operator', 'raft', 'transfer-leadership', '-peer-address', f'127.0.0.1:{agents[0].rpc}')
            until('another leader', lambda: leader_of(agents) is agents[0])
        expect(register(agents[0], 'before'), 'a write')
        disk.fill()
        # More than what was prepared for the log.
        filler = 'x' * 200_000
        body = count_job('filler', 1, 'nowhere')
        for i in range(200):
            body['Job']['Meta'] = {'filler': filler, 'number': str(i)}
            expect(agents[0].request('PUT', '/v1/jobs', body)[0] == 200, f'write {i}')
        until('the full server to say so', lambda: 'read-only until there is room' in agents[2].log_tail(4000))
        expect(agents[2].process.poll() is None, 'the server with the full disk lives')
        expect(register(agents[1], 'meanwhile'), 'a write while the disk is full')
        disk.free()
        until('the server to catch up', lambda: 'meanwhile' in {one['ID'] for one in ask(agents[2], '/v1/jobs?stale') or []}, 60)
        for agent in agents:
            agent.kill9()


def test_a_node_that_flaps_makes_few_evaluations(sandbox):
    """Its agent dies and comes back again and again: the task lives on, and each return costs the servers a handful of evaluations."""
    agent = server(sandbox, 's1', [], 1).start(node=False)
    node = client(sandbox, [agent])
    agent.run(shell_job('lasting', 'while :; do sleep 0.2; done'), '-detach')
    alloc = agent.wait_alloc('lasting', 'running', 40)
    turns = 10
    for _ in range(turns):
        node.kill9()
        node.spawn()
        until('the node to answer', lambda: ask(node, '/v1/agent/self'))
    until('the node to be ready', lambda: agent.get('/v1/nodes')[0]['Status'] == 'ready', 40)
    until('nothing to be under way', lambda: not [one for one in evals(agent) if one['Status'] == 'pending'], 40)
    now = agent.get('/v1/job/lasting/allocations')
    expect([one['ID'] for one in now] == [alloc['ID']] and now[0]['ClientStatus'] == 'running', json.dumps(now)[:500])
    expect(len(evals(agent)) <= 2 + 3 * turns, f'{len(evals(agent))} evaluations')
    expect(len(agent.get('/v1/nodes')) == 1, 'the node is there once')


if __name__ == '__main__':
    harness.main(globals())
