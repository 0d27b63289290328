#!/usr/bin/env python3
"""Replays the recorded session of the command line (tests/golden/cli) and counts agreement.

usage: replay_cli.py [--accept] [--show N] [--only TEXT]

Starts the agent of golden_agent.py, runs the rows in order as `nomad` with no terminal and empty input, and compares exit code,
stdout and stderr as cli/README.md says. Rows of commands that are not built are skipped. cli/agreeing.txt is the ratchet: a row in it that no longer agrees is an error; --accept writes the rows that agree. BUILD names the build
directory. GOLDEN_DIR names another directory of tests/golden's layout: its rows are run in their places, and only they are counted."""
import argparse
import collections
import difflib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time

import golden_agent
import harness

HERE = os.path.dirname(os.path.abspath(__file__))
UUID = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)'
DURATION = r'(?:\d+(?:\.\d+)?(?:y|mo|d|h|m|s|ms|µs|us|ns))+'
PATTERNS = {
    'uuid': UUID, 'id8': r'[0-9a-f]{8}', 'time': TIME, 'date': r'.+', 'dur': DURATION, 'index': r'\d+', 'nanos': r'\d+',
    'port': r'\d+', 'n': r'\d+(?:\.\d+)?(?: [KMGT]?i?B)?', 'dir': r'/\S*?', 'unix': r'\d+', 'hex': r'[0-9a-f]+', 'help text': r'.+',
}
PLACEHOLDER = re.compile(r'<([a-z0-9 ]+)(?::(\d+))?>')
READS = re.compile(r'(status|eval (list|status)|alloc (status|logs|fs)|deployment (list|status)|node status|job (status|history|inspect|allocs|deployments))\b')
RECORDED_VERSION = '2.0.6-dev'
RECORDED_PORTS = ('14646', '14647', '14648')  # http, rpc, serf
SAVED = ('alloc', 'node', 'eval', 'dep')


def is_placeholder(name):
    return name in PATTERNS or name in SAVED


def squeeze(text):
    """Runs of blanks inside lines become two, trailing ones go: widths are those of the recording's ids and times."""
    return '\n'.join(re.sub(r'(?<=\S) {2,}', '  ', line).rstrip() for line in text.split('\n'))


def sorted_json(text):
    if text[:1] not in '[{':
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False) + '\n'


class Replay:
    def __init__(self, agent):
        self.agent, self.saved = agent, {}
        self.patient_until = 0.0
        self.build = build_of(agent)  # its width is not the recorded one's
        self.work = os.path.join(agent.sandbox.directory, 'work')
        shutil.copytree(os.path.join(HERE, 'cli', 'files'), self.work)
        self.program = os.path.join(os.path.dirname(agent.sandbox.drover), 'nomad')
        os.symlink('drover', self.program)
        self.environment = {'PATH': os.environ['PATH'], 'HOME': self.work, 'PWD': self.work, 'TZ': 'UTC', 'LANG': 'C.UTF-8',
                            'NOMAD_ADDR': agent.url}

    def pattern(self, expected):
        out, at = '', 0
        for found in PLACEHOLDER.finditer(expected):
            name, cut = found.group(1), found.group(2)
            if not is_placeholder(name):
                continue
            out += re.escape(expected[at:found.start()])
            if name in SAVED:
                value = self.saved.get(name, '?')
                out += re.escape(value[:int(cut)] if cut else value)
            else:
                out += PATTERNS[name]
            at = found.end()
        return re.compile(out + re.escape(expected[at:]), re.DOTALL if '<help text>' in expected else 0)

    def agrees(self, expected, actual):
        actual = sorted_json(actual)
        if self.build in expected or any(is_placeholder(found.group(1)) for found in PLACEHOLDER.finditer(expected)):
            expected, actual = squeeze(expected), squeeze(actual)
        return self.pattern(expected).fullmatch(actual) is not None

    def words(self, text):
        out = []
        for word in text.split(' '):
            word = re.sub(r'\{\{.*?\}\}', lambda found: found.group(0).replace('_', ' '), word)
            if word == 'exit_7':
                word = 'exit 7'
            found = re.fullmatch(r'\$(alloc|node|eval|dep)(8?)', word)
            if found:
                value = self.saved.get(found.group(1), '?')
                word = value[:8] if found.group(2) else value
            out.append(word)
        return out

    def step(self, text):
        """Does a @ line; returns None or what did not come true."""
        kind, *arguments = text.split(' ')
        if kind == '@sleep':
            self.patient_until = time.monotonic() + 20
        elif kind == '@wait':
            path, status = arguments
            until = time.monotonic() + 20
            while (self.agent.get(path) or {}).get('Status') != status:
                if time.monotonic() > until:
                    return f'{text}: {json.dumps(self.agent.get(path))[:300]}'
                time.sleep(0.1)
        else:
            value = self.look_up(*arguments)
            while not value and time.monotonic() < self.patient_until:
                time.sleep(0.1)
                value = self.look_up(*arguments)
            if not value:
                return f'{text}: nothing found'
            self.saved[arguments[0]] = value
        return None

    def look_up(self, name, job=''):
        if name == 'node':
            return self.agent.get('/v1/nodes')[0]['ID']
        if name == 'alloc':
            allocs = [one for one in self.agent.get(f'/v1/job/{job}/allocations') if one['ClientStatus'] == 'running']
            return max(allocs, key=lambda one: one['CreateIndex'])['ID'] if allocs else None
        if name == 'eval':
            # Lists are in the order of random ids; the recording's first one was the newest.
            evals = self.agent.get(f'/v1/job/{job}/evaluations')
            return max(evals, key=lambda one: one['CreateIndex'])['ID'] if evals else None
        return (self.agent.get(f'/v1/job/{job}/deployment') or {}).get('ID')

    def run(self, row):
        """Runs a row; returns None when it agrees, else the difference as text. Where the recording slept, those that read are
        repeated until they agree, up to the next that changes something."""
        if not READS.match(row['args']):
            self.patient_until = 0.0
        problem = self.run_once(row)
        while problem and time.monotonic() < self.patient_until:
            time.sleep(0.1)
            problem = self.run_once(row)
        return problem

    def run_once(self, row):
        try:
            done = subprocess.run([self.program, *self.words(row['args'])], cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return 'not done within 60 s'
        out, err = done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace')
        problems = [] if done.returncode == row['exit'] else [f'exit code {done.returncode}, not {row["exit"]}']
        if not row.get('text_not_stable'):
            for name, actual in (('stdout', out), ('stderr', err)):
                if not self.agrees(row[name], actual):
                    problems.append(f'{name}:\n' + self.difference(row[name], sorted_json(actual)))
        return '\n'.join(problems) if problems else None

    def difference(self, expected, actual):
        """The lines that differ; lines of the answer that match the expected one count as it."""
        wanted, got = squeeze(expected).split('\n'), squeeze(actual).split('\n')
        patterns = {}
        shown = []
        for line in got:
            match = next((other for other in wanted if patterns.setdefault(other, self.pattern(other)).fullmatch(line)), None)
            shown.append(line if match is None else match)
        lines = [line for line in difflib.ndiff(wanted, shown) if line[:1] in '+-']
        if not lines:
            lines = [repr(expected[-300:]), repr(actual[-300:])]
        return '\n'.join('      ' + line[:230] for line in lines[:24])


def build_of(agent):
    return agent.get('/v1/agent/self')['member']['Tags']['build']


def read_rows(folder, agent):
    """The rows of a session by number, with the ports of this agent in the place of the recorded ones."""
    with open(os.path.join(folder, 'cli', 'session.json'), encoding='utf-8') as file:
        text = file.read()
    for recorded, actual in zip(RECORDED_PORTS, (agent.http, agent.rpc, agent.serf)):
        text = text.replace(recorded, str(actual))
    # The version is ours by decision; what it looks like is not what the session is about.
    text = text.replace(RECORDED_VERSION, build_of(agent))
    return {row['seq']: row for row in json.loads(text)}


class Outcome:
    def __init__(self):
        self.agreed, self.failed, self.skipped, self.waits = [], [], collections.Counter(), []

    def summary(self):
        missing = ', '.join(f'{command} {count}' for command, count in sorted(self.skipped.items()) if count)
        return (f'cli: {len(self.agreed)} of {len(self.agreed) + len(self.failed)} rows agree; '
                f'{sum(self.skipped.values())} of commands not built{": " if missing else ""}{missing}')


def built(replay, arguments):
    """Whether the program has the command of a row: its help is not that of a group or of the whole."""
    words = list(itertools.takewhile(lambda word: not word.startswith('-'), arguments.split(' ')))[:4]
    done = subprocess.run([replay.program, *words, '-help'], env=replay.environment, capture_output=True, check=False)
    return done.returncode == 0 and b'<subcommand>' not in done.stdout.partition(b'\n')[0]


def play(replay, rows, counted):
    outcome = Outcome()
    for seq in sorted(rows):
        row = rows[seq]
        if 'step' in row:
            problem = replay.step(row['step'])
            if problem:
                outcome.waits.append(f'#{seq} {problem}')
            continue
        help_only = row.get('stdout', '').endswith('<help text>') and not row['stderr']
        if not help_only and not row['args'].startswith('-') and not built(replay, row['args']):
            outcome.skipped[' '.join(row['args'].split(' ')[:2])] += seq in counted
            continue
        problem = replay.run(row)
        if seq not in counted:
            continue
        if problem is None:
            outcome.agreed.append(seq)
        else:
            outcome.failed.append((seq, row['args'], problem))
    return outcome


def check_ratchet(path, agreed, accept):
    """Compares with the rows that agreed before; returns those that no longer do."""
    known = set()
    if os.path.exists(path):
        with open(path, encoding='utf-8') as file:
            known = {int(line) for line in file if line.strip()}
    if accept:
        with open(path, 'w', encoding='utf-8') as file:
            file.writelines(f'{seq}\n' for seq in sorted(agreed))
        return []
    new = sorted(set(agreed) - known)
    if new:
        print(f'{len(new)} rows agree that are not in {os.path.basename(path)}; write them with --accept: {new}')
    return sorted(known - set(agreed))


def main():
    parser = argparse.ArgumentParser(description='Replays the recorded session of the command line.')
    parser.add_argument('--accept', action='store_true', help='write the ratchet file')
    parser.add_argument('--show', type=int, default=1000, help='differences to print')
    parser.add_argument('--only', default='', help='show only rows whose words contain this')
    options = parser.parse_args()
    if os.geteuid() != 0:
        print('cli: needs root')
        return 77
    other = os.environ.get('GOLDEN_DIR')
    if other and not os.path.exists(os.path.join(other, 'cli', 'session.json')):
        print(f'cli: nothing recorded in {other}')
        return 77
    harness.become_reaper()
    sandbox = harness.Sandbox()
    try:
        agent = golden_agent.start_agent(sandbox)
        rows = read_rows(HERE, agent)
        chosen = read_rows(other, agent) if other else rows
        outcome = play(Replay(agent), {**rows, **chosen}, set(chosen))
    finally:
        sandbox.destroy()
    print(outcome.summary())
    for problem in outcome.waits:
        print(f'  not within the limit: {problem}')
    for seq, arguments, problem in [one for one in outcome.failed if options.only in one[1]][:options.show]:
        print(f'  #{seq} {arguments}\n    {problem}')
    if other:
        return 0
    lost = check_ratchet(os.path.join(HERE, 'cli', 'agreeing.txt'), outcome.agreed, options.accept)
    if lost:
        print(f'rows no longer agree: {lost}')
    return 1 if lost else 0


if __name__ == '__main__':
    sys.exit(main())
