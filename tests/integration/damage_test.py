#!/usr/bin/env python3
"""Bytes on disk that are torn or flipped: cut off when they were never acknowledged, refused by name when they were."""
import glob
import json
import os
import random
import shutil
import subprocess

import harness
from harness import contains, expect, start_time, until
from jobs import counting_job, shell_job


def newest_segment(agent):
    found = [path for path in glob.glob(f'{agent.data}/server/raft/**/*', recursive=True)
             if os.path.isfile(path) and 'snap' not in path and os.path.getsize(path) > 4096]
    expect(found, f'no log segment below {agent.data}/server/raft: {os.listdir(agent.data + "/server")}')
    return max(found, key=os.path.getmtime)


def written_bytes(path):
    """Size without the zeros that were allocated in advance."""
    with open(path, 'rb') as file:
        return len(file.read().rstrip(b'\0'))


def with_jobs(sandbox):
    agent = sandbox.agent().start(node=False)
    for number in range(5):
        agent.run(shell_job(f'job{number}', 'true', extra='constraint {\n attribute = "${attr.kernel.name}"\n value = "none"\n}'), '-detach')
    agent.kill9()
    return agent


def test_torn_end_of_the_raft_log_is_cut_off(sandbox):
    agent = with_jobs(sandbox)
    path = newest_segment(agent)
    with open(path, 'r+b') as file:  # half a record behind the last one, as a power cut leaves it
        file.seek((written_bytes(path) + 7) & ~7)
        file.write(b'\x40\x00\x00\x00\x99\x99\x99\x99' + bytes(20) + b'half')
    agent.start(node=False)
    names = sorted(job['ID'] for job in agent.get('/v1/jobs'))
    expect(names == [f'job{n}' for n in range(5)], f'jobs after the cut: {names}')


def test_flipped_byte_in_the_raft_log_is_refused_by_file_and_offset(sandbox):
    agent = with_jobs(sandbox)
    path = newest_segment(agent)
    with open(path, 'r+b') as file:
        file.seek(written_bytes(path) // 3)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0x10]))
    agent.spawn()
    try:
        status = agent.process.wait(10)
    except subprocess.TimeoutExpired:
        raise harness.Failure('the agent started on a damaged log') from None
    expect(status != 0, 'the agent ended with status 0')
    contains(agent.log_tail(), os.path.basename(path), 'offset')


def state_files(agent):
    """The client's database and what SQLite keeps beside it."""
    base = f'{agent.data}/client/state.db'
    expect(os.path.exists(base), f'no {base}: {os.listdir(agent.data + "/client")}')
    return [path for path in (base, base + '-wal') if os.path.exists(path)]


def change(path, at, data):
    with open(path, 'r+b') as file:
        file.seek(at)
        file.write(data)


def flip(path, at):
    with open(path, 'rb') as file:
        file.seek(at)
        byte = file.read(1)
    change(path, at, bytes([byte[0] ^ 0x10]))


def torn_record(agent):
    with open(state_files(agent)[-1], 'ab') as file:
        file.write(b'\x37\x7f\x06\x82half a frame')


def cut_short(agent):
    path = state_files(agent)[-1]
    os.truncate(path, os.path.getsize(path) - 1000)


def flipped_byte(agent):
    for path in state_files(agent):
        flip(path, os.path.getsize(path) // 2)


def zeroed_page(agent):
    for path in state_files(agent):
        change(path, os.path.getsize(path) // 8192 * 4096, bytes(4096))


def wrong_magic(agent):
    for path in state_files(agent):
        change(path, 0, b'not a database, and no log of one either')


def overwritten(agent):
    for path in state_files(agent):
        change(path, 0, b'\xa5' * os.path.getsize(path))


def empty_file(agent):
    for path in state_files(agent):
        os.truncate(path, 0)


def directory_instead(agent):
    lost(agent)
    os.makedirs(f'{agent.data}/client/state.db/inside')


def lost(agent):
    for path in glob.glob(f'{agent.data}/client/state.db*'):
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


DAMAGES = [torn_record, cut_short, flipped_byte, zeroed_page, wrong_magic, overwritten, empty_file, directory_instead, lost]


class Counting:
    """An agent with one live task that must outlive whatever happens to the client's state."""

    def __init__(self, sandbox):
        self.agent = sandbox.agent().start()
        self.agent.run(counting_job('counts', self.agent.directory), '-detach')
        self.alloc = self.agent.wait_alloc('counts', 'running')['ID']
        self.pid = int(until('the task to write its pid', self.pids)[0])
        self.born = start_time(self.pid)

    def pids(self):
        path = os.path.join(self.agent.directory, 'pids')
        return open(path, encoding='ascii').read().split() if os.path.exists(path) else []

    def in_hand(self):
        status, _, data = self.agent.request('GET', f'/v1/client/allocation/{self.alloc}/stats')
        return status == 200 and json.loads(data)['Tasks'].get('t')

    def survives(self, damage, what):
        self.agent.kill9()
        damage()
        self.agent.start()
        self.agent.wait_alloc('counts', 'running')
        # Only an agent that has the task in hand can tell how much it uses.
        until(f'{what}: the task to be in the agent\'s hand', self.in_hand)
        expect(start_time(self.pid) == self.born, f'{what}: the running task was ended')
        expect(self.pids() == [str(self.pid)], f'{what}: the task was started again: {self.pids()}')
        installed = sum('/plugins/' in place for place in harness.PROGRAMS.values())
        # A driver that is about to run a program is there twice for a moment.
        until(f'{what}: plugins that nobody can reach to be gone', lambda: len(self.agent.plugins()) == installed)

    def end(self):
        """The exit code arrives and the log has no gap."""
        with open(os.path.join(self.agent.directory, 'stop'), 'w', encoding='ascii'):
            pass
        done = self.agent.wait_alloc('counts', 'failed')
        exits = [event['ExitCode'] for event in done['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
        expect(done['ID'] == self.alloc and exits == [7], f'exit codes reported: {exits}')
        numbers = self.agent.logs(self.alloc, 't').split()
        expect(numbers == [str(n) for n in range(len(numbers))], 'the log has a gap')


def test_f36_f37_f38_damaged_client_state_is_put_aside_and_tasks_are_adopted(sandbox):
    task = Counting(sandbox)
    for damage in DAMAGES:
        task.survives(lambda: damage(task.agent), damage.__name__)  # pylint: disable=cell-var-from-loop
        if damage is overwritten:
            kept = [path for path in glob.glob(f'{task.agent.data}/client/*') if os.path.isfile(path) and open(path, 'rb').read(4) == b'\xa5' * 4]
            expect(kept, 'the corrupt file was not kept beside the new one')
    task.end()


def test_f37_bytes_flipped_anywhere_in_the_client_state(sandbox):
    task = Counting(sandbox)
    for seed in range(harness.ROUNDS):
        chance = random.Random(seed)

        def damage():
            path = chance.choice(state_files(task.agent))  # pylint: disable=cell-var-from-loop
            for _ in range(chance.randint(1, 30)):  # pylint: disable=cell-var-from-loop
                flip(path, chance.randrange(os.path.getsize(path)))  # pylint: disable=cell-var-from-loop
        task.survives(damage, f'seed {seed}')
    task.end()


def test_f38_task_that_ended_while_the_agent_was_dead_and_its_state_lost(sandbox):
    task = Counting(sandbox)
    task.agent.kill9()
    for victim in task.agent.plugins():
        os.kill(victim, 9)
    with open(os.path.join(task.agent.directory, 'stop'), 'w', encoding='ascii'):
        pass
    until('the task to end', lambda: start_time(task.pid) is None)
    lost(task.agent)
    task.agent.start()
    task.end()


def test_f38_job_stopped_while_the_agent_has_lost_its_state(sandbox):
    """What nobody wants any more is ended, not only forgotten."""
    task = Counting(sandbox)
    sandbox.arm('task.stop_stored')
    task.agent.call('DELETE', '/v1/job/counts')
    task.agent.process.wait()
    lost(task.agent)
    expect(start_time(task.pid) == task.born, 'the task was stopped already')
    task.agent.start()
    until('the task to be ended', lambda: start_time(task.pid) is None)
    task.agent.wait_alloc('counts', 'complete')


if __name__ == '__main__':
    harness.main(globals())
