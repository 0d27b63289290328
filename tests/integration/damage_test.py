#!/usr/bin/env python3
"""Bytes on disk that are torn or flipped: cut off when they were never acknowledged, refused by name when they were."""
import glob
import os
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


def test_corrupt_client_state_is_quarantined_and_tasks_adopted(sandbox):
    agent = sandbox.agent().start()
    agent.run(counting_job('counts', agent.directory), '-detach')
    agent.wait_alloc('counts', 'running')
    pids = os.path.join(agent.directory, 'pids')
    pid = int(until('the task to write its pid', lambda: os.path.exists(pids) and open(pids, encoding='ascii').read()))
    born = start_time(pid)
    agent.kill9()
    databases = [path for path in glob.glob(f'{agent.data}/client/**/*', recursive=True)
                 if os.path.isfile(path) and open(path, 'rb').read(15) == b'SQLite format 3']
    expect(len(databases) == 1, f'SQLite files below {agent.data}/client: {databases}')
    size = os.path.getsize(databases[0])
    with open(databases[0], 'r+b') as file:
        file.write(b'\xa5' * size)
    for side in ('-wal', '-shm'):
        if os.path.exists(databases[0] + side):
            os.remove(databases[0] + side)
    agent.start()
    kept = [path for path in glob.glob(f'{databases[0]}*') + glob.glob(f'{os.path.dirname(databases[0])}/*corrupt*') if path != databases[0]]
    expect(any(open(path, 'rb').read(4) == b'\xa5' * 4 for path in kept), f'the corrupt file was not kept beside the new one: {kept}')
    expect(start_time(pid) == born, 'the running task was ended')


if __name__ == '__main__':
    harness.main(globals())
