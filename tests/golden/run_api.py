#!/usr/bin/env python3
"""Starts the agent of golden_agent.py and replays the session (replay_api.py has the options).

BUILD names the build directory. GOLDEN_DIR names another directory of tests/golden's layout, whose rows are then counted instead of
the tree's. Exit status: 0, 77 when the machine cannot run it or there is nothing recorded, 1 when a row of the ratchet no longer agrees."""
import argparse
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'integration'))
import golden_agent  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position
import replay_api  # pylint: disable=wrong-import-position

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
        agent = golden_agent.start_agent(sandbox)
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
