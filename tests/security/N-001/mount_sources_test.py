"""A link in place of what is mounted into a task is not followed."""
import os

from tasks import contains, equal


def N_001_logs_directory_is_a_link(node):
    alloc = node.allocation()
    secret = node.base + '/secret'
    os.makedirs(secret)
    open(secret + '/file', 'w').close()
    os.rmdir(alloc.path + '/alloc/logs')
    os.symlink(secret, alloc.path + '/alloc/logs')
    for driver in ('exec', 'raw_exec'):
        node.driver(driver)
        ended = node.run('ls /alloc/logs; echo out', alloc=alloc)
        contains(ended.error, 'alloc/logs')
    equal(os.listdir(secret), ['file'])


def N_001_directories_of_a_root_of_its_own(node):
    alloc = node.allocation()
    os.makedirs(alloc.path + '/web/local/tree/usr')
    os.rmdir(alloc.path + '/web/secrets')
    os.symlink('/etc', alloc.path + '/web/secrets')
    contains(node.run('true', alloc=alloc, config={'rootfs': 'local/tree'}, mounts=[{'task': '/bin', 'host': '/usr/bin'}]).error, 'mounting the root')
