"""Directories of the system are directories, or the task is not started."""
import os

from tasks import contains, equal, expect


def R_013_links_files_and_fifos_in_their_place(node):
    for name in ('dev', 'proc', 'sys'):
        for kind in ('link', 'file', 'fifo'):
            alloc = node.allocation()
            path = f'{alloc.path}/web/{name}'
            if kind == 'link':
                os.symlink('/tmp', path)
            elif kind == 'file':
                open(path, 'w').close()
            else:
                os.mkfifo(path)
            contains(node.run('true', alloc=alloc).error, 'mounting the root')


def R_013_links_below_the_private_dev(node):
    """What an earlier run left in dev/ is below our own /dev, and touched by nobody."""
    alloc = node.allocation()
    os.makedirs(alloc.path + '/web/dev')
    os.symlink('/etc', alloc.path + '/web/dev/pts')
    os.symlink('/etc/passwd', alloc.path + '/web/dev/null')
    ended = node.run('test -c /dev/null && test -d /dev/pts && ls -d /dev/pts/ptmx', alloc=alloc)
    equal(ended.out, '/dev/pts/ptmx\n', ended.error)
