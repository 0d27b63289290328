#!/usr/bin/env python3
"""Several servers: forming a cluster, losing its leader, catching up, joining, leaving, and a client that follows them."""
import http.client
import json
import os
import re
import threading
import time

import harness
from harness import Failure, contains, expect, until
from jobs import shell_job

SERVER = harness.PLACE + harness.ADVERTISE + '''
name = \"NAME\"
server {{
  enabled = true
  EXPECT
  SETTINGS
  server_join {{
    retry_join = [JOIN]
  }}
}}
'''
CLIENT = harness.PLACE + harness.ADVERTISE + '''
name = \"NAME\"
client {{
  enabled = true
  servers = [JOIN]
  network_interface = "lo"
}}
plugin "raw_exec" {{ config {{ enabled = true }} }}
'''
WORK = ['while :; do sleep 0.2; done']


def fill(agent, **words):
    with open(agent.config, encoding='utf-8') as file:
        text = file.read()
    for name, value in words.items():
        text = text.replace(name, value)
    with open(agent.config, 'w', encoding='utf-8') as file:
        file.write(text)


def addresses(agents):
    return ', '.join(f'"127.0.0.1:{agent.rpc}"' for agent in agents)


def server(sandbox, name, others, expect_servers=0, settings=''):
    """One more server that is to join others; not started."""
    agent = sandbox.agent(name, base=SERVER)
    fill(agent, NAME=name, EXPECT=f'bootstrap_expect = {expect_servers}' if expect_servers else '', JOIN=addresses(others), SETTINGS=settings)
    return agent


def servers(sandbox, count=3, settings=''):
    """Servers that form a cluster, started at the same time; waits until each knows the leader and all vote."""
    agents = [sandbox.agent(f's{i + 1}', base=SERVER) for i in range(count)]
    for i, agent in enumerate(agents):
        fill(agent, NAME=f's{i + 1}', EXPECT=f'bootstrap_expect = {count}', JOIN=addresses(agents), SETTINGS=settings)
        agent.spawn()
    for agent in agents:
        wait_leader(agent)
    return agents


def client(sandbox, agents, name='the-client'):
    """A client that talks to the first of the servers as long as that answers."""
    agent = sandbox.agent(name, base=CLIENT)
    fill(agent, NAME=name, JOIN=addresses(agents))
    agent.spawn()
    until('the client to answer', lambda: ask(agent, '/v1/agent/self'))
    until(f'node "{name}" to be ready', lambda: next((one for one in ask(agent, '/v1/nodes') or []
                                                      if one['Name'] == name and one['Status'] == 'ready' and one['Drivers']['raw_exec']['Healthy']), None), 40)
    return agent


def ask(agent, path, timeout=10):
    """The answer, or None when the agent does not give one."""
    try:
        return agent.get(path, timeout=timeout)
    except (OSError, http.client.HTTPException, Failure):
        if agent.process.poll() is not None:
            raise Failure(f'agent "{agent.name}" ended with status {agent.process.returncode}') from None
        return None


def wait_leader(agent, limit=30.0):
    """The RPC address of the leader as this agent knows it."""
    return until(f'agent "{agent.name}" to know a leader', lambda: ask(agent, '/v1/status/leader'), limit)


def leader_of(agents):
    address = wait_leader(next(one for one in agents if one.process.poll() is None))
    return next(one for one in agents if f'127.0.0.1:{one.rpc}' == address)


def followers(agents):
    leader = leader_of(agents)
    return leader, [one for one in agents if one is not leader]


def applied(agent):
    return int(agent.get('/v1/agent/self')['stats']['raft']['applied_index'])


def job(name, count=1):
    return shell_job(name, WORK[0])


def register(agent, name, timeout=30):
    """Registers a job that fits nowhere: a write and nothing more. True when it was acknowledged."""
    body = {'Job': {'ID': name, 'Name': name, 'Type': 'batch', 'Datacenters': ['nowhere'],
                    'TaskGroups': [{'Name': 'g', 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/true'}}]}]}}
    try:
        status, _, _ = agent.request('PUT', '/v1/jobs', body, timeout=timeout)
        return status == 200
    except (OSError, http.client.HTTPException):
        return False


def peers(agent):
    return {one['Node'].split('.')[0]: one for one in agent.get('/v1/operator/raft/configuration')['Servers']}


def test_three_servers_form_a_cluster_and_run_a_job_registered_at_a_follower(sandbox):
    agents = servers(sandbox)
    for agent in agents:
        expect(agent.get('/v1/status/leader') == agents[0].get('/v1/status/leader'), 'the servers know different leaders')
        expect(sorted(agent.get('/v1/status/peers')) == sorted(f'127.0.0.1:{one.rpc}' for one in agents), 'peers')
        names = [one['Name'] for one in agent.get('/v1/agent/members')['Members']]
        expect(names == ['s1.global', 's2.global', 's3.global'], f'members are {names}')
    leader, rest = followers(agents)
    worker = client(sandbox, agents)
    rest[0].run(job('web'), '-detach')
    alloc = rest[1].wait_alloc('web', 'running')
    # A query parked at a follower sees what is written at another one.
    index, answers = alloc['ModifyIndex'], []
    waiting = threading.Thread(target=lambda: answers.append(rest[0].query('/v1/job/web', rest[0].query('/v1/job/web', 0, 1)[1], 30)))
    waiting.start()
    time.sleep(0.3)
    rest[1].call('DELETE', '/v1/job/web')
    waiting.join(30)
    expect(answers and answers[0][0]['Stop'] is True, f'the parked query answered {answers}')
    # Whoever is asked with `stale` answers itself, and says how old that may be.
    status, headers, _ = rest[0].request('GET', '/v1/jobs?stale')
    expect(status == 200 and headers['x-nomad-knownleader'] == 'true' and int(headers['x-nomad-lastcontact']) < 5000, f'{headers}')
    status, headers, _ = leader.request('GET', '/v1/jobs?consistent')
    expect(status == 200 and headers['x-nomad-lastcontact'] == '0', f'{headers}')
    status, _, _ = rest[0].request('GET', '/v1/jobs?consistent')
    expect(status == 200, 'a consistent read at a follower')
    contains(rest[0].cli('server', 'members'), 's1.global', 's2.global', 's3.global')
    contains(rest[0].cli('operator', 'raft', 'list-peers'), 'leader', 'follower')
    expect(index > 0 and worker.process.poll() is None, 'the client lives')


def test_F_61_a_killed_leader_is_replaced_and_nothing_acknowledged_is_lost(sandbox):
    agents = servers(sandbox)
    worker = client(sandbox, agents)
    leader, rest = followers(agents)
    rest[0].run(job('web'), '-detach')
    alloc = rest[0].wait_alloc('web', 'running')
    acknowledged = [f'before-{i}' for i in range(20) if register(rest[i % 2], f'before-{i}')]
    expect(len(acknowledged) == 20, f'only {len(acknowledged)} of 20 writes were acknowledged')
    leader.kill9()
    died = time.monotonic()
    until('the next write to be acknowledged', lambda: register(rest[0], 'after'), 20, 0.005)
    print(f'  first write {time.monotonic() - died:.2f} s after the leader was killed', flush=True)
    jobs = {one['ID'] for one in rest[1].get('/v1/jobs')}
    expect(jobs >= set(acknowledged) | {'after', 'web'}, f'lost: {set(acknowledged) - jobs}')
    # The task and its client have noticed nothing.
    again = rest[1].wait_alloc('web', 'running')
    expect(again['ID'] == alloc['ID'] and again['TaskStates'] == alloc['TaskStates'], 'the task noticed')
    until('the client to be ready', lambda: [one for one in rest[0].get('/v1/nodes') if one['Status'] == 'ready'])
    # The killed server comes back and catches up.
    leader.spawn()
    until('the killed server to catch up', lambda: (ask(leader, '/v1/status/leader') and
                                                    applied(leader) >= applied(rest[0])), 30)
    expect({one['ID'] for one in leader.get('/v1/jobs?stale')} >= jobs, 'the server that came back lacks jobs')
    expect(worker.process.poll() is None, 'the client lives')


def test_a_server_killed_while_the_cluster_begins_does_not_stop_it(sandbox):
    """Whoever took the first configuration hands it out again after a restart."""
    agents = [sandbox.agent(f's{i + 1}', base=SERVER) for i in range(3)]
    for i, agent in enumerate(agents):
        fill(agent, NAME=f's{i + 1}', EXPECT='bootstrap_expect = 3', JOIN=addresses(agents), SETTINGS='')
    sandbox.arm('cluster.begun', 'self')
    for agent in agents:
        agent.spawn()
    died = until('one server to die', lambda: [agent for agent in agents if agent.process.poll() is not None])
    time.sleep(0.5)
    died[0].spawn()
    for agent in agents:
        wait_leader(agent)
    until('three servers', lambda: sorted(peers(agents[0])) == ['s1', 's2', 's3'])
    expect(register(agents[0], 'job'), 'a write')


def test_F_63_without_a_quorum_writes_fail_soon_and_stale_reads_work(sandbox):
    agents = servers(sandbox)
    expect(register(agents[0], 'kept'), 'a write')
    leader, rest = followers(agents)
    until('all to have it', lambda: all('kept' in {one['ID'] for one in agent.get('/v1/jobs?stale')} for agent in agents))
    leader.kill9()
    rest[0].kill9()
    left = rest[1]
    until('the last one to know no leader', lambda: left.request('GET', '/v1/jobs?stale')[1]['x-nomad-knownleader'] == 'false')
    status, _, text = left.request('PUT', '/v1/system/gc', timeout=30)
    expect(status == 500 and b'No cluster leader' in text, f'{status} {text}')
    expect([one['ID'] for one in left.get('/v1/jobs?stale')] == ['kept'], 'a stale read')
    rest[0].spawn()
    until('a write with two of three', lambda: register(left, 'again'), 30)


def test_F_64_all_servers_killed_at_once_keep_every_acknowledged_write(sandbox):
    agents = servers(sandbox)
    acknowledged = []
    for turn in range(harness.ROUNDS // 5 + 1):
        for i in range(10):
            name = f'job-{turn}-{i}'
            if register(agents[i % 3], name):
                acknowledged.append(name)
        stop = threading.Event()

        def keep_writing(agent, number, turn=turn, stop=stop):
            for i in range(1000):
                if stop.is_set():
                    return
                if register(agent, f'late-{turn}-{number}-{i}', 5):
                    acknowledged.append(f'late-{turn}-{number}-{i}')
        writers = [threading.Thread(target=keep_writing, args=(agent, i)) for i, agent in enumerate(agents)]
        for one in writers:
            one.start()
        until('writes to be under way', lambda: len(acknowledged) > 15 * (turn + 1))
        for agent in agents:
            agent.process.kill()
        stop.set()
        for agent in agents:
            agent.process.wait()
        for one in writers:
            one.join()
        for agent in agents:
            agent.spawn()
        for agent in agents:
            wait_leader(agent)
        jobs = {one['ID'] for one in agents[turn % 3].get('/v1/jobs')}
        expect(jobs >= set(acknowledged), f'lost: {sorted(set(acknowledged) - jobs)}')


def test_an_empty_server_gets_a_snapshot(sandbox):
    agents = servers(sandbox, settings='raft_snapshot_threshold = 50\n  raft_trailing_logs = 10')
    leader, rest = followers(agents)
    rest[0].kill9()
    for i in range(120):
        expect(register(leader, f'job-{i}'), f'write {i}')
    until('the leader to have a snapshot', lambda: int(leader.get('/v1/agent/self')['stats']['raft']['last_snapshot_index']) > 60)
    # Its disk is replaced: same name and address, another server.
    os.rename(rest[0].data, rest[0].data + '.lost')
    rest[0].spawn()
    until('the new server to catch up', lambda: ask(rest[0], '/v1/status/leader') and applied(rest[0]) >= applied(leader), 40)
    expect(len(rest[0].get('/v1/jobs?stale')) == 120, 'the new server lacks jobs')
    contains(rest[0].log_tail(2000), 'received a snapshot')
    expect(sorted(peers(leader)) == ['s1', 's2', 's3'], f'the servers are {sorted(peers(leader))}')


def quick_autopilot(agent, stabilization='200ms'):
    """Servers vote soon, and dead ones go soon."""
    config = agent.get('/v1/operator/autopilot/configuration')
    config['ServerStabilizationTime'] = stabilization
    expect(agent.call('PUT', '/v1/operator/autopilot/configuration', config) is True, 'the autopilot configuration was not taken')


def all_healthy(agent):
    """What autopilot says of three servers once its leader has heard from each of them."""
    return until('all to be well', lambda: next((one for one in [json.loads(agent.request('GET', '/v1/operator/autopilot/health')[2])]
                                                 if one.get('FailureTolerance') == 1), None), 30)


def test_a_lone_server_gets_company_and_loses_it(sandbox):
    first = server(sandbox, 's1', [], 1)
    first.start(node=False)
    for i in range(5):
        expect(register(first, f'job-{i}'), f'write {i}')
    quick_autopilot(first)
    second, third = (server(sandbox, name, [first]) for name in ('s2', 's3'))
    for one in (second, third):
        one.spawn()
        wait_leader(one)
    until('three voters', lambda: [name for name, one in peers(first).items() if one['Voter']].__len__() == 3, 30)
    until('the new ones to have everything', lambda: all(len(one.get('/v1/jobs?stale')) == 5 for one in (second, third)))
    # The one that was promoted last counts from the next round on.
    health = all_healthy(first)
    expect(health['Healthy'] and health['FailureTolerance'] == 1 and len(health['Voters']) == 3, json.dumps(health))
    contains(second.cli('operator', 'autopilot', 'health'), 's1.global', 's2.global', 's3.global')
    contains(second.cli('operator', 'autopilot', 'get-config'), 'ServerStabilizationTime = 200ms', 'CleanupDeadServers = true')
    second.cli('operator', 'autopilot', 'set-config', '-cleanup-dead-servers=false')
    contains(third.cli('operator', 'autopilot', 'get-config'), 'CleanupDeadServers = false')
    # The leadership moves to where it is told.
    leader, rest = followers([first, second, third])
    rest[0].cli('operator', 'raft', 'transfer-leadership', '-peer-address', f'127.0.0.1:{rest[0].rpc}')
    until('the new leader', lambda: leader_of([first, second, third]) is rest[0])
    expect(register(leader, 'after-transfer'), 'a write after the transfer')
    # The leader itself is taken out: another one leads first, and does it.
    gone, staying = rest[0], [leader, rest[1]]
    name = gone.config.split('/')[-2]
    staying[0].cli('operator', 'raft', 'remove-peer', '-peer-id', peers(staying[0])[name]['ID'])
    until('two servers', lambda: name not in peers(staying[0]) and len(peers(staying[0])) == 2)
    expect(register(staying[0], 'with-two'), 'a write with two servers')
    # It notices that it was taken out, and joins again.
    until('it to join again', lambda: name in peers(staying[0]), 30)
    until('three voters again', lambda: [n for n, one in peers(staying[0]).items() if one['Voter']].__len__() == 3, 30)
    staying[0].cli('server', 'force-leave', 'nobody')
    expect(len(peers(staying[0])) == 3, 'a server left that nobody named')


def test_a_dead_server_is_taken_out_and_comes_back(sandbox):
    agents = servers(sandbox)
    quick_autopilot(agents[0])
    leader, rest = followers(agents)
    dead, left = rest
    name = dead.config.split('/')[-2]
    dead.kill9()
    until('the dead server to be shown as failed', lambda: [one for one in left.get('/v1/agent/members')['Members']
                                                            if one['Name'] == f'{name}.global' and one['Status'] == 'failed'], 20)
    until('the dead server to be taken out', lambda: name not in peers(left), 30)
    expect(register(left, 'without-it'), 'a write')
    dead.spawn()
    until('the server to join again and vote', lambda: peers(left).get(name, {}).get('Voter'), 30)
    until('it to catch up', lambda: 'without-it' in {one['ID'] for one in dead.get('/v1/jobs?stale')})


def test_a_server_joins_by_command_and_one_of_another_cluster_is_refused(sandbox):
    first = server(sandbox, 's1', [], 1).start(node=False)
    expect(register(first, 'ours'), 'a write')
    second = server(sandbox, 's2', [])
    second.spawn()
    until('the second server to answer', lambda: ask(second, '/v1/agent/self'))
    contains(second.cli('server', 'join', f'127.0.0.1:{first.rpc}'), 'Joined 1 servers')
    until('two servers', lambda: sorted(peers(first)) == ['s1', 's2'])
    until('the second one to have the job', lambda: 'ours' in {one['ID'] for one in second.get('/v1/jobs?stale')})
    contains(first.cli('server', 'join', '127.0.0.1:1', status=1), 'failed to join 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused')
    stranger = server(sandbox, 'other', [], 1).start(node=False)
    expect(register(stranger, 'theirs'), 'a write')
    contains(stranger.cli('server', 'join', f'127.0.0.1:{first.rpc}', status=1), 'belongs to another cluster')
    expect(sorted(peers(first)) == ['s1', 's2'] and sorted(peers(stranger)) == ['other'], 'the clusters are as they were')
    expect(register(first, 'on') and register(stranger, 'on'), 'both go on')


def test_F_66_a_snapshot_is_saved_restored_and_refused(sandbox):
    agents = servers(sandbox)
    for i in range(10):
        expect(register(agents[i % 3], f'job-{i}'), f'write {i}')
    leader, rest = followers(agents)
    path = f'{sandbox.directory}/backup.snap'
    contains(rest[0].cli('operator', 'snapshot', 'save', path), f'State file written to {path}')
    contains(rest[0].cli('operator', 'snapshot', 'inspect', path), 'Index', 'Total', 'Job')
    status, headers, body = rest[0].request('GET', '/v1/operator/snapshot')
    expect(status == 200 and headers['digest'].startswith('sha-256=') and headers['content-type'] == 'application/x-gzip', f'{headers}')
    for i in range(5):
        expect(register(agents[i % 3], f'later-{i}'), f'write {i}')
    jobs = {one['ID'] for one in rest[1].get('/v1/jobs')}
    for wrong in (body[:-100], body[:200] + bytes([body[200] ^ 1]) + body[201:], b'not a snapshot'):
        status, _, text = rest[0].request('PUT', '/v1/operator/snapshot', wrong)
        expect(status == 500 and b'failed to restore from snapshot' in text, f'{status} {text}')
    expect({one['ID'] for one in rest[1].get('/v1/jobs')} == jobs, 'a refused file changed something')
    contains(rest[1].cli('operator', 'snapshot', 'restore', path), 'Snapshot Restored')
    want = {f'job-{i}' for i in range(10)}
    until('every server to have the old state', lambda: all({one['ID'] for one in agent.get('/v1/jobs?stale')} == want for agent in agents))
    expect(register(rest[0], 'after'), 'a write after the restore')
    # Into another, empty cluster: its index goes on behind that of the file.
    other = server(sandbox, 'other', [], 1).start(node=False)
    contains(other.cli('operator', 'snapshot', 'restore', path), 'Snapshot Restored')
    expect({one['ID'] for one in other.get('/v1/jobs')} == want, 'the other cluster has other jobs')
    before = other.get('/v1/job/job-9')['ModifyIndex']
    expect(register(other, 'after'), 'a write')
    expect(other.get('/v1/job/after')['ModifyIndex'] > before, 'the index went back')
    other.kill9()
    other.start(node=False)
    expect({one['ID'] for one in other.get('/v1/jobs')} == want | {'after'}, 'the restored state did not survive a restart')
    expect(leader.process.poll() is None, 'the leader lives')


def test_F_68_one_server_is_recovered_after_the_others_are_lost(sandbox):
    agents = servers(sandbox)
    for i in range(10):
        expect(register(agents[i % 3], f'job-{i}'), f'write {i}')
    leader, rest = followers(agents)
    left = rest[0]
    until('it to have everything', lambda: len(left.get('/v1/jobs?stale')) == 10)
    for agent in agents:
        agent.kill9()
    contains(left.cli('operator', 'raft', 'info', left.data), 'Last Index', 's1', 's2', 's3')
    name = left.config.split('/')[-2]
    text = left.cli('operator', 'raft', 'recover', '-dry-run', left.data)
    contains(text, 'Servers afterwards', 'Nothing was changed')
    expect(not os.path.exists(f'{left.data}/server/raft/peers.json'), 'a dry run changed something')
    left.cli('operator', 'raft', 'recover', left.data)
    left.spawn()
    wait_leader(left)
    expect(list(peers(left)) == [name], f'the servers are {list(peers(left))}')
    expect(len(left.get('/v1/jobs')) == 10 and register(left, 'after'), 'the recovered server lacks jobs')
    # The others come back empty.
    quick_autopilot(left)
    for agent in (leader, rest[1]):
        os.rename(agent.data, agent.data + '.lost')
        agent.spawn()
    until('three voters again', lambda: [n for n, one in peers(left).items() if one['Voter']].__len__() == 3, 40)
    contains(left.cli('operator', 'raft', 'info', left.data, status=1), 'Stop the agent first')


def test_requests_for_a_node_reach_it_through_any_server(sandbox):
    agents = servers(sandbox)
    client(sandbox, agents)
    agents[0].run(shell_job('talks', 'echo hello from the task; while :; do sleep 0.2; done'), '-detach')
    alloc = agents[0].wait_alloc('talks', 'running')
    for agent in agents:
        until(f'the log through {agent.name}', lambda agent=agent: 'hello from the task' in agent.logs(alloc['ID'], 't'))
        contains(agent.cli('alloc', 'logs', alloc['ID']), 'hello from the task')


def test_requests_for_a_node_reach_it_through_the_agent_of_another(sandbox):
    """Each client talks to a server of its own: one agent's request goes to its server, from there to the other's, and from there to the node."""
    agents = servers(sandbox)
    clients = [client(sandbox, agents[i:] + agents[:i], f'node-{i}') for i in range(3)]
    ids = {one['Name']: one['ID'] for one in agents[0].get('/v1/nodes')}
    text = shell_job('talks', 'echo hello from the task > said; echo hello from the task; while :; do sleep 0.2; done',
                     extra='constraint { distinct_hosts = true }')
    agents[0].run(text.replace('group "g" {', 'group "g" {\n    count = 3'), '-detach')
    until('three allocations', lambda: sum(one['ClientStatus'] == 'running' for one in agents[0].get('/v1/job/talks/allocations')) == 3, 40)
    for alloc in agents[0].get('/v1/job/talks/allocations'):
        for agent in clients:
            until(f'the log through {agent.name}', lambda agent=agent, alloc=alloc: 'hello from the task' in agent.logs(alloc['ID'], 't'))
            contains(agent.cli('alloc', 'logs', alloc['ID']), 'hello from the task')
            contains(agent.cli('alloc', 'fs', alloc['ID'], 't/said'), 'hello from the task')
            contains(agent.cli('alloc', 'exec', '-t=false', '-i=false', alloc['ID'], '/bin/echo', 'from inside'), 'from inside')
            expect(agent.get(f'/v1/client/allocation/{alloc["ID"]}/stats')['Tasks'], 'the figures of the tasks')
    for agent in clients:
        for name, node in ids.items():
            expect(agent.get(f'/v1/client/stats?node_id={node}')['Memory'], f'the figures of {name}')
    # A node that has gone is looked for everywhere once, and then said to be away; nobody asks in circles.
    agents[0].stop_jobs()
    clients[2].kill9()
    lost = ids['node-2']
    until('the node to be away', lambda: clients[0].request('GET', f'/v1/client/stats?node_id={lost}')[0] == 404)
    contains(clients[0].request('GET', f'/v1/client/stats?node_id={lost}')[2].decode(), 'No path to node')
    status, headers, _ = agents[0].request('GET', f'/v1/client/stats?node_id={lost}')
    expect(status == 404 and not [name for name in headers if name.lower().startswith('x-drover')], f'{status} {headers}')


def test_the_commands_of_the_document_work(sandbox):
    """Every line of docs/clusters.md that is for a shell, in its order, on three servers."""
    with open(os.path.join(harness.ROOT, 'docs/clusters.md'), encoding='utf-8') as file:
        blocks = re.findall(r'```sh\n(.*?)```', file.read(), re.S)
    agents = servers(sandbox)
    quick_autopilot(agents[0])
    for agent in agents:
        expect(register(agent, f'job-of-{agent.name}'), 'a write')
    stopped = False
    for line in [one for block in blocks for one in block.splitlines() if one]:
        words = line.split()
        expect(words[0] == 'drover', f'"{line}" is no command of ours')
        asked = agents[0]
        if words[1:3] == ['operator', 'raft'] and words[3] in ('info', 'recover') and not stopped:
            for agent in agents:
                agent.kill9()
            stopped = True
        if not stopped:
            until('three voters', lambda: sum(one['Voter'] for one in peers(agents[0]).values()) == 3, 40)
            all_healthy(agents[0])
        known = {} if stopped else peers(agents[0])
        words = [word.replace('10.0.0.1:4647', f'127.0.0.1:{agents[0].rpc}').replace('10.0.0.2:4647', f'127.0.0.1:{agents[1].rpc}')
                 .replace('/var/lib/drover', asked.data).replace('backup.snap', f'{sandbox.directory}/backup.snap')
                 .replace('=30s', '=200ms') for word in words[1:]]
        if '-peer-id' in words:
            words[-1] = known['s3']['ID']
        asked.cli(*words)
    agents[0].spawn()
    wait_leader(agents[0])
    expect(len(agents[0].get('/v1/jobs')) == 3, 'jobs are missing')


if __name__ == '__main__':
    harness.main(globals())
