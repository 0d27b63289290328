#!/usr/bin/env python3
"""F-04: kill -9 of the agent, of drivers and of executors, at any moment and in any mix, while tasks of several kinds start, run,
restart, are stopped and end.

A storm is some forty kills. After each one the world is left alone until it has settled, and then looked at: every task whose
executor was spared is the process it was and has a log without a gap; every end is reported once, with the code the task itself wrote
down before it ended, or as unknown where its executor was killed; of every service one process runs; of what has ended nothing is
left. `KILLS` (60) says how many kills, `SEED` repeats the choices of an earlier run, though not its moments."""
import http.client
import os
import random
import signal
import threading
import time

import harness
from harness import expect, until
from jobs import shell_job

KILLS = int(os.environ.get('KILLS', '60'))
SEED = int(os.environ.get('SEED', str(random.SystemRandom().randrange(10**6))))
STORM = 40
KEPT_EVENTS = 10  # of a task: the oldest ones go
DRIVERS = {'raw_exec': 'drover-driver-raw-exec', 'exec': 'drover-driver-exec'}
# P-23: a driver that ends more often within the life of one agent is started again only after minutes.
DRIVER_KILLS = 3
LOST = (OSError, http.client.HTTPException, harness.Failure)  # what a call to an agent that dies may raise


def short_hash(text):
    """The name of a task's slot among the executors' records (sdk/executor/executor_task.cc)."""
    value = 14695981039346656037
    for byte in text.encode():
        value = (value ^ byte) * 1099511628211 % 2**64
    return f'{value:016x}'


class Kind:
    """One sort of task: what it does, and what is true of it when it has ended."""

    def __init__(self, name, script, driver, code=None, restarts=0, job_type='batch', more='', lines=None):
        self.name, self.script, self.driver, self.code, self.restarts = name, script, driver, code, restarts
        self.job_type, self.more, self.lines = job_type, more, lines

    @property
    def is_service(self):
        return self.code is None


NOTE = '>>"$NOMAD_ALLOC_DIR/data/notes"'


def kinds(rng):
    """A new one of each sort, with numbers of its own."""
    driver = rng.choice(list(DRIVERS))
    code, lines = rng.choice([0, 0, 1, 7, 255]), rng.choice([0, 1, 5, 30, 90])
    count = f'i=0; while [ $i -lt {lines} ]; do echo $i; i=$((i+1)); sleep 0.02; done'
    forever = 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done'
    init = '\n        init = true' if driver == 'exec' and rng.random() < 0.3 else ''
    return [
        Kind('ends', f'echo start {NOTE}; {count}; echo end {code} {NOTE}; exit {code}', driver, code, more=init, lines=lines),
        Kind('crashes', f'echo start {NOTE}; {count}; echo end 143 {NOTE}; kill -TERM $$; sleep 60', 'raw_exec', 143, lines=lines),
        Kind('restarts', f'echo start {NOTE}; sleep 0.{lines:02}; echo end 5 {NOTE}; exit 5', driver, 5, restarts=2),
        Kind('stays', f'echo start {NOTE}; {forever}', driver, job_type='service', more=init),
        Kind('stubborn', f'trap "" INT TERM; echo start {NOTE}; {forever}', driver, job_type='service', more=init),
        Kind('orphans', f'echo start {NOTE}; (setsid sleep 1000 &) ; {count}; echo end {code} {NOTE}; exit {code}', driver, code, lines=lines),
    ]


class Life:
    """A job, from its registration until nothing is left of it."""

    def __init__(self, kind, number):
        self.kind, self.name = kind, f'{kind.name}-{number}'
        self.alloc, self.stopping, self.seen = None, False, None
        restart = f'attempts = {1000 if kind.is_service else kind.restarts}\n interval = "24h"\n delay = "0s"\n mode = "fail"'
        text = shell_job(self.name, kind.script, kind.driver, kind.job_type, restart, 'reschedule {\n attempts = 0\n unlimited = false\n}')
        text = text.replace('driver = "', 'kill_timeout = "200ms"\n      driver = "', 1)
        self.text = text.replace('args    =', f'{kind.more.strip()}\n        args    =', 1)

    def notes(self, agent):
        try:
            with open(f'{agent.data}/alloc/{self.alloc}/alloc/data/notes', encoding='ascii') as file:
                return file.read().split('\n')[:-1]
        except FileNotFoundError:
            return []

    def log(self, agent):
        out = ''
        for number in range(100):
            try:
                with open(f'{agent.data}/alloc/{self.alloc}/alloc/logs/t.stdout.{number}', encoding='ascii') as file:
                    out += file.read()
            except FileNotFoundError:
                return out
        return out


class Killer(threading.Thread):
    """Kills until its number is reached; then the agent is up."""

    def __init__(self, agent, rng, count):
        super().__init__(daemon=True)
        self.agent, self.rng, self.count, self.error = agent, rng, count, None
        self.touched = set()  # slots of tasks whose executor was killed
        self.kills = {'agent': 0, 'driver': 0, 'executor': 0}
        self.of_driver = {}

    def run(self):
        try:
            while sum(self.kills.values()) < self.count:
                time.sleep(self.rng.expovariate(1 / 0.15))
                self.strike()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def strike(self):
        """The mix of one moment: mostly one victim, now and then everything at once."""
        agent, driver, executor = self.rng.choice([(1, 0, 0)] * 6 + [(0, 1, 0)] * 4 + [(0, 0, 1)] * 3 + [(1, 1, 0)] * 2 + [(0, 1, 1), (1, 0, 1), (1, 1, 1)])
        processes = harness.descendants()
        if driver:
            for name in self.rng.choice([list(DRIVERS.values()), *[[one] for one in DRIVERS.values()]]):
                if not agent and self.of_driver.get(name, 0) >= DRIVER_KILLS:
                    continue
                for pid in [pid for pid, exe in processes.items() if exe == name and not self.is_child_of_same(pid, exe)]:
                    self.kill('driver', pid)
                    self.of_driver[name] = self.of_driver.get(name, 0) + 1
        if executor:
            executors = [pid for pid, exe in processes.items() if exe == 'drover-executor' and not self.is_child_of_same(pid, exe)]
            for pid in self.rng.sample(executors, min(len(executors), self.rng.choice([1, 1, 2]))):
                self.kill('executor', pid)
        if agent:
            self.kills['agent'] += 1
            self.agent.kill9()
            self.of_driver = {}
            time.sleep(self.rng.choice([0, 0, 0.05, 0.3]))
            self.agent.spawn()

    @staticmethod
    def is_child_of_same(pid, exe):
        """A process that has yet to become its program: an executor its driver has just forked, a task its executor has."""
        fields = harness.stat_fields(pid)
        return fields is None or harness.program(int(fields[1])) == exe

    def kill(self, what, pid):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            if what == 'executor':
                self.touched.add(os.path.basename(os.path.dirname(os.readlink(f'/proc/{pid}/fd/4'))))
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            self.kills[what] += 1
        except (ProcessLookupError, FileNotFoundError):
            pass
        finally:
            os.close(handle)


class World:
    def __init__(self, sandbox, rng):
        self.sandbox, self.rng, self.number = sandbox, rng, 0
        self.agent = sandbox.agent(extra='client {\n cpu_total_compute = 100000\n memory_total_mb = 100000\n gc_interval = "10m"\n}\n')
        self.agent.start(drivers=DRIVERS)
        self.lives, self.slots = [], set()
        self.counts = {'right': 0, 'unknown': 0, 'not started': 0, 'adopted': 0}

    def call(self, *arguments):
        """Of an agent that may die meanwhile: None is no answer."""
        try:
            return self.agent.call(*arguments, timeout=5)
        except LOST:
            return None

    # During a storm

    def register(self, life):
        job = self.call('POST', '/v1/jobs/parse', {'JobHCL': life.text, 'Canonicalize': True})
        return job is not None and self.call('POST', '/v1/jobs', {'Job': job}) is not None

    def act(self):
        """One thing that users do."""
        waiting = [life for life in self.lives if not life.kind.is_service]
        services = [life for life in self.lives if life.kind.is_service and not life.stopping]
        if services and self.rng.random() < 0.04:
            life = self.rng.choice(services)
            # A stop without an answer may have been made: from here on it is wanted, and asked for again afterwards.
            life.stopping = True
            self.call('DELETE', f'/v1/job/{life.name}')
        elif len(waiting) < 8 or len(services) < 4:
            self.number += 1
            life = Life(self.rng.choice(kinds(self.rng)), self.number)
            # A registration without an answer may have been made: made again it changes nothing.
            until('a registration to be answered', lambda: self.register(life), 60)
            self.lives.append(life)

    def storm(self, count):
        killer = Killer(self.agent, self.rng, count)
        killer.start()
        while killer.is_alive():
            self.act()
            time.sleep(self.rng.choice([0.005, 0.05, 0.1]))
        if killer.error:
            raise killer.error
        self.slots |= killer.touched
        return killer.kills

    # After it

    def processes(self):
        """alloc id -> the first processes of its tasks, with their start times."""
        found = {}
        everything = harness.descendants()
        for pid, exe in everything.items():
            if exe.startswith('drover') or not exe:
                continue
            try:
                with open(f'/proc/{pid}/environ', 'rb') as file:
                    words = dict(word.split(b'=', 1) for word in file.read().split(b'\0') if b'=' in word)
            except OSError:
                continue
            if b'NOMAD_ALLOC_ID' in words:
                found[pid] = words[b'NOMAD_ALLOC_ID'].decode()
        out = {}
        for pid, alloc in found.items():
            fields = harness.stat_fields(pid)
            if fields and int(fields[1]) not in found:
                out.setdefault(alloc, []).append((pid, int(fields[19])))
        return out

    def is_touched(self, life):
        return short_hash(f'{life.alloc}/t') in self.slots

    def settle(self):
        until('the agent to answer', lambda: self.call('GET', '/v1/status/leader'))
        self.agent.wait_node(DRIVERS, 60)
        for life in self.lives:
            if life.stopping:
                self.agent.call('DELETE', f'/v1/job/{life.name}')
            if life.alloc is None:
                until(f'the evaluations of {life.name}', lambda life=life: self.is_evaluated(life), say=lambda life=life: self.agent.get(f'/v1/job/{life.name}/evaluations'))
                allocs = self.agent.get(f'/v1/job/{life.name}/allocations')
                if life.stopping and not allocs:
                    continue  # stopped before it was placed
                expect(len(allocs) == 1, f'{life.name} has {len(allocs)} allocations')
                life.alloc = allocs[0]['ID']
        self.lives = [life for life in self.lives if life.alloc is not None]
        for life in self.lives:
            wanted = ('complete',) if life.stopping else ('running',) if life.kind.is_service else ('complete', 'failed')
            until(f'{life.name} to be {" or ".join(wanted)}', lambda life=life, wanted=wanted: self.status(life)['ClientStatus'] in wanted, 60,
                  say=lambda life=life: self.describe(life))
        services = {life.alloc for life in self.lives if life.kind.is_service and not life.stopping}
        until('one process for each task that runs, and none for others',
              lambda: {alloc: len(pids) for alloc, pids in self.processes().items()} == {alloc: 1 for alloc in services}, 30,
              say=lambda: self.differences(services))

    def differences(self, services):
        found = self.processes()
        wrong = [life for life in self.lives if len(found.get(life.alloc, [])) != (life.alloc in services)]
        strangers = {alloc: pids for alloc, pids in found.items() if alloc not in {life.alloc for life in self.lives}}
        return f'of allocations that nobody knows {strangers}; ' + '; '.join(f'{life.name}: {self.describe(life)}' for life in wrong)

    def describe(self, life):
        """What there is to know of a task that does not get where it should."""
        alloc, shown = self.status(life), self.processes().get(life.alloc)
        events = [(one['Type'], one['DisplayMessage']) for task in (alloc['TaskStates'] or {}).values() for one in task['Events'] or []]
        with open(self.agent.log, encoding='utf-8', errors='replace') as file:
            lines = [line.strip() for line in file if life.alloc in line]
        return f'alloc {life.alloc} is {alloc["ClientStatus"]}, wanted {alloc["DesiredStatus"]}; processes {shown}; executors {self.executors()}; events {events}; log {lines[-20:]}'

    def is_evaluated(self, life):
        states = {one['Status'] for one in self.agent.get(f'/v1/job/{life.name}/evaluations')}
        return states and states <= {'complete', 'canceled'}

    def status(self, life):
        return self.agent.get(f'/v1/allocation/{life.alloc}')

    def check(self):
        processes = self.processes()
        for life in self.lives:
            alloc = self.status(life)
            task = alloc['TaskStates']['t']
            say = f'{life.name} ({alloc["ID"][:8]}{", executor killed" if self.is_touched(life) else ""}): notes {life.notes(self.agent)}, ' \
                  f'restarts {task["Restarts"]}, events {[(one["Type"], one["DisplayMessage"]) for one in task["Events"]]}'
            if life.kind.is_service and not life.stopping:
                self.check_running(life, task, processes[life.alloc][0], say)
            elif life.kind.is_service:
                expect(not task['Failed'], f'a stopped task counts as failed: {say}')
            else:
                self.check_end(life, task, say)
            if not self.is_touched(life):
                self.check_log(life, say)

    def check_running(self, life, task, process, say):
        starts = life.notes(self.agent).count('start')
        if life.seen is not None and life.seen['touched'] == self.is_touched(life):
            if not self.is_touched(life):
                expect(process == life.seen['process'], f'another process than {life.seen["process"]}: {process}; {say}')
        if not self.is_touched(life):
            failures = [one['DisplayMessage'] for one in task['Events'] if one['Type'] == 'Driver Failure']
            expect(starts == 1, f'started {starts} times: {say}')
            self.counts['adopted'] += 1
            expect(task['Restarts'] == 0 or failures, f'restarted without a reason: {say}')
        expect(starts <= task['Restarts'] + 1, f'more starts than restarts: {say}')
        life.seen = {'process': process, 'touched': self.is_touched(life)}

    def check_end(self, life, task, say):
        notes = life.notes(self.agent)
        starts, ends = notes.count('start'), [int(one.split()[1]) for one in notes if one.startswith('end')]
        told = [one for one in task['Events'] if one['Type'] == 'Terminated']
        failures = [one['DisplayMessage'] for one in task['Events'] if one['Type'] == 'Driver Failure']
        allowed = life.kind.restarts + 1
        expect(starts <= allowed and len(told) <= allowed, f'more starts than allowed: {say}')
        for event in told:
            unknown = 'unknown' in event['DisplayMessage']
            expect(not unknown or self.is_touched(life), f'an unknown end, and nobody killed its executor: {say}')
            expect(unknown or event['ExitCode'] == life.kind.code, f'a wrong exit code: {say}')
            self.counts['unknown' if unknown else 'right'] += 1
        if failures:
            self.counts['not started'] += 1
        if self.is_touched(life):
            return
        expect(all('exited unexpectedly' in one or 'plugin' in one for one in failures), f'a start failed: {say}')
        expect(starts == len(ends), f'a task did not come to its end: {say}')
        expect(starts + len(failures) >= (1 if life.kind.code == 0 else allowed), f'fewer starts than policy says: {say}')
        if len(task['Events']) < KEPT_EVENTS:
            expect(len(told) == starts, f'{starts} ends, {len(told)} told: {say}')

    def check_log(self, life, say):
        lines = life.log(self.agent).split('\n')[:-1]
        wanted, expected = [], 0
        for line in lines:
            expected = 0 if line == '0' else expected
            wanted.append(str(expected))
            expected += 1
        expect(lines == wanted, f'a gap in the log of {len(lines)} lines: {say}')
        if life.kind.lines is not None:
            starts = life.notes(self.agent).count('start')
            expect(len(lines) == starts * life.kind.lines, f'{len(lines)} lines in the log, written were {starts} times {life.kind.lines}: {say}')

    def strange_records(self, slots):
        strange = [path for path in self.sandbox.records() if path.split('/')[-2] not in slots]
        with open(self.agent.log, encoding='utf-8', errors='replace') as file:
            lines = [line.strip() for line in file]
        said = [line for path in strange for line in lines if path.split('/')[-2] in line]
        files = {path: os.listdir(path) for path in strange if os.path.isdir(path)}
        return f'{files}; executors {self.executors()}; said {said}; log {lines[-40:]}'

    @staticmethod
    def executors():
        """pid -> start directory and children of every executor."""
        out = {}
        for pid, exe in harness.descendants().items():
            try:
                if exe == 'drover-executor':
                    out[pid] = os.readlink(f'/proc/{pid}/fd/4'), harness.stat_fields(pid)[0], list(harness.descendants(pid).values())
            except OSError:
                continue
        return out

    def forget(self):
        """What has ended goes, and some of the rest; then only what belongs to the others is there."""
        gone = [life for life in self.lives if not life.kind.is_service or life.stopping or self.is_touched(life) or self.rng.random() < 0.3]
        for life in gone:
            self.agent.call('DELETE', f'/v1/job/{life.name}?purge=true')
        self.lives = [life for life in self.lives if life not in gone]
        alive = {life.alloc for life in self.lives}

        def only_the_living():
            self.agent.call('PUT', '/v1/system/gc')
            return set(os.listdir(f'{self.agent.data}/alloc')) == alive
        until('the directories of the ended to go', only_the_living)
        slots = {short_hash(f'{alloc}/t') for alloc in alive}
        until('the records of the ended to go', lambda: {path.split('/')[-2] for path in self.sandbox.records()} == slots, say=lambda: self.strange_records(slots))
        until('the processes of the ended to go', lambda: set(self.processes()) == alive)
        until('the executors of the ended to go', lambda: len(self.executors()) == len(alive), say=self.executors)
        harness.reap({self.agent.pid})
        self.sandbox.allocs = {life.alloc for life in gone}
        until('the cgroups and mounts of the ended to go', lambda: not [one for one in self.sandbox.sweep() if one.startswith('cgroup') or (one.startswith('mount') and not any(alloc in one for alloc in alive))])


def test_f04_l01_l02_l03_kills_at_random(sandbox):
    print(f'seed {SEED}', flush=True)
    world = World(sandbox, random.Random(SEED))
    total = {}
    try:
        while sum(total.values()) < KILLS:
            for what, count in world.storm(min(STORM, KILLS - sum(total.values()))).items():
                total[what] = total.get(what, 0) + count
            world.settle()
            world.check()
            world.forget()
            if KILLS > 10 * STORM:
                print(f'{sum(total.values())} kills, {world.number} jobs, ends {world.counts}', flush=True)
    except Exception:
        print(f'to repeat: SEED={SEED} KILLS={KILLS}; so far {total}, ends {world.counts}', flush=True)
        raise
    print(f'{total}, {world.number} jobs, ends {world.counts}', flush=True)


if __name__ == '__main__':
    harness.main(globals())
