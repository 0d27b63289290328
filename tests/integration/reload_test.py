#!/usr/bin/env python3
"""SIGHUP: the configuration is read again and a running agent takes over what it can; what is wrong changes nothing. The service manager
hears of it."""
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess

import harness
from harness import expect, until
from jobs import shell_job

DEVICE = 'dvr'
CONFIG = harness.SINGLE.replace('network_interface = "lo"', f'network_interface = "{DEVICE}"')


def ip(*arguments):
    return subprocess.run(['ip', *arguments], check=False, capture_output=True, text=True)


class Manager:
    """The service manager's end of sd_notify."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(20)

    def hears(self):
        return self.socket.recv(4096).decode()


def rewrite(agent, old, new):
    with open(agent.config, encoding='utf-8') as file:
        text = file.read()
    expect(old in text, f'{old!r} in the configuration')
    with open(agent.config, 'w', encoding='utf-8') as file:
        file.write(text.replace(old, new))


def reload(agent, manager):
    """Sends SIGHUP and returns what the agent has written until it was done with it."""
    with open(agent.log, encoding='utf-8') as file:
        before = len(file.read())
    os.kill(agent.pid, signal.SIGHUP)
    began = manager.hears()
    expect(began.startswith('RELOADING=1\nMONOTONIC_USEC=') and int(began.split('=')[2]) > 0, f'the beginning of a reload: {began!r}')
    expect(manager.hears() == 'READY=1', 'the end of a reload')
    with open(agent.log, encoding='utf-8') as file:
        return file.read()[before:]


def networks(agent):
    node = agent.get(f'/v1/node/{agent.get("/v1/nodes")[0]["ID"]}')
    return sorted(one['IP'] for one in node['NodeResources']['Networks'] if one.get('Device') == DEVICE)


def prepare(sandbox, netns):
    made = ip('netns', 'add', netns)
    if made.returncode:
        raise harness.Skip(f'no network namespace can be made: {made.stderr.strip()}')
    for command in (['link', 'add', DEVICE, 'type', 'veth', 'peer', 'name', f'{DEVICE}-peer'], ['link', 'set', f'{DEVICE}-peer', 'up'],
                    ['addr', 'add', '10.213.78.1/24', 'dev', DEVICE], ['link', 'set', DEVICE, 'up'], ['link', 'set', 'lo', 'up']):
        made = ip('-n', netns, *command)
        if made.returncode:
            raise harness.Skip(f'ip {" ".join(command)}: {made.stderr.strip()}')
    agent = sandbox.agent(base=CONFIG, netns=netns)
    manager = Manager(os.path.join(agent.directory, 'notify'))
    agent.environment['NOTIFY_SOCKET'] = manager.path
    return agent, manager


def test_hangup(sandbox):
    netns = f'drover-{os.getpid()}-reload'
    try:
        agent, manager = prepare(sandbox, netns)
        rewrite(agent, 'log_level = "DEBUG"', 'log_level = "WARN"')
        rewrite(agent, 'bootstrap_expect = 1', 'bootstrap_expect = 1\n  enabled_schedulers = ["batch"]')
        agent.start()
        expect(manager.hears() == 'READY=1', 'readiness after the start')
        expect('10.213.78.1' in networks(agent), f'addresses {networks(agent)}')
        agent.run(shell_job('waits', 'exec sleep 600'), '-detach')
        expect(not agent.get('/v1/job/waits/allocations'), 'nobody schedules services yet')

        # The level: a line of INFO appears only because the new level holds already.
        rewrite(agent, 'log_level = "WARN"', 'log_level = "INFO"')
        expect('configuration reloaded' in reload(agent, manager), 'the new log level')
        rewrite(agent, 'log_level = "INFO"', 'log_level = "ERROR"')
        expect('configuration reloaded' not in reload(agent, manager), 'the log level is raised again')

        # The server's schedulers: the evaluation that has waited is taken.
        expect(not agent.get('/v1/job/waits/allocations'), 'an unchanged list of schedulers')
        rewrite(agent, '["batch"]', '["batch", "service"]')
        reload(agent, manager)
        agent.wait_alloc('waits', 'running')

        # The machine: an address that is new, and one that is gone.
        for command in (['addr', 'add', '10.213.79.1/24', 'dev', DEVICE], ['addr', 'del', '10.213.78.1/24', 'dev', DEVICE]):
            result = ip('-n', netns, *command)
            expect(result.returncode == 0, f'ip {" ".join(command)}: {result.stderr}')
        reload(agent, manager)
        until('the node to have its new address', lambda: [one for one in networks(agent) if ':' not in one] == ['10.213.79.1'])

        # A mistake: said with its place, and the agent goes on as it was.
        rewrite(agent, 'client {', 'clientt {')
        said = reload(agent, manager)
        expect('==> Failed to reload configs: ' in said and 'agent.hcl:' in said and 'clientt' in said, f'the refusal: {said}')
        rewrite(agent, 'clientt {', 'client {')
        rewrite(agent, 'log_level = "ERROR"', 'log_level = "INFO"')
        expect('configuration reloaded' in reload(agent, manager), 'a reload after the mistake is mended')

        agent.stop_jobs()
        os.kill(agent.pid, signal.SIGTERM)
        expect(manager.hears() == 'STOPPING=1', 'the end')
    finally:
        for agent in sandbox.agents:
            agent.stop()
        ip('netns', 'del', netns)


def test_certificates(sandbox):
    agent = sandbox.agent(dev=True)
    manager = Manager(os.path.join(agent.directory, 'notify'))
    agent.environment['NOTIFY_SOCKET'] = manager.path
    agent.start(drivers=())
    expect(manager.hears() == 'READY=1', 'readiness after the start')
    files = {name: os.path.join(agent.directory, name) for name in ('server.pem', 'server-key.pem')}
    for name, path in files.items():
        shutil.copy(os.path.join(harness.ROOT, 'tests/data/http', name), path)
    trust = ssl.create_default_context(cafile=files['server.pem'])

    def answer(secure):
        kind, more = (http.client.HTTPSConnection, {'context': trust}) if secure else (http.client.HTTPConnection, {})
        connection = kind('localhost' if secure else '127.0.0.1', agent.http, timeout=20, **more)
        try:
            connection.request('GET', '/v1/status/leader')
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()

    expect(answer(secure=False) == 200, 'without TLS first')
    rewrite(agent, 'log_level', f"""tls {{
  http = true
  ca_file = "{files['server.pem']}"
  cert_file = "{files['server.pem']}"
  key_file = "{files['server-key.pem']}"
}}
log_level""")
    expect('configuration reloaded' in reload(agent, manager), 'a reload that switches TLS on')
    expect(answer(secure=True) == 200, f'with TLS: {answer(secure=True)}')
    expect(answer(secure=False) != 200, 'without TLS any more')

    # a certificate that cannot be used changes nothing.
    with open(files['server.pem'], 'w', encoding='ascii') as file:
        file.write('no certificate\n')
    said = reload(agent, manager)
    expect('==> Failed to reload configs: ' in said and 'server.pem' in said, f'the refusal: {said}')
    expect(answer(secure=True) == 200, 'the certificate of before')
    rewrite(agent, '  http = true\n', '  http = true\n  rpc = true\n')
    said = reload(agent, manager)
    expect('tls.rpc cannot be turned on by a reload' in said, f'the refusal: {said}')
    rewrite(agent, '  http = true\n  rpc = true\n', '  http = false\n')
    expect('configuration reloaded' in reload(agent, manager), 'a reload that switches TLS off')
    expect(answer(secure=False) == 200, 'without TLS again')


def test_encryption_that_cannot_be_is_not_left_out_in_silence(sandbox):
    agent = sandbox.agent(dev=True, extra='tls {\n  rpc = true\n}\n').spawn()
    expect(agent.process.wait(timeout=20) == 1, 'the agent starts without the encryption that was asked for')
    harness.contains(agent.log_tail(), 'tls.rpc is set and tls.ca_file is not')


if __name__ == '__main__':
    harness.main(globals())
