#!/usr/bin/env python3
"""Three servers in network namespaces of their own, with links that break: a register made of a job and its modify index stays
linearizable, and nothing acknowledged is lost (F-53, F-54, F-61, F-65)."""
import contextlib
import http.client
import json
import os
import random
import subprocess
import threading
import time

import harness
from cluster_test import SERVER, fill, wait_leader
from harness import expect
from history import explain

SUBNET = '10.213.78.'


def ip(*arguments):
    return subprocess.run(['ip', *arguments], check=False, capture_output=True, text=True)


def must(*arguments):
    result = ip(*arguments)
    if result.returncode:
        raise harness.Skip(f'ip {" ".join(arguments)}: {result.stderr.strip()}')


class Net:
    """A bridge in one namespace and a namespace for each server; rules that drop what one sends to another."""

    def __init__(self, count):
        base = f'drover-{os.getpid()}-'
        self.hub, self.names = base + 'hub', [f'{base}{i}' for i in range(count)]

    def __enter__(self):
        try:
            self._make()
        except harness.Skip:
            self.__exit__()
            raise
        return self

    def _make(self):
        for name in (self.hub, *self.names):
            must('netns', 'add', name)
        must('-n', self.hub, 'link', 'add', 'name', 'switch', 'type', 'bridge')
        must('-n', self.hub, 'link', 'set', 'dev', 'switch', 'up')
        for i, name in enumerate(self.names):
            must('link', 'add', 'eth', 'netns', name, 'type', 'veth', 'peer', 'name', f'p{i}', 'netns', self.hub)
            must('-n', self.hub, 'link', 'set', f'p{i}', 'master', 'switch')
            must('-n', self.hub, 'link', 'set', f'p{i}', 'up')
            must('-n', name, 'addr', 'add', f'{SUBNET}{i + 1}/24', 'dev', 'eth')
            must('-n', name, 'link', 'set', 'eth', 'up')
            must('-n', name, 'link', 'set', 'lo', 'up')
            if self.inside(i, 'iptables', '-L').returncode:
                raise harness.Skip('iptables does not work in a network namespace')

    def __exit__(self, *_):
        for name in (*self.names, self.hub):
            ip('netns', 'del', name)

    def inside(self, i, *command):
        return subprocess.run(['ip', 'netns', 'exec', self.names[i], *command], check=False, capture_output=True, text=True)

    def drop(self, sender, receiver):
        self.inside(sender, 'iptables', '-A', 'OUTPUT', '-d', f'{SUBNET}{receiver + 1}', '-j', 'DROP')

    def degrade(self, i, *what):
        return self.inside(i, 'tc', 'qdisc', 'replace', 'dev', 'eth', 'root', 'netem', *what).returncode == 0

    def heal(self):
        for i in range(len(self.names)):
            self.inside(i, 'iptables', '-F', 'OUTPUT')
            self.inside(i, 'tc', 'qdisc', 'del', 'dev', 'eth', 'root')


class Register:
    """A job: its modify index is what a swap compares, its meta what is stored. Notes every operation."""

    def __init__(self, agents):
        self.agents, self.operations, self.lock, self.next = agents, [], threading.Lock(), 0

    def value(self):
        with self.lock:
            self.next += 1
            return self.next

    def read(self, agent):
        """(value, modify index), or None without an answer."""
        asked = time.monotonic()
        try:
            status, _, body = agent.request('GET', '/v1/job/register?consistent', timeout=8)
        except (OSError, http.client.HTTPException):
            return None
        answered = time.monotonic()
        if status not in (200, 404):
            return None
        job = json.loads(body) if status == 200 else {}
        value = int((job.get('Meta') or {}).get('value', 0))
        self.note({'kind': 'read', 'value': value, 'asked': asked, 'answered': answered})
        return value, job.get('JobModifyIndex', 0)

    def swap(self, agent, expected, index):
        value = self.value()
        body = {'EnforceIndex': True, 'JobModifyIndex': index, 'Job': {
            'ID': 'register', 'Name': 'register', 'Type': 'batch', 'Datacenters': ['nowhere'], 'Meta': {'value': str(value)},
            'TaskGroups': [{'Name': 'g', 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/true'}}]}]}}
        operation = {'kind': 'swap', 'expected': expected, 'value': value, 'done': None, 'asked': time.monotonic(), 'answered': None}
        try:
            status, _, text = agent.request('PUT', '/v1/jobs', body, timeout=8)
            if status == 200 or b'conflicting job modify index' in text or b'job does not exist' in text or b'job already exists' in text:
                operation.update(done=status == 200, answered=time.monotonic())
            elif b'No cluster leader' in text:  # nothing was done
                return
        except (OSError, http.client.HTTPException):
            pass
        self.note(operation)

    def note(self, operation):
        with self.lock:
            self.operations.append(operation)

    def work(self, seed, stop):
        rng = random.Random(seed)
        while not stop.is_set():
            agent = rng.choice(self.agents)
            seen = self.read(agent)
            if seen is not None and rng.random() < 0.6:
                self.swap(rng.choice(self.agents), *seen)
            stop.wait(rng.random() * 0.02)


@contextlib.contextmanager
def three(sandbox):
    with Net(3) as net:
        agents = []
        try:
            for i, name in enumerate(net.names):
                base = SERVER.replace('127.0.0.1', f'{SUBNET}{i + 1}')
                agents.append(sandbox.agent(f's{i + 1}', base=base, address=f'{SUBNET}{i + 1}', netns=name))
            join = ', '.join(f'"{agent.address}:{agent.rpc}"' for agent in agents)
            for i, agent in enumerate(agents):
                fill(agent, NAME=f's{i + 1}', EXPECT='bootstrap_expect = 3', JOIN=join, SETTINGS='')
                agent.spawn()
            for agent in agents:
                wait_leader(agent)
            yield net, agents
        finally:
            net.heal()
            for agent in agents:
                agent.stop()


def leading(agents):
    for agent in agents:
        try:
            address = agent.get('/v1/status/leader', timeout=8)
            return next(i for i, one in enumerate(agents) if address == f'{one.address}:{one.rpc}')
        except (OSError, http.client.HTTPException, harness.Failure, StopIteration):
            continue
    return 0


def test_F_65_a_register_is_linearizable_while_links_break(sandbox):
    seed = int(os.environ.get('SEED', random.randrange(1 << 32)))
    print(f'  SEED={seed}', flush=True)
    rng = random.Random(seed)
    with three(sandbox) as (net, agents):
        register, stop = Register(agents), threading.Event()
        workers = [threading.Thread(target=register.work, args=(seed + i, stop)) for i in range(4)]
        for one in workers:
            one.start()
        try:
            for _ in range(harness.ROUNDS):
                victim = leading(agents) if rng.random() < 0.6 else rng.randrange(3)
                others = [i for i in range(3) if i != victim]
                kind = rng.randrange(6)
                if kind == 0:  # alone
                    for other in others:
                        net.drop(victim, other)
                        net.drop(other, victim)
                elif kind == 1:  # is heard by nobody
                    for other in others:
                        net.drop(victim, other)
                elif kind == 2:  # hears nobody
                    for other in others:
                        net.drop(other, victim)
                elif kind == 3:  # one link
                    net.drop(victim, others[0])
                    net.drop(others[0], victim)
                elif kind == 4:
                    net.degrade(victim, 'delay', '60ms', '40ms', 'loss', '10%')
                else:
                    agents[victim].kill9()
                    time.sleep(rng.random())
                    agents[victim].spawn()
                time.sleep(0.5 + rng.random() * 2.5)
                net.heal()
                time.sleep(0.5 + rng.random())
        finally:
            stop.set()
            for one in workers:
                one.join()
        for agent in agents:
            wait_leader(agent, 40)
        last = register.read(agents[0])
        expect(last is not None, 'no read after everything was healed')
        answered = sum(one['answered'] is not None for one in register.operations)
        print(f'  {len(register.operations)} operations, {answered} answered', flush=True)
        expect(answered > 50 * harness.ROUNDS / 10, f'only {answered} answers')
        wrong = explain(register.operations)
        expect(wrong is None, f'no order explains the history from {wrong} on; SEED={seed}')


if __name__ == '__main__':
    harness.main(globals())
