#!/usr/bin/env python3
"""The agent measured from outside, as a client sees it: start latency, batch rate, memory, restart, cold start, API. Prints one table.
`bench/scenarios.py NAME...` runs only those. Nothing here is asserted but that the work was really done."""
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'tests', 'integration'))
import cluster_test  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position
from jobs import shell_job  # noqa: E402  pylint: disable=wrong-import-position

STARTS = int(os.environ.get('STARTS', '50'))
TASKS = int(os.environ.get('TASKS', '100'))
BATCH = int(os.environ.get('BATCH', '1000'))
EXEC = int(os.environ.get('EXEC', '1000'))
STATE = int(os.environ.get('STATE', '256'))  # MiB
FAILOVERS = int(os.environ.get('FAILOVERS', '20'))
CLUSTER = [int(number) for number in os.environ.get('CLUSTER', '1000 100 1000').split()]  # nodes, jobs, allocations of a job
REGISTRATIONS = int(os.environ.get('REGISTRATIONS', '20000'))


def row(figure, value):
    print(f'| {figure} | {value} |', flush=True)


def milliseconds(samples):
    ordered = sorted(samples)
    return f'p50 {statistics.median(ordered) * 1000:.2f} ms, p90 {ordered[int(len(ordered) * 0.9)] * 1000:.2f} ms, n {len(ordered)}'


def parsed(agent, text):
    return agent.call('POST', '/v1/jobs/parse', {'JobHCL': text, 'Canonicalize': True})


def sized(sandbox, **named):
    """An agent whose node has room for every task of a scenario."""
    return sandbox.agent(extra='client {\n  cpu_total_compute = 1000000\n  memory_total_mb = 1000000\n  disk_total_mb = 10000000\n}\n', **named)


def start_latency(sandbox):
    """POST to the task's own clock, and to `running` in the API. The task is `date`, so the start of a program is in it."""
    agent = sized(sandbox).start()
    for driver in ('raw_exec', 'exec'):
        if driver == 'exec' and not agent.wait_drivers(('exec',))['Drivers']['exec'].get('Healthy'):
            row('exec: POST to first instruction', 'exec is not healthy here')
            continue
        first, running = [], []
        for number in range(STARTS):
            name = f'{driver}-{number}'
            body = {'Job': parsed(agent, shell_job(name, 'date +%s.%N; exec sleep 600', driver))}
            began = time.time()
            agent.call('POST', '/v1/jobs', body)
            alloc = agent.wait_alloc(name, 'running')
            running.append(time.time() - began)
            stamp = harness.until('the stamp', lambda a=alloc['ID']: agent.logs(a, 't').strip(), pause=0.005)
            first.append(float(stamp) - began)
            agent.call('DELETE', f'/v1/job/{name}?purge=true')
            agent.wait_alloc(name, 'complete')
        row(f'P1 {driver}: POST to the task\'s own time stamp', milliseconds(first))
        row(f'P1 {driver}: POST to `running` in the API', milliseconds(running))


def batch_rate(sandbox):
    agent = sized(sandbox).start()
    body = parsed(agent, shell_job('batch', 'exit 0', kind='batch').replace('group "g" {', f'group "g" {{\n count = {BATCH}\n', 1))
    began = time.monotonic()
    agent.call('POST', '/v1/jobs', {'Job': body})
    index, done = 0, 0
    while done < BATCH:
        summary, index = agent.query('/v1/job/batch/summary', index, 60)
        done = summary['Summary']['g']['Complete']
        harness.expect(time.monotonic() - began < 600, f'only {done} of {BATCH} tasks completed')
    row(f'P2 batch job of {BATCH} shells that exit', f'{BATCH / (time.monotonic() - began):.0f} tasks/s')


def memory(sandbox):
    agent = sized(sandbox).start()
    time.sleep(30)
    idle = {pid: harness.pss_kib(pid) for pid, name in harness.descendants().items() if name.startswith('drover')}
    row('P3 idle agent with its plugins, PSS', f'{sum(idle.values()) / 1024:.1f} MiB in {len(idle)} processes (agent {idle[agent.pid] / 1024:.1f})')
    text = shell_job('many', 'exec sleep 600').replace('group "g" {', f'group "g" {{\n count = {TASKS}\n', 1)
    agent.call('POST', '/v1/jobs', {'Job': parsed(agent, text)})
    index, running = 0, 0
    while running < TASKS:
        summary, index = agent.query('/v1/job/many/summary', index, 60)
        running = summary['Summary']['g']['Running']
    time.sleep(30)
    executors = [harness.pss_kib(pid) for pid, name in harness.descendants().items() if name == 'drover-executor']
    plugins = sum(harness.pss_kib(pid) for pid in agent.plugins()) - sum(size for pid, size in idle.items() if pid != agent.pid)
    row(f'P4 helpers per running task ({TASKS} tasks), PSS', f'{(sum(executors) + plugins) / TASKS:.0f} KiB')
    row('P4 growth of the agent per task', f'{(harness.pss_kib(agent.pid) - idle[agent.pid]) / TASKS:.0f} KiB')


def restart(sandbox):
    """SIGKILL with tasks running; from exec of the new agent until every one of them is running in the API of a ready node."""
    agent = sized(sandbox).start()
    text = shell_job('many', 'exec sleep 600').replace('group "g" {', f'group "g" {{\n count = {TASKS}\n', 1)
    agent.call('POST', '/v1/jobs', {'Job': parsed(agent, text)})
    index, running = 0, 0
    while running < TASKS:
        summary, index = agent.query('/v1/job/many/summary', index, 60)
        running = summary['Summary']['g']['Running']
    allocs = [one['ID'] for one in agent.get('/v1/job/many/allocations')]
    agent.kill9()
    began = time.monotonic()
    agent.start(node=False)
    for alloc in allocs:
        harness.until('statistics of the task', lambda a=alloc: agent.request('GET', f'/v1/client/allocation/{a}/stats')[0] == 200, 60, 0.005)
    row(f'P9 SIGKILL with {TASKS} tasks, to every task\'s statistics', f'{(time.monotonic() - began) * 1000:.0f} ms')


def cold_start(sandbox):
    leader, ready = [], []
    for number in range(10):
        agent = sandbox.agent(f'cold{number}', dev=True)
        began = time.monotonic()
        agent.start(node=False)
        leader.append(time.monotonic() - began)
        agent.wait_node()
        ready.append(time.monotonic() - began)
        agent.stop()
    row('P14 exec to /v1/status/leader, -dev', milliseconds(leader))
    row('P14 exec to node ready with raw_exec healthy', milliseconds(ready))
    row('P14 size of drover (not stripped)', f'{os.path.getsize(sandbox.drover) / 1e6:.1f} MB')


def durable_write(sandbox):
    """One connection, job registrations with count 0."""
    agent = sized(sandbox).start(node=False)
    body = parsed(agent, shell_job('none', 'true').replace('group "g" {', 'group "g" {\n count = 0\n', 1))
    samples = []
    for number in range(500):
        body['ID'] = body['Name'] = f'none-{number}'
        began = time.perf_counter()
        agent.call('POST', '/v1/jobs', {'Job': body})
        samples.append(time.perf_counter() - began)
    row('P13 job registration with count 0, one at a time, new connections', milliseconds(samples))


def registrations(sandbox):
    """64 connections at once, jobs of 3 KB with count 0; processor time of the agent until it has looked at each of them."""
    agent = sized(sandbox).start(node=False)
    ticks = os.sysconf('SC_CLK_TCK')

    def cpu():
        with open(f'/proc/{agent.pid}/stat', encoding='ascii') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / ticks

    before = cpu()
    load = [os.path.join(os.environ.get('BUILD', 'build-bench'), 'bench', 'register-load'), '127.0.0.1', str(agent.http), '64', str(REGISTRATIONS)]
    rate = float(subprocess.run(load, check=True, capture_output=True, text=True).stdout)
    harness.until('every evaluation', lambda: not agent.get('/v1/evaluations?status=pending&per_page=1'), 120)
    row(f'P13 {REGISTRATIONS} registrations with count 0, 64 connections', f'{rate:.0f}/s; {(cpu() - before) / REGISTRATIONS * 1e6:.0f} µs of the agent each')


def ticks_of(pids):
    """Seconds of processor time of the processes that are left of these."""
    out = 0
    for pid in pids:
        fields = harness.stat_fields(pid)
        out += int(fields[11]) + int(fields[12]) if fields else 0
    return out / os.sysconf('SC_CLK_TCK')


def measured_since(agent, allocs, moment):
    """Asks over one connection, until the statistics of every allocation are of after the moment."""
    connection, left = http.client.HTTPConnection(agent.address, agent.http, timeout=60), list(allocs)
    end = time.monotonic() + 60
    while left:
        later = []
        for alloc in left:
            connection.request('GET', f'/v1/client/allocation/{alloc}/stats')
            if json.loads(connection.getresponse().read()).get('Timestamp', 0) <= moment:
                later.append(alloc)
        harness.expect(time.monotonic() < end, f'{len(later)} tasks are not measured')
        left = later
    connection.close()


def many_exec(sandbox):
    """EXEC tasks of the exec driver in one job, each with namespaces, root and executor of its own: started, measured, adopted."""
    agent = sandbox.agent(extra='client {\n  cpu_total_compute = 1000000\n  memory_total_mb = 1000000\n  disk_total_mb = 10000000\n}\n'
                          'telemetry {\n  collection_interval = "1s"\n}\n').start(drivers=('exec',))
    idle = sum(harness.pss_kib(pid) for pid in agent.plugins())
    text = shell_job('many', 'exec sleep 6000', 'exec').replace('group "g" {', f'group "g" {{\n count = {EXEC}\n', 1)
    body = {'Job': parsed(agent, text)}
    began, cpu = time.monotonic(), ticks_of([agent.pid, *agent.plugins()])
    agent.call('POST', '/v1/jobs', body)
    index, running = 0, 0
    while running < EXEC:
        summary, index = agent.query('/v1/job/many/summary', index, 60)
        running = summary['Summary']['g']['Running']
        harness.expect(time.monotonic() - began < 900, f'only {running} of {EXEC} tasks run')
    row(f'{EXEC} exec tasks: POST until every one is running', f'{time.monotonic() - began:.1f} s; {ticks_of([agent.pid, *agent.plugins()]) - cpu:.1f} s of agent and driver')
    time.sleep(10)
    executors = [pid for pid, name in harness.descendants().items() if name == 'drover-executor']
    harness.expect(len(executors) == EXEC, f'{len(executors)} executors of {EXEC} tasks')
    pss = sum(harness.pss_kib(pid) for pid in executors)
    row('executors, PSS', f'{pss / 1024:.0f} MiB, {pss / EXEC:.0f} KiB each')
    row('drivers, growth of PSS; agent, PSS', f'{(sum(harness.pss_kib(pid) for pid in agent.plugins()) - idle) / 1024:.0f} MiB; {harness.pss_kib(agent.pid) / 1024:.0f} MiB')
    measured = [agent.pid, *agent.plugins()]
    before, cpu = time.monotonic(), ticks_of(measured)
    time.sleep(20)
    row('statistics at 1 Hz, agent and driver', f'{(ticks_of(measured) - cpu) / (time.monotonic() - before) * 100:.1f} % of a core')
    allocs = [one['ID'] for one in agent.get('/v1/job/many/allocations')]
    agent.kill9()
    began, killed, cpu = time.monotonic(), time.time_ns(), ticks_of(agent.plugins())
    agent.start(node=False)
    leads = time.monotonic() - began
    measured_since(agent, allocs, killed)
    row('SIGKILL of the agent, exec until every task has been measured since', f'{time.monotonic() - began:.2f} s ({leads:.2f} s until there is a leader); '
        f'{ticks_of([agent.pid, *agent.plugins()]) - cpu:.2f} s of agent and driver')
    began = time.monotonic()
    agent.call('DELETE', '/v1/job/many')
    harness.until('every executor to go', lambda: not [pid for pid, name in harness.descendants().items() if name == 'drover-executor'], 600, 0.2)
    row(f'stopping {EXEC} tasks until nothing is left of them', f'{time.monotonic() - began:.1f} s')


class Writer(threading.Thread):
    """Writes one small job after the other and notes how long each was waited for."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.stop, self.waits = agent, threading.Event(), []
        self.start()

    def run(self):
        body = {'Job': {'ID': 'ticks', 'Name': 'ticks', 'Type': 'batch', 'Datacenters': ['nowhere'], 'TaskGroups': [
            {'Name': 'g', 'Count': 0, 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/true'}}]}]}}
        number = 0
        while not self.stop.is_set():
            number += 1
            body['Job']['Meta'] = {'number': str(number)}
            began = time.monotonic()
            self.agent.call('PUT', '/v1/jobs', body)
            self.waits.append(time.monotonic() - began)
            time.sleep(0.005)

    def end(self):
        self.stop.set()
        self.join()


def snapshots(sandbox):
    """A large state restored into a new server, saved again while small writes go on, and read at the server's start."""
    path = f'{sandbox.directory}/state.snap'
    made = subprocess.run([f'{harness.BUILD}/bench/state-file', path, str(STATE)], check=True, capture_output=True, text=True).stdout.strip()
    agent = sandbox.agent(base=harness.PLACE + harness.ADVERTISE + 'server {{\n  enabled = true\n  bootstrap_expect = 1\n}}\n').start(node=False)
    began = time.monotonic()
    agent.cli('operator', 'snapshot', 'restore', path, timeout=600)
    row(f'W-16 restore of {made}', f'{time.monotonic() - began:.1f} s, {ticks_of([agent.pid]):.1f} s of the server; it has {harness.pss_kib(agent.pid) / 1024:.0f} MiB afterwards')
    writer = Writer(agent)
    time.sleep(2)
    before, cpu = len(writer.waits), ticks_of([agent.pid])
    began = time.monotonic()
    agent.cli('operator', 'snapshot', 'save', f'{sandbox.directory}/again.snap', timeout=600)
    row('W-16 save of it, while small jobs are written', f'{time.monotonic() - began:.1f} s, {ticks_of([agent.pid]) - cpu:.1f} s of the server')
    quiet, busy = writer.waits[:before], writer.waits[before:]
    writer.end()
    row('W-16 the writes without it, and meanwhile', f'{milliseconds(quiet)}; {milliseconds(busy)}, longest {max(busy) * 1000:.0f} ms')
    agent.kill9()
    began = time.monotonic()
    agent.start(node=False, limit=300)
    row('W-16 exec of the server on that data until it leads', f'{time.monotonic() - began:.1f} s')


def failover(sandbox):
    """SIGKILL of the leader of three until a write through another server is answered."""
    agents = cluster_test.servers(sandbox)
    waits = []
    for number in range(FAILOVERS):
        leader, rest = cluster_test.followers(agents)
        harness.until('every server to follow', lambda: all(cluster_test.ask(one, '/v1/status/leader') for one in agents))
        harness.expect(cluster_test.register(leader, f'before-{number}'), 'a write')
        time.sleep(1)
        leader.process.kill()
        began = time.monotonic()
        harness.until('a write', lambda n=number, to=rest[0]: cluster_test.register(to, f'after-{n}'), 60, 0.002)
        waits.append(time.monotonic() - began)
        leader.process.wait()
        leader.spawn()
        cluster_test.wait_leader(leader)
    row('three servers, SIGKILL of the leader until the first write', f'{milliseconds(waits)}, longest {max(waits) * 1000:.0f} ms')


def cluster(sandbox):
    """Simulated nodes that speak the agents' RPC to a real server: jobs submitted, every allocation stored as running; then heartbeats."""
    base = harness.PLACE + harness.ADVERTISE + 'server {{\n  enabled = true\n  bootstrap_expect = 1\n}}\n'
    agent = sandbox.agent(base=base).start(node=False)
    load = [os.path.join(os.environ.get('BUILD', 'build-bench'), 'bench', 'cluster-load'), f'127.0.0.1:{agent.rpc}',
            *(str(number) for number in (*CLUSTER, agent.pid, int(os.environ.get('HEARTBEATS', '30'))))]
    print(subprocess.run(load, check=True, stdout=subprocess.PIPE, text=True).stdout, end='', flush=True)
    agent.kill9()  # its nodes are gone: nobody would end the allocations


SCENARIOS = [cold_start, start_latency, batch_rate, memory, restart, many_exec, durable_write, registrations, cluster, snapshots, failover]


def main():
    harness.become_reaper()
    failed = 0
    print('| Figure | Value |\n|---|---|')
    for scenario in SCENARIOS:
        if sys.argv[1:] and scenario.__name__ not in sys.argv[1:]:
            continue
        sandbox = harness.Sandbox()
        try:
            scenario(sandbox)
            sandbox.finish()
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f'{scenario.__name__}: {error}', file=sys.stderr)
            for agent in sandbox.agents[-1:]:
                print(agent.log_tail(), file=sys.stderr)
        finally:
            sandbox.destroy()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
