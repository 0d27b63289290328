#!/usr/bin/env python3
"""Starts a fresh agent as the recorded API session's was and replays the session (replay_api.py has the options).

BUILD names the build directory. GOLDEN_DIR names another directory of tests/golden's layout, whose rows are then counted instead of
the tree's. Exit status: 0, 77 when the machine cannot run it or there is nothing recorded, 1 when a row of the ratchet no longer agrees."""
import argparse
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'integration'))
import harness  # pylint: disable=wrong-import-position
import replay_api  # pylint: disable=wrong-import-position

CONFIG = '''
name = "golden-1"
datacenter = "dc1"
bind_addr = "127.0.0.1"
data_dir = "{data}"
plugin_dir = "{plugins}"
log_level = "DEBUG"
ports {{
  http = {http}
  rpc = {rpc}
  serf = {serf}
}}
client {{
  enabled = true
  node_class = "golden"
  cpu_total_compute = 8000
  memory_total_mb = 16000
  network_interface = "lo"
  meta {{
    rack = "r1"
    zone = "z1"
    owner = "team-a"
  }}
  host_volume "scratch" {{
    path = "{scratch}"
  }}
  options {{
    "driver.allowlist" = "raw_exec,mock_driver"
  }}
}}
telemetry {{
  prometheus_metrics = true
  disable_hostname = true
}}
plugin "raw_exec" {{ config {{ enabled = true }} }}
plugin "drover-driver-mock" {{}}
'''


def start_agent(sandbox, extra=''):
    plugins, scratch = (os.path.join(sandbox.directory, name) for name in ('plugins', 'vol'))
    os.mkdir(plugins)
    os.mkdir(scratch)
    shutil.copy2(os.path.join(harness.BUILD, 'tests/mock-driver/drover-driver-mock'), plugins)
    text = CONFIG.replace('{plugins}', plugins).replace('{scratch}', scratch)
    return sandbox.agent(name='golden', dev=True, base=text + extra).start(drivers=('raw_exec', 'mock_driver'))


def main():
    parser = argparse.ArgumentParser(description='Replays the recorded API session against a fresh agent.')
    here = replay_api.arguments(parser)
    parser.add_argument('--keep-log', help='copy the agent\'s log to this file')
    options = parser.parse_args()
    if os.environ.get('GOLDEN_DIR'):
        options.folder, options.ratchet = os.path.join(os.environ['GOLDEN_DIR'], 'api', 'main'), None
    if not os.path.isdir(options.folder):
        print(f'api: nothing recorded in {options.folder}')
        return 77
    if os.geteuid() != 0:
        print('api: needs root')
        return 77
    harness.become_reaper()
    sandbox = harness.Sandbox()
    try:
        agent = start_agent(sandbox)
        status = replay_api.run(agent.url, options, here, (agent.http, agent.rpc, agent.serf))
        if options.keep_log:
            shutil.copy2(agent.log, options.keep_log)
        if agent.process.poll() is not None:
            print(f'the agent ended with status {agent.process.returncode}:\n{agent.log_tail()}')
            status = 1
        return status
    finally:
        sandbox.destroy()


if __name__ == '__main__':
    sys.exit(main())
