#!/usr/bin/env python3
"""`doctor` on this machine: what it finds in an installation, its JSON, and exit codes that scripts can rely on."""
import json
import os
import subprocess

import harness
from harness import contains, expect


def doctor(sandbox, *flags, environment=None):
    result = subprocess.run([sandbox.drover, 'doctor', *flags], capture_output=True, text=True, check=False, timeout=60,
                            env={'PATH': os.environ['PATH'], **(environment or {})})
    return result.returncode, result.stdout + result.stderr


def test_json_says_what_the_text_says(sandbox):
    status, out = doctor(sandbox, '-json', '-data-dir', sandbox.directory)
    answer = json.loads(out)
    checks = {check['Name']: check for check in answer['Checks']}
    expect(status == (0 if answer['Healthy'] else 2), f'status {status} of a machine that is{"" if answer["Healthy"] else " not"} healthy')
    expect(answer['Healthy'] == all(check['Status'] != 'missing' for check in answer['Checks']), 'Healthy is not what the checks say')
    for name in ('drover-executor', 'driver.exec', 'driver.raw-exec', 'driver.java', 'driver.qemu', 'user', 'syscall.openat2'):
        expect(checks[name]['Status'] == 'ok', f'{name}: {checks[name]}')
    expect(checks['cgroup.version']['Status'] == ('ok' if os.path.exists('/sys/fs/cgroup/cgroup.controllers') else 'missing'), f'{checks["cgroup.version"]}')
    for check in answer['Checks']:
        expect(bool(check['Remedy']) == (check['Status'] != 'ok'), f'a finding without a remedy, or a remedy without a finding: {check}')
    _, text = doctor(sandbox, '-verbose', '-data-dir', sandbox.directory)
    contains(text, *checks)


def test_exit_codes(sandbox):
    empty = os.path.join(sandbox.directory, 'empty')
    os.mkdir(empty)
    status, out = doctor(sandbox, environment={'DROVER_LIBEXEC': empty})
    contains(out, 'drover-executor', 'exec, raw_exec, java and qemu', 'set DROVER_LIBEXEC')
    expect(status == 2, f'status {status} without an executor')
    strict, out = doctor(sandbox, '-strict', environment={'PATH': '/nonexistent'})
    contains(out, 'java tasks', 'apt-get install default-jre-headless')
    expect(strict == 2, f'status {strict} of -strict without programs')
    status, out = doctor(sandbox, 'more')
    contains(out, 'takes no arguments')
    expect(status == 1, f'status {status} of a wrong command line')
    status, out = doctor(sandbox, '-data-dir', 'relative')
    contains(out, 'must be an absolute path')
    expect(status == 1, f'status {status} of a wrong flag')


if __name__ == '__main__':
    harness.main(globals())
