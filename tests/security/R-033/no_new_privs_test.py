"""A set-uid program gives nothing."""
import os
import shutil

from tasks import contains, equal, expect


def R_033_no_new_privs_is_set(node):
    equal(node.run('grep NoNewPrivs /proc/self/status').out, 'NoNewPrivs:\t1\n')
    task = node.start('echo up; exec sleep 1000').until('up')
    equal(task.exec('grep', 'NoNewPrivs', '/proc/self/status')['stdout'], 'NoNewPrivs:\t1\n', 'session')


def R_033_a_set_uid_program_stays_the_user(node):
    node.driver('exec', no_new_privs=True)
    alloc = node.allocation()
    volume = alloc.path + '/volume'
    os.makedirs(volume)
    shutil.copy('/usr/bin/id', volume + '/id')
    os.chmod(volume + '/id', 0o4755)
    ended = node.run('/srv/id -u', alloc=alloc, mounts=[{'task': '/srv', 'host': volume}])
    equal(ended.out, '65534\n', ended.error)
