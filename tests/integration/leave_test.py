#!/usr/bin/env python3
"""A client that empties its node before its agent ends (`drain_on_shutdown`)."""
import os
import signal
import socket

import harness
from harness import contains, expect, until
from jobs import shell_job

SERVER = harness.PLACE + harness.ADVERTISE + '''
server {{
  enabled = true
  bootstrap_expect = 1
}}
'''
CLIENT = harness.PLACE + harness.ADVERTISE + '''
name = "NAME"
leave_on_terminate = true
client {{
  enabled = true
  servers = ["127.0.0.1:SERVER"]
  network_interface = "lo"
  SETTINGS
}}
plugin "raw_exec" {{ config {{ enabled = true }} }}
'''


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path, self.heard = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)

    def has_heard(self, text):
        try:
            while True:
                self.heard.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return any(text in one for one in self.heard)


class Place:
    """A server and clients; the first client drains itself. The task ends only when told twice: by its signal, and by a file."""

    def __init__(self, sandbox, settings, kind='service'):
        self.sandbox = sandbox
        self.server = sandbox.agent('server', base=SERVER).start(node=False)
        self.asked, self.go = (os.path.join(sandbox.directory, name) for name in ('asked', 'go'))
        self.leaving = self.client('leaving', settings)
        self.node = self.node_of('leaving')['ID']
        script = (f'trap "echo >>{self.asked}" INT; while [ ! -e {self.asked} ] || [ ! -e {self.go} ]; do sleep 0.05; done')
        # A drain moves an allocation once the health of its group is known.
        soon = 'update {\n min_healthy_time = "0s"\n}\nmigrate {\n min_healthy_time = "0s"\n}'
        self.server.run(shell_job('chores', script, kind=kind, extra=soon if kind == 'service' else '')
                        .replace('driver =', 'kill_timeout = "30s"\n      driver ='), '-detach')
        self.first = self.server.wait_alloc('chores', 'running')

    def client(self, name, settings=''):
        agent = self.sandbox.agent(name, base=CLIENT.replace('NAME', name).replace('SERVER', str(self.server.rpc)).replace('SETTINGS', settings))
        agent.manager = Manager(os.path.join(agent.directory, 'notify'))
        agent.environment['NOTIFY_SOCKET'] = agent.manager.path
        agent.spawn()
        until(f'client "{name}" to be ready', lambda: self.node_of(name))
        return agent

    def node_of(self, name):
        for one in self.server.get('/v1/nodes') or []:
            if one['Name'] == name and one['Status'] == 'ready' and one['Drivers'].get('raw_exec', {}).get('Healthy'):
                return self.server.get(f'/v1/node/{one["ID"]}')
        return None

    def ask_to_leave(self):
        self.leaving.process.send_signal(signal.SIGTERM)
        until('the node to drain', lambda: self.server.get(f'/v1/node/{self.node}')['Drain'])

    def let_task_end(self):
        with open(self.go, 'w', encoding='ascii'):
            pass

    def ends_with(self, code):
        self.leaving.process.wait(60 * harness.SLOW)
        expect(self.leaving.process.returncode == code, f'exit status {self.leaving.process.returncode}, not {code}: {self.leaving.log_tail()}')
        with open(self.leaving.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def come_back(self):
        """Another agent for the same node, which takes over what is left there."""
        self.leaving.spawn()
        until('the node to be back', lambda: self.node_of('leaving'))
        self.let_task_end()


def test_a_client_drains_itself_and_works_on_until_it_is_empty(sandbox):
    place = Place(sandbox, 'drain_on_shutdown {{ }}')
    other = place.client('other')
    place.ask_to_leave()
    until('the task to be asked to end', lambda: os.path.exists(place.asked))
    # The task takes its time, and the agent with it: it answers, and the manager hears that there is no reason for violence.
    expect(place.leaving.get('/v1/client/stats')['Timestamp'], 'the agent does not answer')
    until('word of the stop', lambda: place.leaving.manager.has_heard('STOPPING=1'))
    until('word of its time', lambda: place.leaving.manager.has_heard('EXTEND_TIMEOUT_USEC='))
    expect(place.leaving.process.poll() is None, 'the agent has left its task alone')
    place.let_task_end()
    place.ends_with(0)
    node = place.server.get(f'/v1/node/{place.node}')
    expect(node['LastDrain']['Status'] == 'complete' and node['LastDrain']['Meta'] == {'message': 'shutting down'}, f'last drain: {node["LastDrain"]}')
    expect(node['SchedulingEligibility'] == 'ineligible', 'a node that was emptied takes new allocations')
    before = place.server.get(f'/v1/allocation/{place.first["ID"]}')
    expect(before['ClientStatus'] == 'complete', f'the first allocation is {before["ClientStatus"]}')
    elsewhere = place.node_of('other')['ID']
    until('the job to run elsewhere, outside of any deployment, and to be known as well', lambda: any(
        one['NodeID'] == elsewhere and (one['DeploymentStatus'] or {}).get('Healthy') for one in place.server.get('/v1/job/chores/allocations')))
    moved = next(one for one in place.server.get('/v1/job/chores/allocations') if one['NodeID'] == elsewhere)
    expect(not place.server.get(f'/v1/allocation/{moved["ID"]}').get('DeploymentID'), 'the deployment goes on for ever')
    expect(other.process.poll() is None, 'the other client has ended')
    expect(not sandbox.records() or all(other.data in path for path in sandbox.records()), f'the agent left too early: {sandbox.records()}')


def test_a_second_signal_ends_it_at_once(sandbox):
    place = Place(sandbox, 'drain_on_shutdown {{ deadline = "1h" }}')
    place.ask_to_leave()
    until('the task to be asked to end', lambda: os.path.exists(place.asked))
    place.leaving.process.send_signal(signal.SIGTERM)
    contains(place.ends_with(1), 'without having left')
    place.come_back()


def test_a_drain_that_takes_too_long_ends_with_1_and_the_task_goes_on(sandbox):
    place = Place(sandbox, 'drain_on_shutdown {{ deadline = "100ms" }}')
    place.ask_to_leave()
    contains(place.ends_with(1), 'not left in time')
    expect(sandbox.records(), 'the task is gone')
    place.come_back()


def test_a_drain_that_somebody_cancels_is_not_a_success(sandbox):
    place = Place(sandbox, 'drain_on_shutdown {{ }}', kind='batch')
    place.ask_to_leave()
    place.server.call('PUT', f'/v1/node/{place.node}/drain', {'DrainSpec': None, 'MarkEligible': True})
    contains(place.ends_with(1), 'the drain of this node was canceled')
    place.come_back()
    with open(place.asked, 'w', encoding='ascii'):
        pass


def test_what_runs_here_decides_when_the_servers_are_gone(sandbox):
    place = Place(sandbox, 'drain_on_shutdown {{ force = true }}')
    place.ask_to_leave()
    until('the task to be asked to end', lambda: os.path.exists(place.asked))
    place.server.kill9()
    place.let_task_end()
    contains(place.ends_with(0), 'this node is drained')
    # What they could not be told is told by the next agent.
    place.server.start(node=False)
    place.come_back()


if __name__ == '__main__':
    harness.main(globals())
