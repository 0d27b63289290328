"""A tar file that is a root leads nowhere but into it."""
import io
import os
import tarfile

from tasks import contains, equal, expect, skip


def tar_of(path, *members):
    with tarfile.open(path, 'w', format=tarfile.GNU_FORMAT) as archive:
        for name, kind, extra in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = 0o4755
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = extra
                extra = b''
            info.size = len(extra or b'')
            archive.addfile(info, io.BytesIO(extra or b''))


def static_shell():
    for path in ('/bin/busybox', '/usr/bin/busybox'):
        if os.path.exists(path):
            return path
    return None


def N_009_hostile_names(node):
    for name in ('../planted', '/planted', 'a/../../planted', 'x' * 300):
        alloc = node.allocation()
        tar_of(alloc.path + '/web/local/root.tar', ('usr', tarfile.DIRTYPE, None), (name, tarfile.REGTYPE, b'x'))
        error = node.run('true', alloc=alloc, config={'rootfs': 'local/root.tar'}).error
        contains(error, 'unpacking')
        expect(not os.path.exists(node.base + '/planted') and not os.path.exists('/planted') and not os.path.exists(alloc.path + '/planted'), name)


def N_009_writing_through_a_link(node):
    alloc = node.allocation()
    outside = node.base + '/outside'
    os.makedirs(outside, exist_ok=True)
    tar_of(alloc.path + '/web/local/root.tar', ('a', tarfile.SYMTYPE, outside), ('a/x', tarfile.REGTYPE, b'x'))
    contains(node.run('true', alloc=alloc, config={'rootfs': 'local/root.tar'}).error, 'unpacking')
    equal(os.listdir(outside), [])


def N_009_devices_and_hard_links(node):
    for members in ((('d', tarfile.CHRTYPE, None),), (('f', tarfile.FIFOTYPE, None),), (('h', tarfile.LNKTYPE, '/etc/passwd'),), (('h', tarfile.LNKTYPE, '../../../etc/passwd'),)):
        alloc = node.allocation()
        tar_of(alloc.path + '/web/local/root.tar', *members)
        contains(node.run('true', alloc=alloc, config={'rootfs': 'local/root.tar'}).error, 'unpacking')


def N_009_not_a_tar(node):
    alloc = node.allocation()
    alloc.write('web/local/root.tar', 'no tar at all' * 100)
    contains(node.run('true', alloc=alloc, config={'rootfs': 'local/root.tar'}).error, 'not an uncompressed tar file')
    # One letter of a name has changed on the way.
    alloc = node.allocation()
    path = alloc.path + '/web/local/root.tar'
    tar_of(path, ('first', tarfile.REGTYPE, b'x'))
    with open(path, 'r+b') as file:
        file.write(b'w')
    contains(node.run('true', alloc=alloc, config={'rootfs': 'local/root.tar'}).error, 'damaged')


def N_009_a_good_one_is_a_root(node):
    shell = static_shell()
    if shell is None:
        skip('no busybox for a small root; install the package busybox-static')
    alloc = node.allocation()
    with open(shell, 'rb') as file:
        content = file.read()
    tar_of(alloc.path + '/web/local/root.tar', ('bin/busybox', tarfile.REGTYPE, content), ('bin/sh', tarfile.SYMTYPE, 'busybox'), ('etc/mine', tarfile.REGTYPE, b'mine\n'))
    alloc.write('web/local/file', 'local\n')
    ended = node.run('cat /etc/mine /local/file; test -e /usr/bin/id || echo small; test -u /bin/busybox || echo plain', alloc=alloc, command='/bin/busybox', config={'rootfs': 'local/root.tar'})
    # busybox takes its applet from the arguments.
    ended = node.run(alloc=alloc, start='2', command='/bin/busybox', args=['sh', '-c', 'busybox cat /etc/mine /local/file; test -e /usr/bin/id || echo small; test -u /bin/busybox || echo plain'],
                     config={'rootfs': 'local/root.tar'})
    equal(ended.out, 'mine\nlocal\nsmall\nplain\n', ended.error + ended.err)
