"""With chroot_mode = "copy" files are made by descriptor: no link of an earlier run is followed, nothing that is there is changed."""
import os

from tasks import contains, equal, expect


def source(node):
    place = node.base + '/source'
    os.makedirs(place + '/deep', exist_ok=True)
    for name, content in (('deep/file', 'copied\n'), ('mine', 'of the host\n')):
        with open(f'{place}/{name}', 'w') as file:
            file.write(content)
    os.chmod(place + '/deep/file', 0o4755)
    if not os.path.lexists(place + '/link'):
        os.symlink('deep/file', place + '/link')
        os.mkfifo(place + '/fifo')
    return place


def R_011_copies_by_value(node):
    place = source(node)
    equal(node.driver('exec', chroot_mode='copy', chroot_env={place: '/opt/x', '/bin/sh': '/opt/sh'}), '')
    alloc = node.allocation()
    alloc.write('web/opt/x/mine', 'of the task\n')
    ended = node.run('true', alloc=alloc, command='/opt/sh')
    # A shell alone does not run: what was copied is looked at from outside.
    expect(ended.error == '' or 'executing' in ended.error, ended.error)
    equal(open(alloc.path + '/web/opt/x/deep/file').read(), 'copied\n')
    equal(os.stat(alloc.path + '/web/opt/x/deep/file').st_mode & 0o7777, 0o755, 'mode of a copied set-uid file')
    equal(os.stat(alloc.path + '/web/opt/x/deep/file').st_nlink, 1)
    equal(open(alloc.path + '/web/opt/x/mine').read(), 'of the task\n')
    equal(os.readlink(alloc.path + '/web/opt/x/link'), 'deep/file')
    expect(not os.path.exists(alloc.path + '/web/opt/x/fifo'), 'a FIFO was copied')


def R_011_copies_follow_no_link(node):
    place = source(node)
    node.driver('exec', chroot_mode='copy', chroot_env={place: '/opt/x'})
    for planted in ('web/opt', 'web/opt/x', 'web/opt/x/deep'):
        alloc = node.allocation()
        outside = alloc.path + '/alloc/outside'
        os.makedirs(outside)
        os.makedirs(os.path.dirname(f'{alloc.path}/{planted}'), exist_ok=True)
        os.symlink(outside, f'{alloc.path}/{planted}')
        contains(node.run('true', alloc=alloc).error, 'is in the way of a directory')
        equal(os.listdir(outside), [])
