#!/usr/bin/env python3
"""The conformance suite of the HCL repository through tools/hcldec. Usage: specsuite.py <hcldec> <build directory>.

Suite and runner come with the HCL module of Go (SUITE names another directory of tests); without Go or the module the test is skipped
with the reason. Prints how many of the suite's tests pass."""
import os
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))


def skip(reason):
    print('skipped:', reason)
    sys.exit(77)


def go(*arguments):
    return subprocess.run(['go', *arguments], cwd=os.path.join(here, 'oracle'), env=dict(os.environ, GOFLAGS='-mod=readonly'), capture_output=True, text=True)


def main():
    hcldec, folder = map(os.path.abspath, sys.argv[1:3])
    if not shutil.which('go'):
        skip('no go')
    runner = os.path.join(folder, 'hclspecsuite')
    built = go('build', '-o', runner, 'github.com/hashicorp/hcl/v2/cmd/hclspecsuite')
    if built.returncode != 0:
        skip('the suite\'s runner does not build: ' + (built.stderr.strip().splitlines() or [''])[-1])
    suite = os.environ.get('SUITE') or os.path.join(go('list', '-m', '-f', '{{.Dir}}', 'github.com/hashicorp/hcl/v2').stdout.strip(), 'specsuite/tests')
    total = sum(name.endswith('.t') for _, _, names in os.walk(suite) for name in names)
    if total == 0:
        skip(f'no tests in {suite}')
    done = subprocess.run([runner, suite, hcldec], capture_output=True, text=True)
    # One line `- name` a test, followed by what is wrong with it.
    failed, name = set(), ''
    for line in done.stdout.splitlines():
        if line.startswith('- '):
            name = line[2:]
        elif line.strip() and not line.startswith('=='):
            failed.add(name)
    if done.returncode != 0:
        print(done.stdout, done.stderr)
    print(f'hcl specsuite: {total - len(failed)} of {total} pass')
    sys.exit(1 if failed or done.returncode != 0 else 0)


main()
