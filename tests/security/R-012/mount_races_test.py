"""What was opened is what is mounted, however often it changes its name meanwhile."""
import ctypes
import os
import tempfile
import threading

from tasks import contains, equal, expect


def swap_until(stop, first, second):
    """Exchanges two names all the time (renameat2 with RENAME_EXCHANGE)."""
    library = ctypes.CDLL(None, use_errno=True)
    while not stop.is_set():
        library.renameat2(-100, first.encode(), -100, second.encode(), 2)


def R_012_directory_and_link_change_places(node):
    alloc = node.allocation()
    task = alloc.path + '/web'
    os.makedirs(task + '/local/d')
    os.symlink('/etc', task + '/local/l')
    stop = threading.Event()
    racer = threading.Thread(target=swap_until, args=(stop, task + '/local/d', task + '/local/l'))
    racer.start()
    try:
        for index in range(40):
            ended = node.run('touch /local/d/planted 2>/dev/null; true', alloc=alloc, start=f'{index:08}', user='root',
                             mounts=[{'task': '/local/d/inner', 'host': alloc.path + '/alloc/data'}])
            expect(ended.error == '' or 'mounting the root' in ended.error, ended.error)
    finally:
        stop.set()
        racer.join()
    expect(not os.path.exists('/etc/planted') and not os.path.exists('/etc/inner'), 'something was made in /etc of the host')


def R_012_root_is_not_reached_by_a_link(node):
    alloc = node.allocation()
    os.rmdir(alloc.path + '/web/tmp')
    outside = tempfile.mkdtemp(dir=node.base)
    os.rename(alloc.path + '/web', alloc.path + '/real')
    os.symlink(outside, alloc.path + '/web')
    contains(node.run('true', alloc=alloc, command='/usr/bin/true').error, 'mounting the root')
    equal(os.listdir(outside), [])
