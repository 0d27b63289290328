"""An allocation that was deleted under its task: it runs, and is not started again."""
import os
import shutil

from tasks import contains, equal, expect


def F_44_deleted_under_the_task(node):
    alloc = node.allocation()
    task = node.start('echo up; exec sleep 1000', alloc=alloc).until('up')
    shutil.rmtree(alloc.path, ignore_errors=True)
    # Its root has lost what was mounted in it, since the places are gone; the process lives.
    expect(os.path.exists(f'/proc/{task.pid}'), 'the task has ended')
    equal(task.call('stop', grace_ms=0, signal='SIGKILL'), {})
    equal(task.call('wait')['signal'], 9)
    node.finish(task)
    contains(node.run('true', alloc=alloc, start='2').error, 'is gone')
