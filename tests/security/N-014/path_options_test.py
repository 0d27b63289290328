"""Dots and links in every option that is a path lead nowhere."""
import os

from tasks import contains, equal, expect


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
    # A file of the host is neither found nor made executable.
    tool = node.base + '/tool'
    with open(tool, 'w') as file:
        file.write('#!/bin/sh\n')
    os.chmod(tool, 0o600)
    contains(node.run(command=tool, args=[]).error, 'was found neither')
    equal(os.stat(tool).st_mode & 0o777, 0o600, 'mode of a file of the host')
    for command in ('../../../bin/sh', '/../../bin/no-such', 'local/../../x', '/local/missing'):
        expect(node.run(command=command, args=['-c', 'true']).error != '' or command == '../../../bin/sh', f'{command} was run')
