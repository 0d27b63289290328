"""Nothing in a task's tree is set-uid or a device."""
import os
import shutil

from tasks import equal, expect


def N_027_a_set_uid_artifact(node):
    node.driver('exec', no_new_privs=False)
    for place in ('local', 'tmp'):
        alloc = node.allocation()
        shutil.copy('/usr/bin/id', f'{alloc.path}/web/{place}/id')
        os.chmod(f'{alloc.path}/web/{place}/id', 0o4755)
        equal(node.run(f'/{place}/id -u', alloc=alloc).out, '65534\n', place)
    alloc = node.allocation()
    shutil.copy('/usr/bin/id', alloc.path + '/alloc/data/id')
    os.chmod(alloc.path + '/alloc/data/id', 0o4755)
    equal(node.run('/alloc/data/id -u', alloc=alloc).out, '65534\n', 'alloc/data')


def N_027_mount_flags(node):
    ended = node.run("awk '{print $5, $6}' /proc/self/mountinfo")
    for line in ended.lines:
        target, flags = line.split()
        expect('nosuid' in flags.split(','), f'{target} is mounted {flags}')
        expect('nodev' in flags.split(',') or target in ('/dev', '/dev/pts') or target.startswith(('/proc/', '/sys/')), f'{target} is mounted {flags}')
