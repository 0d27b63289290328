"""The task dies with its executor, which is the reaper of what the task leaves."""
import os
import select
import signal

from tasks import equal, expect, parent_of


def R_047_orphans_are_the_executors(node):
    node.driver('raw_exec')
    task = node.start("setsid sh -c 'sleep 1000 & echo $!' & wait; sleep 1000").until('\n')
    orphan = int(task.text().split()[0])
    equal(parent_of(orphan), task.executor, 'parent of an orphan')


def R_047_the_task_dies_with_its_executor(node):
    task = node.start('echo up; exec sleep 1000').until('up')
    watch = os.pidfd_open(task.pid)
    os.kill(task.executor, signal.SIGKILL)
    expect(select.select([watch], [], [], 20)[0], 'the task outlived its executor')
    os.close(watch)
    expect('unknown' in task.wait().unknown, 'the end of a task that nobody saw was told as if known')
