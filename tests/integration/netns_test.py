#!/usr/bin/env python3
"""A server and a client in two network namespaces, each with its configuration file."""
import os
import subprocess

import harness
from harness import contains, expect, until
from jobs import shell_job

SERVER = '''
bind_addr = "10.213.77.1"
data_dir = "{data}"
name = "the-server"
ports {{
  http = {http}
  rpc = {rpc}
  serf = {serf}
}}
server {{
  enabled = true
  bootstrap_expect = 1
}}
'''
CLIENT = '''
bind_addr = "10.213.77.2"
data_dir = "{data}"
name = "the-client"
ports {{
  http = {http}
  rpc = {rpc}
  serf = {serf}
}}
client {{
  enabled = true
  servers = ["10.213.77.1:SERVER_PORT"]
  network_interface = "dvb"
}}
plugin "raw_exec" {{ config {{ enabled = true }} }}
'''


def ip(*arguments):
    return subprocess.run(['ip', *arguments], check=False, capture_output=True, text=True)


def test_server_and_client_in_two_network_namespaces(sandbox):
    names = [f'drover-{os.getpid()}-{side}' for side in 'ab']
    try:
        for name in names:
            made = ip('netns', 'add', name)
            if made.returncode:
                raise harness.Skip(f'no network namespace can be made: {made.stderr.strip()}')
        made = ip('link', 'add', 'dva', 'netns', names[0], 'type', 'veth', 'peer', 'name', 'dvb', 'netns', names[1])
        if made.returncode:
            raise harness.Skip(f'no veth pair can be made: {made.stderr.strip()}')
        for name, device, address in ((names[0], 'dva', '10.213.77.1'), (names[1], 'dvb', '10.213.77.2')):
            for command in (['addr', 'add', f'{address}/24', 'dev', device], ['link', 'set', device, 'up'], ['link', 'set', 'lo', 'up']):
                result = ip('-n', name, *command)
                expect(result.returncode == 0, f'ip {" ".join(command)}: {result.stderr}')
        server = sandbox.agent('server', base=SERVER, address='10.213.77.1', netns=names[0])
        client = sandbox.agent('client', base=CLIENT.replace('SERVER_PORT', str(server.rpc)), address='10.213.77.2', netns=names[1])
        server.start(node=False)
        client.spawn()
        node = server.wait_node()
        expect(node['Name'] == 'the-client', f'node {node["Name"]}')
        contains(server.cli('node', 'status'), 'the-client', 'ready')
        server.run(shell_job('far', 'echo from afar; exec sleep 600', kind='batch'))
        alloc = server.wait_alloc('far', 'running')
        until('the line, asked from the server', lambda: server.logs(alloc['ID'], 't') == 'from afar\n')
        until('the line, asked from the client', lambda: client.logs(alloc['ID'], 't') == 'from afar\n')
        server.stop_jobs()
    finally:
        for agent in sandbox.agents:
            agent.stop()
        for name in names:
            ip('netns', 'del', name)


if __name__ == '__main__':
    harness.main(globals())
