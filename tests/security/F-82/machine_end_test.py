"""A machine that goes down is not kept waiting by its executors. Process 1 is this script, in a pid namespace of its own."""
import ctypes
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tasks import Node, equal, expect, until  # noqa: E402  pylint: disable=wrong-import-position

PR_SET_NAME = 15


def F_82_executors_end_with_the_machine_and_at_no_other_sigterm(node):
    build = os.path.dirname(os.path.dirname(os.path.dirname(node.executor)))
    done = subprocess.run(['unshare', '--pid', '--mount', '--fork', '--mount-proc', sys.executable, __file__, build, f'{node.base}/machine'],
                          capture_output=True, text=True, check=False)
    equal(done.returncode, 0, done.stdout + done.stderr)


def rename(name):
    ctypes.CDLL(None).prctl(PR_SET_NAME, name, 0, 0, 0)


def alive(pid):
    """Not a zombie: the runner reaps when it is asked something next."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def machine(build, base):
    expect(os.getpid() == 1, 'this is not process 1')
    node = Node(build, base)
    task = node.start('trap "" TERM; echo up; while :; do sleep 0.1; done').until('up')
    # An operator's, and that of `systemctl kill`: the executor goes on, as what it answers after it shows (L-01).
    subprocess.run(['/bin/kill', '-TERM', str(task.executor)], check=True)
    equal(task.exec('/bin/echo', 'here').get('stdout'), 'here\n', 'a session after SIGTERM of an operator')
    # Not even when its task ends: it stays until it is told to go.
    other = node.start('echo up; exec sleep 1000').until('up')
    subprocess.run(['/bin/kill', '-TERM', str(other.executor)], check=True)
    equal(other.call('stop', grace_ms=0, signal='SIGKILL'), {})
    equal(node.run('echo later').out, 'later\n')
    expect(alive(other.executor), 'the executor went at the SIGTERM of an operator')
    rename(b'systemd')
    os.kill(task.executor, 15)
    equal(task.exec('/bin/echo', 'here').get('stdout'), 'here\n', 'a session after SIGTERM of systemd')
    rename(b'systemd-shutdow')
    os.kill(task.executor, 15)
    until(lambda: not alive(task.executor), 'the executor to end with the machine')
    ended = task.wait()
    equal((ended.signal, ended.unknown), (9, ''), 'how the task ended')
    node.close()


if __name__ == '__main__':
    machine(*sys.argv[1:])
