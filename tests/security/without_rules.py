#!/usr/bin/env python3
"""Takes each rule out of the sources, builds, and shows that its test fails: a test that stays green without its rule says nothing.

without_rules.py [WORD...]: works on a copy of the tree with a build of its own, so nothing of it can reach a program that is shipped.
`--check` builds nothing: every text of removals.py is in its file once, and every test has a removal or a reason for having none."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import run  # noqa: E402  pylint: disable=wrong-import-position
from removals import NOT_REMOVED, REMOVALS  # noqa: E402  pylint: disable=wrong-import-position

SKIPPED = 'this machine lacks what it needs'
TARGETS = ['plugins/executor/drover-executor', 'tests/security/task-runner']


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def check():
    wrong = []
    for test, _, changes in REMOVALS:
        for path, text, _ in changes:
            count = read(os.path.join(ROOT, path)).count(text)
            if count != 1:
                wrong.append(f'{test}: {path} has {count} times: {text.strip()[:100]}')
    known = [test for test, _, _ in REMOVALS] + list(NOT_REMOVED)
    names = [function.__name__ for _, function in run.tests()]
    wrong += [f'{name} has no removal and no reason for having none (removals.py)' for name in names if not any(name.startswith(one) for one in known)]
    wrong += [f'{one} is the beginning of no test' for one in known if not any(name.startswith(one) for name in names)]
    return wrong


def build(tree):
    done = subprocess.run(['ninja', '-C', 'build', *TARGETS], cwd=tree, capture_output=True, text=True, check=False)
    return '' if done.returncode == 0 else done.stdout[-1500:]


def fails(tree, test):
    """What the test says without its rule; None when it passes."""
    done = subprocess.run([sys.executable, 'tests/security/run.py', test], cwd=tree, capture_output=True, text=True, check=False, env={**os.environ, 'BUILD': 'build'})
    failed = re.search(r'^FAIL (.*)', done.stdout, re.M)
    if failed:
        return failed.group(1)[:160]
    return SKIPPED if done.stdout.strip().splitlines()[-1].startswith('0 passed, 0 failed') else None


def main():
    wrong = check()
    if wrong or '--check' in sys.argv:
        print('\n'.join(wrong) or f'{len(REMOVALS)} removals, {len(NOT_REMOVED)} tests without one for a reason')
        return 1 if wrong else 0
    green = []
    with tempfile.TemporaryDirectory(prefix='drover-without-') as tree:
        os.chmod(tree, 0o755)  # programs are run as other users too
        subprocess.run(f'git -C {ROOT} ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t {tree}', shell=True, cwd=ROOT, check=True)
        subprocess.run(['meson', 'setup', 'build', '.', '-Dbuildtype=release'], cwd=tree, check=True, stdout=subprocess.DEVNULL)
        if said := build(tree):
            print(said)
            return 1
        for test, why, changes in REMOVALS:
            if sys.argv[1:] and not any(word in test for word in sys.argv[1:]):
                continue
            for path, text, instead in changes:
                with open(os.path.join(tree, path), 'r+', encoding='utf-8') as file:
                    content = file.read()
                    file.seek(0)
                    # What is left over by a removal, a name that nobody uses any more, is no mistake here.
                    quiet = '#pragma clang diagnostic ignored "-Weverything"\n' if path.endswith('.cc') and not content.startswith('#pragma') else ''
                    file.write(quiet + content.replace(text, instead))
                    file.truncate()
            said = build(tree)
            outcome = f'does not build: {said}' if said else fails(tree, test)
            if outcome is None or said:
                green.append(test)
            print(f'{"GREEN " if outcome is None or said else "skip  " if outcome == SKIPPED else "red   "} {test}: {why}: {outcome or "passes all the same"}', flush=True)
            for path, _, _ in changes:
                shutil.copyfile(os.path.join(ROOT, path), os.path.join(tree, path))
    print(f'{len(green)} tests are green without their rule: {", ".join(green)}' if green else 'every test fails without its rule')
    return 1 if green else 0


if __name__ == '__main__':
    sys.exit(main())
