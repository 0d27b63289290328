#!/usr/bin/env python3
"""Every command that README.md and the pages of docs/ show works: ```sh blocks are run line by line against an agent, ```hcl blocks
that are jobs are validated. What is not run says why."""
import glob
import os
import re
import shlex
import subprocess

import harness
from harness import expect

NOT_RUN = {  # first words of a command -> why it is not run here
    'make demo': 'has a test of its own',
    'make test': 'is what runs this test',
    'make install': 'writes outside the build; covered by the layout of the harness',
    'dpkg -i': 'changes this machine; the virtual machine of tests/vm does it',
    'drover doctor': 'its exit status is that of this machine',
    'editor ': 'is for a person',
    'drover config validate /etc/nomad.d': 'is about the configuration of an installed agent',
    'systemctl ': 'needs a service manager',
    'drover agent -dev': 'is the agent that the other commands talk to, with free ports',
}
# The pages whose commands want more than one agent.
ELSEWHERE = {'docs/clusters.md': 'cluster_test runs them with three servers'}


def blocks(language):
    for page in [os.path.join(harness.ROOT, 'README.md'), *sorted(glob.glob(os.path.join(harness.ROOT, 'docs/**/*.md'), recursive=True))]:
        with open(page, encoding='utf-8') as file:
            for block in re.findall(rf'```{language}\n(.*?)```', file.read(), flags=re.S):
                yield os.path.relpath(page, harness.ROOT), block


def test_every_command_shown(sandbox):
    agent = sandbox.agent(dev=True).start()
    environment = {**os.environ, 'NOMAD_ADDR': agent.url, 'PATH': f'{os.path.dirname(sandbox.drover)}:{os.environ["PATH"]}'}
    count = 0
    for page, block in blocks('sh'):
        if page in ELSEWHERE:
            print(f'   not run: the commands of {page}: {ELSEWHERE[page]}')
            continue
        for line in block.splitlines():
            command = ' '.join(shlex.split(line, comments=True))
            reason = next((why for words, why in NOT_RUN.items() if command.startswith(words)), None)
            if not command or reason:
                print(f'   not run: {command}: {reason}' if command else '', end='\n' if command else '')
                continue
            if ' alloc logs ' in f'{command} ':  # a person takes longer to type than the task to start
                agent.wait_alloc('hello', 'running')
            command = command.replace('http://127.0.0.1:4646', agent.url)
            result = subprocess.run(['sh', '-c', command], cwd=harness.ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
            expect(result.returncode == 0, f'{page}: {command}: exit status {result.returncode}\n{result.stdout}{result.stderr}')
            count += 1
    expect(count >= 8, f'only {count} commands were found')


def test_every_job_file_shown(sandbox):
    agent = sandbox.agent(dev=True).start()
    for page, block in blocks('hcl'):
        if not block.startswith('job "'):
            continue
        path = os.path.join(agent.directory, 'shown.nomad.hcl')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(block)
        out = agent.cli('job', 'validate', path, status=None)
        expect('successful' in out, f'{page}: {out}')


if __name__ == '__main__':
    harness.main(globals())
