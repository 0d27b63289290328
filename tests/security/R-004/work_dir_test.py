"""The working directory is in the root, and no way out of it."""
import os

from tasks import contains, equal, expect


def R_004_work_dir_is_no_magic_link(node):
    for number in range(3, 12):
        ended = node.run('pwd', config={'work_dir': f'/proc/self/fd/{number}'})
        contains(ended.error, 'executing: "/proc/self/fd/')
    contains(node.run('pwd', config={'work_dir': '/proc/self/cwd'}).error, 'executing')
    contains(node.run('pwd', config={'work_dir': '/proc/1/root'}).error, 'executing')


def R_004_work_dir_link_of_an_earlier_run(node):
    alloc = node.allocation()
    os.symlink('/proc/self/root', alloc.path + '/web/local/there')
    contains(node.run('pwd', alloc=alloc, config={'work_dir': '/local/there'}).error, 'executing')
    os.unlink(alloc.path + '/web/local/there')
    os.symlink('/../../../etc', alloc.path + '/web/local/there')
    equal(node.run('pwd; ls /root', alloc=alloc, config={'work_dir': '/local/there'}).lines[:1], ['/etc'])  # of the root


def R_004_work_dir_of_raw_exec_is_no_magic_link(node):
    node.driver('raw_exec')
    contains(node.run('pwd', config={'work_dir': '/proc/self/fd/4'}).error, 'executing')
