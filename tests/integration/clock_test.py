#!/usr/bin/env python3
"""F-50, L-10: agents whose date is set hours and years forward and back while they run. Every agent here sees a date of its own: the real one
and the seconds in its file "wall-clock" (sdk/base/clock.cc). Time passes as ever; that is the point."""
import os
import re
import shutil
import subprocess

import harness
from cluster_test import CLIENT, SERVER, addresses, ask, fill, followers, leader_of, wait_leader
from harness import Failure, expect, until
from jobs import shell_job

DAY, YEAR = 86400, 365 * 86400
SETS = [DAY, -DAY, 10 * YEAR, -10 * YEAR, 3600, 0]
# Jobs that are garbage are looked for every second, and kept for hours.
GARBAGE = '''
  job_gc_interval = "1s"
  job_gc_threshold = "4h"
'''


def dated(agent):
    """Gives the agent a date of its own, before it is started."""
    points = os.path.join(agent.directory, 'points')
    os.mkdir(points)
    agent.environment['DROVER_FAIL_POINTS'] = points
    return agent


def set_date(agent, seconds):
    path = os.path.join(agent.directory, 'points', 'wall-clock')
    with open(path + '~', 'w', encoding='ascii') as file:
        file.write(str(seconds))
    os.rename(path + '~', path)


def cluster(sandbox):
    agents = [dated(sandbox.agent(f's{i + 1}', base=SERVER)) for i in range(3)]
    for agent in agents:
        fill(agent, NAME=agent.name, EXPECT='bootstrap_expect = 3', JOIN=addresses(agents), SETTINGS=GARBAGE)
        agent.spawn()
    for agent in agents:
        wait_leader(agent)
    worker = dated(sandbox.agent('the-client', base=CLIENT))
    fill(worker, NAME=worker.name, JOIN=addresses(agents))
    worker.spawn()
    until('the node to be ready', lambda: next((one for one in ask(agents[0], '/v1/nodes') or []
                                                if one['Status'] == 'ready' and one['Drivers']['raw_exec']['Healthy']), None), 40)
    return agents, worker


def term(agent):
    return agent.get('/v1/agent/self')['stats']['raft']['term']


def times_noticed(agent):
    with open(agent.log, encoding='utf-8', errors='replace') as file:
        return file.read().count('the date of this machine was set')


def nothing_job(name, **more):
    return {'Job': {'ID': name, 'Type': 'service', 'Datacenters': ['nowhere'], **more, 'TaskGroups': [
        {'Name': 'g', 'Count': 0, 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/true'}}]}]}}


def work_goes_on(agent, name):
    evaluation = agent.call('PUT', '/v1/jobs', nothing_job(name))['EvalID']
    until(f'the evaluation of "{name}"', lambda: agent.get(f'/v1/evaluation/{evaluation}')['Status'] == 'complete', 60)


def children(agent, parent):
    return [one['ID'] for one in agent.get('/v1/jobs?prefix=' + parent + '/')]


def test_f50_the_date_of_the_leader_is_set(sandbox):
    agents, worker = cluster(sandbox)
    leader, rest = followers(agents)
    rest[0].run(shell_job('stays', 'while :; do sleep 1; done'), '-detach')
    alloc = rest[0].wait_alloc('stays', 'running')
    rest[0].run(shell_job('done', 'true', kind='batch'), '-detach')
    done = rest[0].wait_alloc('done', 'complete')['ID']
    until('the batch job to be dead', lambda: rest[0].get('/v1/job/done')['Status'] == 'dead')
    yearly = nothing_job('yearly', Periodic={'Enabled': True, 'Spec': '0 0 1 1 *', 'SpecType': 'cron', 'TimeZone': 'UTC'})
    yearly['Job']['Type'] = 'batch'
    rest[0].call('PUT', '/v1/jobs', yearly)
    first_term, node = term(leader), rest[0].get('/v1/nodes')[0]['ID']
    for turn, seconds in enumerate(SETS):
        before = times_noticed(leader)
        set_date(leader, seconds)
        until(f'the leader to see that its date was set to {seconds:+}', lambda before=before: times_noticed(leader) > before, 120)
        work_goes_on(rest[0], f'turn{turn}')
        expect(leader_of(agents) is leader and term(leader) == first_term, f'{seconds:+}: there is another leader, or another term')
        expect(rest[1].get(f'/v1/node/{node}')['Status'] == 'ready', f'{seconds:+}: the node is not ready')
        now = rest[1].get(f'/v1/allocation/{alloc["ID"]}')
        expect((now['ClientStatus'], now['DesiredStatus']) == ('running', 'run'), f'{seconds:+}: the allocation: {now["ClientStatus"]}')
        expect(len(rest[1].get('/v1/job/stays/allocations')) == 1, f'{seconds:+}: the job was placed again')
        expect(rest[1].request('GET', f'/v1/allocation/{done}')[0] == 200, f'{seconds:+}: what has just ended was collected')
        # Ten years ahead one launch was missed, however many they were; none is repeated.
        expect(len(children(rest[1], 'yearly')) <= 1, f'{seconds:+}: launches: {children(rest[1], "yearly")}')
    expect(len(children(rest[1], 'yearly')) == 1, f'launches: {children(rest[1], "yearly")}')
    leader.stop_jobs()
    for agent in [worker, *agents]:
        agent.stop()


def test_f50_the_date_of_followers_and_of_a_client_is_set(sandbox):
    agents, worker = cluster(sandbox)
    leader, rest = followers(agents)
    first_term, node = term(leader), rest[0].get('/v1/nodes')[0]['ID']
    leader.run(shell_job('stays', 'while :; do sleep 1; done'), '-detach')
    alloc = leader.wait_alloc('stays', 'running')
    for seconds in (10 * YEAR, -10 * YEAR):
        for agent in [*rest, worker]:
            set_date(agent, seconds)
        name = f'web{seconds}'.replace('-', 'back')
        # A deployment succeeds: health is timed on the client, progress on the leader.
        leader.run(shell_job(name, 'while :; do sleep 1; done', extra='update {\n min_healthy_time = "10ms"\n healthy_deadline = "4m"\n progress_deadline = "5m"\n}'), '-detach')
        until(f'{seconds:+}: the deployment of "{name}" to succeed', lambda name=name: any(
            one['Status'] == 'successful' for one in leader.get(f'/v1/job/{name}/deployments')), 60)
        # A task that fails is restarted after its pause, and its allocation replaced after that of its group.
        name = 'fails' + name
        leader.run(shell_job(name, 'exit 3', kind='batch', restart='attempts = 1\n delay = "100ms"\n interval = "1h"\n mode = "fail"',
                             extra='reschedule {\n attempts = 1\n interval = "24h"\n delay = "5s"\n delay_function = "constant"\n unlimited = false\n}'), '-detach')
        until(f'{seconds:+}: "{name}" to be placed again and to fail for good', lambda name=name: sorted(
            (one['ClientStatus'], one['TaskStates']['t']['Restarts']) for one in leader.get(f'/v1/job/{name}/allocations')
            if one['TaskStates']) == [('failed', 1), ('failed', 1)], 60)
        expect(leader_of(agents) is leader and term(leader) == first_term, f'{seconds:+}: there is another leader, or another term')
        expect(leader.get(f'/v1/node/{node}')['Status'] == 'ready', f'{seconds:+}: the node is not ready')
        expect(leader.get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'running', f'{seconds:+}: the allocation runs')
    # One of the dated servers takes over: it gives nodes the time they have by its clock, which runs as everybody's.
    leader.kill9()
    until('another server to lead', lambda: ask(rest[0], '/v1/status/leader') not in ('', None, f'127.0.0.1:{leader.rpc}'), 60)
    rest[0].run(shell_job('after', 'while :; do sleep 1; done'), '-detach')
    rest[0].wait_alloc('after', 'running', 60)
    expect(rest[1].get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'running', 'the allocation of before runs')
    rest[0].stop_jobs()
    for agent in [worker, *rest]:
        agent.stop()


def test_f50_no_thread_waits_by_the_date(sandbox):
    """When the kernel's clock is set back, whoever waits by it waits so much longer; here that was gRPC's timers."""
    if shutil.which('strace') is None:
        print('skipped: strace is not installed')
        return
    agents, worker = cluster(sandbox)
    leader = leader_of(agents)
    trace = subprocess.Popen(['strace', '-f', '-q', '-e', 'trace=futex,clock_nanosleep,timerfd_settime', '-p', str(leader.pid)],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    timed = 0
    try:
        for line in trace.stderr:
            # Waits without an end name that clock as well, and sleeps of some length, which do not go by it.
            wrong = r'CLOCK_REALTIME, TIMER_ABSTIME|futex.*CLOCK_REALTIME.*tv_sec'
            expect(not re.search(wrong, line), f'a wait by the date: {line}')
            timed += bool(re.search(r'FUTEX_WAIT_BITSET.*tv_sec', line))
            if timed >= 20:
                break
    finally:
        trace.terminate()
        trace.wait()
    expect(timed >= 20, 'strace saw too few waits that have an end')
    for agent in [worker, *agents]:
        agent.stop()


if __name__ == '__main__':
    harness.need_root()
    harness.main(globals())
