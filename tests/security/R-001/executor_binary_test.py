"""A task cannot reach the executor, nor its file."""
import hashlib
import os
import subprocess

from tasks import equal, expect, skip


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def R_001_executor_is_not_dumpable(node):
    """Of a driver without root, whose tasks have the executor's own user and could otherwise look into it."""
    place = node.base + '/nobody'
    os.makedirs(place)
    os.chown(place, 65534, 65534)
    nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    if subprocess.run([*nobody, 'test', '-x', node.executor, '-a', '-x', node.runner], check=False).returncode != 0:
        skip(f'user nobody cannot run {node.executor}')
    other = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), place, nobody)
    other.driver('raw_exec', no_cgroups=True)
    alloc = other.allocation()
    subprocess.run(['chown', '-R', '65534:65534', alloc.path], check=True)
    ended = other.run('readlink /proc/$PPID/exe; head -c 1 /proc/$PPID/maps; ls /proc/$PPID/fd; id -u', alloc=alloc)
    equal(ended.out, '65534\n', f'what a task saw of its executor {ended.error}')
    other.close()


def R_001_executor_runs_from_a_read_only_mount(node):
    task = node.start('exec sleep 1000')
    expect(os.statvfs(f'/proc/{task.executor}/exe').f_flag & os.ST_RDONLY, 'the executor runs from a mount that can be written')


def R_001_session_and_init_are_closed_to_the_task(node):
    """While a session is made its process is still the executor's program, and init stays it."""
    before = digest(node.executor)
    task = node.start('while :; do for p in /proc/[0-9]*/exe; do : 2>/dev/null >>$p && echo OPENED $p; done; done 2>/dev/null',
                      config={'init': True, 'cap_drop': ['sys_ptrace', 'sys_admin']}, user='root')
    for _ in range(20):
        task.exec('true')
    expect('OPENED' not in task.text(), f'the task opened {task.text()!r} for writing')
    equal(digest(node.executor), before, 'content of the executor')
