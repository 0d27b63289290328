"""Whatever the task does with signals and sessions, it ends when it is told to."""
import os

from tasks import equal, expect, until


def F_14_double_fork_and_ignored_signals(node):
    for driver in ('exec', 'raw_exec'):
        for cgroups in (True, False):
            node.driver(driver, **({} if driver == 'exec' else {'no_cgroups': not cgroups}))
            mark = f'DROVER_TEST_MARK={os.getpid()}-{driver}-{cgroups}'
            task = node.start("trap '' TERM INT HUP; setsid sh -c '(sleep 1000 &) ; sleep 1000 &'; (setsid sleep 1000 &); echo up; while :; do sleep 1; done",
                              env=dict(['PATH=/usr/bin:/bin'.split('='), mark.split('=')]))
            task.until('up')
            answer = task.call('stop', grace_ms=50, signal='SIGTERM')
            equal(answer, {})
            equal(task.wait().signal, 9)
            node.finish(task)
            until(lambda executor=task.executor: has_ended(executor), 'the executor leaves when nothing is left of its task')
            expect(processes_with(mark) == [], 'a process of the task is left')


def has_ended(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            return file.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except OSError:
        return True


def processes_with(mark):
    found = []
    for pid in os.listdir('/proc'):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as file:
                if mark.encode() in file.read():
                    found.append(pid)
        except OSError:
            continue
    return found
