#!/usr/bin/env python3
"""RPC over mutual TLS: three servers and a client with certificates of openssl(1); who has none is refused, files are read again on SIGHUP."""
import os
import shutil
import signal
import socket
import subprocess

import harness
from cluster_test import CLIENT, SERVER, addresses, ask, fill, followers, leader_of, wait_leader
from harness import Skip, contains, expect, until
from jobs import shell_job

TLS = '''
tls {{
  rpc = true
  verify_server_hostname = true
  ca_file   = "{place}/ca.pem"
  cert_file = "{place}/{name}.pem"
  key_file  = "{place}/{name}-key.pem"
  {more}
}}
'''


def openssl(place, *arguments):
    done = subprocess.run(['openssl', *arguments], cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f'openssl {" ".join(arguments)}: {done.stderr}')


def authority(place, name='ca'):
    openssl(place, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', f'/CN={name}', '-keyout', f'{name}-key.pem', '-out', f'{name}.pem')


def sign(place, name, names, ca='ca'):
    """A key and a certificate; written beside their places first, so that nobody reads half of one."""
    with open(f'{place}/{name}.ext', 'w', encoding='ascii') as file:
        file.write(f'subjectAltName={names}\n')
    openssl(place, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}', '-keyout', 'new-key.pem', '-out', 'new.csr')
    openssl(place, 'x509', '-req', '-days', '2', '-in', 'new.csr', '-CA', f'{ca}.pem', '-CAkey', f'{ca}-key.pem', '-CAcreateserial', '-extfile', f'{name}.ext', '-out', 'new.pem')
    os.rename(f'{place}/new-key.pem', f'{place}/{name}-key.pem')
    os.rename(f'{place}/new.pem', f'{place}/{name}.pem')


def certificates(sandbox):
    if not shutil.which('openssl'):
        raise Skip('no openssl for certificates')
    place = f'{sandbox.directory}/certificates'
    os.mkdir(place)
    authority(place)
    sign(place, 'server', 'DNS:server.global.nomad,DNS:localhost,IP:127.0.0.1')
    sign(place, 'client', 'DNS:client.global.nomad,DNS:localhost,IP:127.0.0.1')
    return place


def configured(agent, place, name, more=''):
    with open(agent.config, 'a', encoding='utf-8') as file:
        file.write(TLS.format(place=place, name=name, more=more) if place else '')
    return agent


def secure_servers(sandbox, place, more=''):
    agents = [sandbox.agent(f's{i + 1}', base=SERVER) for i in range(3)]
    for agent in agents:
        fill(agent, NAME=agent.name, EXPECT='bootstrap_expect = 3', JOIN=addresses(agents), SETTINGS='')
        configured(agent, place, 'server', more).spawn()
    for agent in agents:
        wait_leader(agent)
    return agents


def a_client(sandbox, agents, place, name='the-client', certificate='client', more=''):
    agent = sandbox.agent(name, base=CLIENT)
    fill(agent, NAME=name, JOIN=addresses(agents))
    return configured(agent, place, certificate, more).spawn()


def until_ready(agents, name):
    until(f'node "{name}" to be ready', lambda: next((one for one in ask(agents[0], '/v1/nodes') or []
                                                      if one['Name'] == name and one['Status'] == 'ready' and one['Drivers']['raw_exec']['Healthy']), None), 60)


def log_of(agent):
    with open(agent.log, encoding='utf-8', errors='replace') as file:
        return file.read()


def until_said(agent, text):
    until(f'agent "{agent.name}" to say: {text}', lambda: text in log_of(agent), 60)


def answers_in_plain(port):
    """Whether gRPC answers the beginning of HTTP/2."""
    with socket.create_connection(('127.0.0.1', port), timeout=60) as plain:
        plain.settimeout(60)
        try:
            plain.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0')
            return plain.recv(9).startswith(b'\0\0')
        except ConnectionError:
            return False


def test_three_servers_and_a_client(sandbox):
    place = certificates(sandbox)
    agents = secure_servers(sandbox, place)
    leader, rest = followers(agents)
    worker = a_client(sandbox, agents, place)
    until_ready(rest, 'the-client')
    rest[0].run(shell_job('web', 'echo over-tls; while :; do sleep 1; done'), '-detach')
    alloc = rest[1].wait_alloc('web', 'running', 60)
    # Through a server, over the node's connection.
    until('the task\'s output', lambda: 'over-tls' in rest[0].cli('alloc', 'logs', alloc['ID']))
    # Nothing in plain, and nothing without a certificate, gets through.
    expect(not answers_in_plain(leader.rpc), 'a server answers HTTP/2 in plain')
    said = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{leader.rpc}', '-CAfile', f'{place}/ca.pem', '-alpn', 'h2', '-quiet'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    expect('certificate required' in said.stderr or 'handshake failure' in said.stderr, f's_client without a certificate: {said.stderr}')
    plain = a_client(sandbox, agents, None, 'plain-client')
    authority(place, 'other-ca')
    sign(place, 'stranger', 'DNS:server.global.nomad', 'other-ca')
    stranger = a_client(sandbox, agents, place, 'stranger', 'stranger')
    until_said(stranger, 'TLS')
    for reason in ('unable to get local issuer certificate', 'it does not speak TLS'):
        until(f'a server to have refused a connection: {reason}', lambda reason=reason: any(
            'a connection was refused' in line and reason in line for one in agents for line in log_of(one).splitlines()), 60)
    expect([one['Name'] for one in leader.get('/v1/nodes')] == ['the-client'], f'nodes: {leader.get("/v1/nodes")}')
    # The leadership moves over TLS as well.
    leader.kill9()
    until('another server to lead', lambda: ask(rest[0], '/v1/status/leader') not in ('', None, f'127.0.0.1:{leader.rpc}'), 60)
    leader.spawn()
    wait_leader(leader)
    expect(rest[0].get(f'/v1/allocation/{alloc["ID"]}')['ClientStatus'] == 'running', 'the allocation runs on')
    rest[0].stop_jobs()
    for agent in [stranger, plain, worker, *agents]:
        agent.stop()


def test_N_079_a_client_is_no_server(sandbox):
    """A certificate of the CA that names no server does not make a voter: neither side takes it for one."""
    place = certificates(sandbox)
    agents = secure_servers(sandbox, place)
    intruder = sandbox.agent('intruder', base=SERVER)
    fill(intruder, NAME='intruder', EXPECT='', JOIN=addresses(agents), SETTINGS='')
    configured(intruder, place, 'client').spawn()
    until_said(intruder, 'looked for other servers: asked=3 answered=0')
    expect(len(agents[0].get('/v1/operator/raft/configuration')['Servers']) == 3, 'the intruder became a member')
    for agent in [intruder, *agents]:
        agent.stop()


def test_certificates_are_read_again(sandbox):
    place = certificates(sandbox)
    agents = secure_servers(sandbox, place)
    leader, rest = followers(agents)

    def reload(agent):
        before = log_of(agent)
        os.kill(agent.pid, signal.SIGHUP)
        until('the agent to have read its configuration', lambda: any(word in log_of(agent)[len(before):] for word in ('configuration reloaded', 'Failed to reload')), 60)
        return log_of(agent)[len(before):]

    # a file that cannot be used is named and changes nothing.
    os.rename(f'{place}/server.pem', f'{place}/kept.pem')
    with open(f'{place}/server.pem', 'w', encoding='ascii') as file:
        file.write('no certificate\n')
    contains(reload(rest[0]), 'Failed to reload', 'reading the certificate of tls.cert_file', 'server.pem')
    os.rename(f'{place}/kept.pem', f'{place}/server.pem')
    # New certificates of the same CA, one server after the other, as they are renewed.
    sign(place, 'server', 'DNS:server.global.nomad')
    for agent in agents:
        contains(reload(agent), 'configuration reloaded')
    rest[0].kill9()
    rest[0].spawn()
    wait_leader(rest[0])
    worker = a_client(sandbox, agents, place)
    until_ready([leader], 'the-client')
    for agent in [worker, *agents]:
        agent.stop()


def test_a_cluster_is_upgraded_one_server_after_the_other(sandbox):
    """From no TLS to TLS: with rpc_upgrade_mode each speaks both; at the end it is turned off by a reload."""
    place = certificates(sandbox)
    agents = [sandbox.agent(f's{i + 1}', base=SERVER) for i in range(3)]
    for agent in agents:
        fill(agent, NAME=agent.name, EXPECT='bootstrap_expect = 3', JOIN=addresses(agents), SETTINGS='')
        agent.spawn()
    for agent in agents:
        wait_leader(agent)
    leader_of(agents).call('PUT', '/v1/jobs', {'Job': {'ID': 'kept', 'Datacenters': ['nowhere'], 'TaskGroups': [
        {'Name': 'g', 'Count': 0, 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/true'}}]}]}})
    for agent in agents:
        agent.stop()
        configured(agent, place, 'server', 'rpc_upgrade_mode = true').spawn()
        wait_leader(agent)
        until('every server to know of the leader', lambda: all(ask(one, '/v1/status/leader') for one in agents), 60)
    for agent in agents:
        with open(agent.config, encoding='utf-8') as file:
            text = file.read()
        with open(agent.config, 'w', encoding='utf-8') as file:
            file.write(text.replace('rpc_upgrade_mode = true', ''))
        os.kill(agent.pid, signal.SIGHUP)
        until_said(agent, 'configuration reloaded')
    expect(not answers_in_plain(agents[0].rpc), 'a server answers HTTP/2 in plain after the upgrade')
    expect(agents[1].request('GET', '/v1/job/kept')[0] == 200, 'the job is there')
    for agent in agents:
        agent.stop()


if __name__ == '__main__':
    harness.main(globals())
