"""A task cannot reach the executor, nor its file."""
import hashlib

from tasks import contains, equal, expect


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def R_001_executor_is_not_dumpable(node):
    task = node.start('exec sleep 1000')
    # The owner of /proc/<pid> is root for processes that may not be dumped, whoever runs them; the mode of mem tells.
    status = open(f'/proc/{task.executor}/status').read()
    contains(status, 'drover-executor')
    # A task of the host's pid namespace, as root without SYS_PTRACE, may not look into it.
    other = node.run(f'readlink /proc/{task.executor}/exe /proc/{task.executor}/cwd; for n in 3 4 5 6 7 8; do readlink /proc/{task.executor}/fd/$n; cat /proc/{task.executor}/fd/$n; done; cat /proc/{task.executor}/maps | head -n 1',
                     config={'pid_mode': 'host', 'cap_drop': ['sys_ptrace', 'sys_admin']}, user='root')
    equal(other.out, '', 'what another task saw of the executor')


def R_001_session_and_init_are_closed_to_the_task(node):
    """While a session is made its process is still the executor's program, and init stays it."""
    before = digest(node.executor)
    task = node.start('while :; do for p in /proc/[0-9]*/exe; do : 2>/dev/null >>$p && echo OPENED $p; done; done 2>/dev/null',
                      config={'init': True, 'cap_drop': ['sys_ptrace', 'sys_admin']}, user='root')
    for _ in range(20):
        task.exec('true')
    expect('OPENED' not in task.text(), f'the task opened {task.text()!r} for writing')
    equal(digest(node.executor), before, 'content of the executor')
