"""Nothing of the task is loaded by our own programs."""
import os

from tasks import contains, equal, expect


def R_018_a_planted_library_is_not_opened(node):
    alloc = node.allocation()
    for directory in ('lib', 'usr/lib', 'etc'):
        os.makedirs(f'{alloc.path}/web/{directory}', exist_ok=True)
    alloc.write('web/etc/ld.so.preload', '/local/evil.so\n')
    for name in ('lib/libnss_files.so.2', 'usr/lib/libnss_files.so.2'):
        alloc.write('web/' + name, 'not a library')
    task = node.start('echo up; exec sleep 1000', alloc=alloc)
    maps = open(f'/proc/{task.executor}/maps').read()
    expect('.so' not in maps, 'a library is mapped in the executor')
