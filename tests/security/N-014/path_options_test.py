"""Dots and links in every option that is a path lead nowhere."""
import os

from tasks import contains, expect


def N_014_rootfs(node):
    alloc = node.allocation()
    os.symlink('/', alloc.path + '/web/local/link')
    for path in ('../..', 'local/../../..', 'local/link', 'local/link/usr', '/', '/usr', 'no/such'):
        contains(node.run('true', alloc=alloc, config={'rootfs': path}).error, 'rootfs')


def N_014_mount_targets(node):
    alloc = node.allocation()
    for target in ('/../../../planted', '/local/../../planted', '/local/link/planted'):
        if not os.path.lexists(alloc.path + '/web/local/link'):
            os.symlink('/../../..', alloc.path + '/web/local/link')
        node.run('true', alloc=alloc, mounts=[{'task': target, 'host': alloc.path + '/alloc/data'}])
    expect(not os.path.exists('/planted') and not os.path.exists(node.base + '/planted'), 'a target was made outside the root')
    contains(node.run('true', alloc=alloc, mounts=[{'task': 'planted', 'host': '/tmp'}]).error, 'is not an absolute path')


def N_014_commands(node):
    for command in ('../../../bin/sh', '/../../bin/no-such', 'local/../../x', '/local/missing'):
        expect(node.run(command=command, args=['-c', 'true']).error != '' or command == '../../../bin/sh', f'{command} was run')
