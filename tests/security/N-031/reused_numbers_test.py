"""A number that another process has by now is not killed."""
import os
import signal
import struct
import subprocess

from tasks import contains, equal


def start_ticks(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        return file.read().rpartition(')')[2].split()[19]


def start_later_than(pid):
    """The kernel tells processes of one number apart by the tick they began in."""
    while True:
        process = subprocess.Popen(['sleep', '1000'])
        if start_ticks(process.pid) != start_ticks(pid):
            return process
        process.kill()
        process.wait()


def N_031_stranger_with_the_number_lives(node):
    """The executor is gone and its record names the number of a stranger: it lives, and the end is unknown."""
    node.driver('raw_exec', no_cgroups=True)
    task = node.start('echo up; exec sleep 1000').until('up')
    record = [os.path.join(base, 'launch') for base, _, names in os.walk(node.base + '/state') if 'launch' in names][0]
    stranger = start_later_than(task.pid)
    try:
        with open(record, 'r+b') as file:
            data = file.read()
            field = struct.pack('<HHIQ', 62, 0, 8, task.pid)
            at = data.index(field)
            file.seek(at)
            file.write(struct.pack('<HHIQ', 62, 0, 8, stranger.pid))
        os.kill(task.executor, signal.SIGKILL)
        contains(task.wait().unknown, 'unknown')
        equal(stranger.poll(), None, 'the stranger')
    finally:
        stranger.kill()
        stranger.wait()
        os.kill(task.pid, signal.SIGKILL)
