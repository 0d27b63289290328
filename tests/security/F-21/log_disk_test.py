"""A log directory that is full, read-only or gone costs output, not the task."""
import os
import shutil
import subprocess

from tasks import equal, expect, until


def full(node, alloc):
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'none', alloc.path + '/alloc/logs'], check=True)


def F_21_a_full_disk_drops_and_recovers(node):
    node.driver('raw_exec')
    alloc = node.allocation()
    full(node, alloc)
    try:
        with open(alloc.path + '/alloc/logs/ballast', 'wb') as file:
            file.write(b'x' * (3900 << 10))
        task = node.start('head -c 1000000 /dev/zero; echo filled >&2; read x < go; echo after', alloc=alloc)
        os.mkfifo(alloc.path + '/web/go')
        node.finish(task)
        task = node.start('head -c 1000000 /dev/zero; echo > full; read x < go; echo after', alloc=alloc, start='2')
        until(lambda: os.path.exists(alloc.path + '/web/full'), 'the task is not blocked by a full disk')
        os.unlink(alloc.path + '/alloc/logs/ballast')
        with open(alloc.path + '/web/go', 'w') as file:
            file.write('go\n')
        ended = task.wait()
        equal(ended.code, 0)
        expect('after' in ended.out, 'nothing was stored after there was room again')
        node.finish(task)
    finally:
        subprocess.run(['umount', '-l', alloc.path + '/alloc/logs'], check=True)


def F_21_a_log_directory_that_is_gone(node):
    for driver in ('exec', 'raw_exec'):
        node.driver(driver)
        alloc = node.allocation()
        os.mkfifo(alloc.path + '/web/local/go')
        place = '' if driver == 'exec' else alloc.path + '/web'
        task = node.start(f'echo up; cat {place}/local/go; echo after; exit 4', alloc=alloc).until('up')
        shutil.rmtree(alloc.path + '/alloc/logs', ignore_errors=True)
        with open(alloc.path + '/web/local/go', 'w') as file:
            file.write('go\n')
        equal(task.wait().code, 4, driver)
        node.finish(task)
