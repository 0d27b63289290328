#!/usr/bin/env python3
"""Our language beside the reference's: random expressions, templates and bodies through both.

Usage: run.py <hcl-answers> <build directory>. The HCL library of Go comes from the module proxy or its cache; where there is neither,
the test is skipped with the reason. COUNT cases (1,500; with LONG=1 10,000) of seed SEED (1).

Values must agree, and whether a case is refused. Messages and places must agree too, but for what is named in `settled` and a few
cases in a thousand, where the reference goes on after an error with half a value."""
import json
import os
import re
import shutil
import subprocess
import sys

from generate import cases

SKIPPED = 77
here = os.path.dirname(os.path.abspath(__file__))


def skip(reason):
    print('skipped:', reason)
    sys.exit(SKIPPED)


def build_oracle(folder):
    if not shutil.which('go'):
        skip('no go')
    program = os.path.join(folder, 'hcl-oracle')
    environment = dict(os.environ, GOFLAGS='-mod=readonly')
    done = subprocess.run(['go', 'build', '-o', program, '.'], cwd=os.path.join(here, 'oracle'), env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        skip('the HCL library of Go does not build: ' + (lines[-1] if lines else ''))
    return program


def answers(program, text):
    done = subprocess.run([program], input=text, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        sys.exit(f'{program} ended with {done.returncode}: {done.stderr[-2000:]}')
    return [json.loads(line) for line in done.stdout.splitlines()]


def settled(problem):
    """Which of several names as near is suggested is chance in the reference: it walks a hash table."""
    if 'There is no variable named' in problem or 'There is no function named' in problem:
        return re.sub(r' Did you mean "[^"]*"\?', '', problem)
    return problem


def broken(answer):
    """The reference panics on a few calls (a negative indentation, the logarithm of a negative number); ours says what is wrong."""
    return 'panic' in answer or any('panic in function' in problem for problem in answer.get('problems', []))


def main():
    program, folder = map(os.path.abspath, sys.argv[1:3])
    oracle = build_oracle(folder)
    count = int(os.environ.get('COUNT', '10000' if os.environ.get('LONG') else '1500'))
    made = cases(int(os.environ.get('SEED', '1')), count)
    text = ''.join(json.dumps(case) + '\n' for case in made)
    theirs, ours = answers(oracle, text), answers(program, text)
    assert len(theirs) == len(ours) == len(made), (len(theirs), len(ours), len(made))
    wrong, worded, refused = [], [], 0
    for case, want, have in zip(made, theirs, ours):
        if broken(want):
            continue
        refused += 'problems' in want
        if 'problems' in want and 'problems' in have:
            if sorted(map(settled, want['problems'])) != sorted(map(settled, have['problems'])):
                worded.append((case, want, have))
        elif want != have:
            wrong.append((case, want, have))
    for case, want, have in wrong + worded[:10]:
        print(f'{case["kind"]} {case["text"]!r}\n  reference {json.dumps(want)}\n  ours      {json.dumps(have)}')
    print(f'hcl: {count - len(wrong)} of {count} agree ({refused} refused by both, {len(worded)} of them in other words)')
    sys.exit(1 if wrong or len(worded) * 200 > count else 0)


main()
