"""Limits are those asked for; the executor leaves no core."""
from tasks import contains, equal, expect


def R_035_limits_by_name(node):
    ended = node.run('ulimit -Sn; ulimit -Hn; ulimit -c', config={'ulimit': {'nofile': '123:456', 'core': '0'}})
    equal(ended.out, '123\n456\n0\n', ended.error)
    for wrong in ({'nofile': '9:3'}, {'nofile': 'many'}, {'no_such': '1'}):
        contains(node.run('true', config={'ulimit': wrong}).error, 'ulimit')


def R_035_a_session_has_the_limits_of_its_task(node):
    task = node.start('echo up; exec sleep 1000', config={'ulimit': {'nofile': '77'}}).until('up')
    equal(task.exec('sh', '-c', 'ulimit -n')['stdout'], '77\n')
