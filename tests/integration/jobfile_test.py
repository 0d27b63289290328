#!/usr/bin/env python3
"""What is done with a job file before it runs: init, fmt, validate, plan with its flags and exit codes; filters on every list of the API."""
import json
import os
import urllib.parse

from harness import contains, expect, main
from jobs import shell_job

# Lists of the API that take `filter`, with a field of theirs.
LISTS = {
    '/v1/jobs': 'Name', '/v1/nodes': 'Name', '/v1/node/pools': 'Name', '/v1/node/pool/default/nodes': 'Name', '/v1/node/pool/default/jobs': 'Name',
    '/v1/allocations': 'Name', '/v1/evaluations': 'JobID', '/v1/evaluations/count': 'JobID', '/v1/deployments': 'JobID',
}


def write(sandbox, name, text):
    path = os.path.join(sandbox.directory, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return path


def test_filters_on_every_list(sandbox):
    agent = sandbox.agent(dev=True).start()
    agent.run(shell_job('web', 'exec sleep 600'), '-detach')
    agent.wait_alloc('web', 'running')

    def ask(path, expression):
        status, _, body = agent.request('GET', f'{path}?filter={urllib.parse.quote(expression)}')
        return status, body.decode()

    def count(body):
        found = json.loads(body)
        return found['Count'] if isinstance(found, dict) else len(found)

    for path, field in LISTS.items():
        everything = count(ask(path, f'{field} != "nothing of that name"')[1])
        expect(everything > 0, f'{path} is empty')
        expect(count(ask(path, f'{field} == "nothing of that name"')[1]) == 0, f'{path}: the filter lets others through')
        expect(count(ask(path, f'{field} matches "^."')[1]) == everything, f'{path}: a pattern that fits all')
        status, body = ask(path, f'{field} is')
        expect(status == 400 and 'failed to read filter expression' in body, f'{path}: {status} {body}')
        status, body = ask(path, 'Nosuch == 1')
        expect(status == 400 and 'struct field with name "Nosuch"' in body, f'{path}: {status} {body}')


def test_plan_says_what_changes_by_its_exit_code(sandbox):
    agent = sandbox.agent(dev=True).start()
    text = shell_job('web', 'exec sleep 600')
    path = write(sandbox, 'web.nomad.hcl', text)
    contains(agent.cli('job', 'plan', path, status=1), '+ Job: "web"', 'forces create', 'Job Modify Index: 0')
    agent.run(text, '-detach')
    agent.wait_alloc('web', 'running')
    contains(agent.cli('job', 'plan', path, status=0), '1 ignore')
    changed = write(sandbox, 'changed.nomad.hcl', text.replace('sleep 600', 'sleep 601'))
    contains(agent.cli('job', 'plan', changed, status=1), 'create/destroy update', 'sleep 600', 'sleep 601')
    without = agent.cli('job', 'plan', '-diff=false', '-policy-override', '-verbose', changed, status=1)
    expect('sleep 601' not in without and 'Scheduler dry-run:' in without, without)
    answer = json.loads(agent.cli('job', 'plan', '-no-lint', '-json-output', changed, status=1))
    expect(answer['Diff']['Type'] == 'Edited' and answer['Annotations']['DesiredTGUpdates'], answer)
    whole = write(sandbox, 'web.json', agent.cli('job', 'run', '-output', path))
    contains(agent.cli('job', 'plan', '-json', whole, status=0), '1 ignore')
    contains(agent.cli('job', 'plan', os.path.join(sandbox.directory, 'nosuch.hcl'), status=255), 'no such file or directory')
    contains(agent.cli('job', 'plan', status=255), 'This command takes one argument: <path>')
    contains(agent.cli('job', 'plan', '-address=http://127.0.0.1:1', path, status=255), 'Error during plan')


def test_findings_in_json_files_have_lines(sandbox):
    agent = sandbox.agent(dev=True).start()
    whole = json.loads(agent.cli('job', 'run', '-output', write(sandbox, 'web.nomad.hcl', shell_job('web', 'exec sleep 600'))))
    task = whole['Job']['TaskGroups'][0]['Tasks'][0]
    whole['Job']['Type'] = 'servce'
    task['Config']['comand'] = task['Config'].pop('command')
    text = json.dumps(whole, indent=1)
    lines = text.splitlines()
    told = agent.cli('job', 'validate', '-json', write(sandbox, 'web.json', text), status=1)
    for word in ('"Type": "servce"', '"comand"', '"Driver": "raw_exec"'):
        number = next(i for i, line in enumerate(lines, 1) if word in line)
        contains(told, f'web.json line {number}')
    contains(told, 'Did you mean "service"?', 'Did you mean "command"?')


def test_a_sensitive_value_is_not_printed_and_not_stored(sandbox):
    agent = sandbox.agent(dev=True).start()
    text = 'variable "pw" {\n  type      = string\n  sensitive = true\n}\n' + shell_job('web', 'exec sleep 600').replace('driver =', 'env {\n        P = var.pw\n      }\n      driver =')
    path = write(sandbox, 'web.nomad.hcl', text)
    expect('hunter2' not in agent.cli('job', 'plan', '-no-lint', '-diff=false', '-var', 'pw=hunter2', path, status=1), 'the plan shows the value')
    agent.cli('job', 'run', '-detach', '-var', 'pw=hunter2', path)
    agent.wait_alloc('web', 'running')
    stored = agent.get('/v1/job/web/submission?version=0')
    expect(not stored['VariableFlags'] and 'hunter2' not in json.dumps(stored), stored)
    expect(agent.get('/v1/job/web')['TaskGroups'][0]['Tasks'][0]['Env'] == {'P': 'hunter2'}, 'the task has not got the value')


def test_init_writes_jobs_that_are_valid_and_laid_out(sandbox):
    agent = sandbox.agent(dev=True).start()
    for number, flags in enumerate(([], ['-short'], ['-connect'], ['-short', '-connect'])):
        path = os.path.join(sandbox.directory, f'made-{number}.nomad.hcl')
        contains(agent.cli('job', 'init', *flags, path), f'Example job file written to {path}')
        contains(agent.cli('job', 'validate', '-no-lint', path), 'Job validation successful')
        expect(agent.cli('fmt', '-check', path) == '', f'{path} is not laid out')
        contains(agent.cli('job', 'init', *flags, path, status=1), 'already exists')


if __name__ == '__main__':
    main(globals())
