"""A task of raw_exec with Landlock reaches its directories and the system, and nothing else."""
import ctypes
import os

from tasks import contains, equal, expect, skip

LANDLOCK_CREATE_RULESET = 444  # with no attributes and the flag 1: asks for the version


def need_landlock():
    if ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) <= 0:
        skip('this kernel has no Landlock')


def R_046_only_what_was_asked_for(node):
    node.driver('raw_exec')
    need_landlock()
    alloc = node.allocation()
    outside = node.base + '/outside'
    os.makedirs(outside)
    with open(outside + '/secret', 'w') as file:
        file.write('secret')
    script = (f'cat {outside}/secret; echo x > {outside}/new; ls /root; cat /proc/1/environ; echo mine > local/file && cat local/file; '
              f'echo d > {alloc.path}/alloc/data/file && echo data; head -c 1 /etc/passwd | wc -c')
    ended = node.run(script, alloc=alloc, config={'landlock': True})
    equal(ended.out, 'mine\ndata\n1\n', ended.error)
    expect(not os.path.exists(outside + '/new'), 'a file was made outside')
    equal(node.run(f'cat {outside}/secret', alloc=alloc, start='2', config={'landlock_paths': [f'r:{outside}']}).lines[-1], 'secret')
    for wrong in ('/srv', 'q:/srv', 'r:srv', ':/srv'):
        contains(node.run('true', alloc=alloc, start='3', config={'landlock_paths': [wrong]}).error, 'landlock_paths')


def R_046_a_session_is_held_too(node):
    node.driver('raw_exec', landlock=True)
    need_landlock()
    task = node.start('echo up; exec sleep 1000').until('up')
    equal(task.exec('sh', '-c', 'ls /root 2>/dev/null; echo end')['stdout'], 'end\n')
