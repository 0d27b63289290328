"""Which system calls the default profile lets through: a table of all of them."""
import os

from tasks import equal, expect


HERE = os.path.dirname(os.path.abspath(__file__))
# Calls that are not made, since they would end, stop or block the probe itself.
SKIPPED = {0, 15, 22, 34, 56, 57, 58, 59, 60, 61, 62, 130, 200, 219, 231, 234, 247, 322, 435}
PROBE = """
import ctypes, os, sys
skipped = set(%r)
library = ctypes.CDLL(None, use_errno=True)
for number in range(0, 601):
    if number in skipped:
        continue
    pid = os.fork()
    if pid == 0:
        import resource, signal
        signal.alarm(1)
        for fd in range(0, 3):
            os.close(fd)
        ctypes.set_errno(0)
        library.syscall(number, -1, -1, -1, -1, -1, -1)
        os._exit(min(ctypes.get_errno(), 254))
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    print(number, {1: 'EPERM', 38: 'ENOSYS'}.get(code, 'made'))
""" % sorted(SKIPPED)


def table(node, profile):
    node.driver('exec', seccomp_profile=profile)
    ended = node.python(PROBE)
    expect(ended.error == '' and ended.code == 0, f'{ended.error} {ended.err}')
    return dict((int(line.split()[0]), line.split()[1]) for line in ended.lines)


def R_044_table_of_calls(node):
    """Against the same probe without a filter, so that only what the filter does is in the table: any kernel gives the same."""
    free, filtered = table(node, 'unconfined'), table(node, 'default')
    found = ''
    for number, answer in sorted(filtered.items()):
        if answer != 'made' and free[number] != answer:
            found += f'{number} {answer}\n'
    path = os.path.join(HERE, 'refused.txt')
    if os.environ.get('ACCEPT'):
        with open(path, 'w') as file:
            file.write(found)
    with open(path) as file:
        wanted = file.read()
    # A kernel that refuses a call by itself hides what the filter does with it, and a newer one has calls this table does not name;
    # the rest must agree.
    hidden = {line for line in wanted.splitlines() if free[int(line.split()[0])] == line.split()[1]}
    last = max(int(line.split()[0]) for line in wanted.splitlines())
    equal([line for line in found.splitlines() if line not in hidden and int(line.split()[0]) <= last], [line for line in wanted.splitlines() if line not in hidden])


def R_044_new_namespaces_are_refused(node):
    node.driver('exec', seccomp_profile='default')
    ended = node.python("""
import ctypes
library = ctypes.CDLL(None, use_errno=True)
print([(library.unshare(flag), ctypes.get_errno()) for flag in (0x10000000, 0x00020000, 0x40000000, 0x02000000)], library.unshare(0x400))
""")
    equal(ended.out, '[(-1, 1), (-1, 1), (-1, 1), (-1, 1)] 0\n', ended.error)


def R_044_foreign_abis_end_the_program(node):
    node.driver('exec', seccomp_profile='default')
    ended = node.python("""
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
pid = os.fork()
if pid == 0:
    library.syscall(0x40000000 + 39)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""")
    equal(ended.out, '-31\n', ended.error)


def R_044_a_session_has_the_filter_of_its_task(node):
    node.driver('exec', seccomp_profile='default')
    task = node.start('echo up; exec sleep 1000').until('up')
    status = task.exec('grep', '-E', 'Seccomp:|NoNewPrivs', '/proc/self/status')['stdout']
    equal(status, 'NoNewPrivs:\t1\nSeccomp:\t2\n')


def R_044_a_task_with_the_capability_may(node):
    node.driver('exec', seccomp_profile='default', allow_caps=['all'])
    ended = node.python("""
import ctypes
library = ctypes.CDLL(None, use_errno=True)
print(library.unshare(0x00020000), library.mount(b'none', b'/tmp', b'tmpfs', 0, None))
""", user='root', config={'cap_add': ['sys_admin']})
    equal(ended.out, '0 0\n', ended.error)


def R_044_programs_of_every_day_work(node):
    node.driver('exec', seccomp_profile='default')
    ended = node.run('ls / > /dev/null && python3 -c "import threading, subprocess; t = threading.Thread(target=print, args=(1,)); t.start(); t.join(); '
                     'print(subprocess.run([\'id\', \'-u\'], capture_output=True, text=True).stdout, end=\'\')"')
    equal(ended.out, '1\n65534\n', ended.err)
