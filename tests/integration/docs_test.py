#!/usr/bin/env python3
"""The documents against the tree: the include table of docs/architecture.md is what tools/lint checks (rewritten with --accept),
every path that a document names in backticks exists, and so does the test of every rule in docs/security.md."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, 'docs/architecture.md')
BEGIN, END = '<!-- include table -->\n', '<!-- end of include table -->\n'
PATH = re.compile(r'^(sdk|lib|server|agent|plugins|cli|tests|tools|docs|bench|examples)/[A-Za-z0-9_./-]+$')


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def table_is_current(accept):
    text = read(PAGE)
    table = subprocess.run([os.path.join(ROOT, 'tools/lint'), '--table'], capture_output=True, text=True, check=True).stdout
    head, rest = text.split(BEGIN)
    old, tail = rest.split(END)
    if old == table:
        return []
    if accept:
        with open(PAGE, 'w', encoding='utf-8') as file:
            file.write(head + BEGIN + table + END + tail)
        return []
    return ['docs/architecture.md: the include table is not what `tools/lint --table` prints; run tests/integration/docs_test.py --accept']


def documents():
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '*.md'], cwd=ROOT, capture_output=True, text=True, check=False)
    return [path for path in listed.stdout.split() if path.startswith('docs/') or '/' not in path]


def paths_exist():
    problems = []
    for page in documents():
        prose = re.sub(r'```.*?```', '', read(os.path.join(ROOT, page)), flags=re.S)
        for word in re.findall(r'`([^`\n]+)`', prose):
            if PATH.match(word) and not os.path.exists(os.path.join(ROOT, word)):
                problems.append(f'{page}: `{word}` does not exist')
    return problems


def rules_are_tested():
    tests = ''.join(read(os.path.join(base, name)) for base, _, names in os.walk(os.path.join(ROOT, 'tests')) for name in names
                    if name.endswith(('_test.cc', '_test.py')))
    problems, rows = [], 0
    for line in read(os.path.join(ROOT, 'docs/security.md')).splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if not re.match(r'[NRPA]-\d+$', cells[0]):
            continue
        rows += 1
        names = re.findall(r'`([^`]+)`', cells[3])
        problems += [f'docs/security.md: {cells[0]}: no test is called "{name}"' for name in names if name not in tests]
        if not any(cells[0].replace('-', '_') in name or cells[0] in name for name in names):
            problems.append(f'docs/security.md: {cells[0]}: none of its tests has the rule in its name')
    return problems or ([] if rows else ['docs/security.md has no rules'])


def main():
    problems = table_is_current('--accept' in sys.argv)
    if os.path.exists(os.path.join(ROOT, '.git')):
        problems += paths_exist()
    problems += rules_are_tested()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
