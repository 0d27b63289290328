"""A task sees 0, 1 and 2, in every way a program is started."""
import os

from tasks import contains, equal, expect


COUNT = 'ls /proc/self/fd | wc -l'  # ls has one of its own


def R_003_descriptors_of_a_task(node):
    equal(node.run(COUNT).out, '4\n')
    node.driver('raw_exec')
    equal(node.run(COUNT).out, '4\n', 'raw_exec')


def R_003_descriptors_of_sessions_and_init(node):
    for user in ('nobody', 'root'):
        task = node.start('echo up; exec sleep 1000', user=user, config={'init': True, 'cap_drop': ['sys_ptrace', 'sys_admin']}).until('up')
        equal(task.exec('sh', '-c', COUNT)['stdout'], '4\n', 'session')
        contains(task.call('terminal', command=['sh', '-c', COUNT], input=[])['output'], '4')
        left = task.exec('sh', '-c', 'for n in 0 1 2 3 4; do readlink /proc/1/fd/$n; cat /proc/1/fd/$n; done 2>/dev/null; echo end')
        equal(left['stdout'], 'end\n', f'what the task of {user} sees of the descriptors of init')


def R_003_descriptors_that_leaked_into_the_driver_stay_there(node):
    # Inheritable ones, at numbers nobody expects.
    with open('/etc/passwd') as secret:
        for number in (77, 203, 999):
            os.dup2(secret.fileno(), number, inheritable=True)
        try:
            other = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), node.base + '/other')
        finally:
            for number in (77, 203, 999):
                os.close(number)
    equal(other.run(COUNT).out, '4\n')
    other.driver('raw_exec')
    equal(other.run(COUNT).out, '4\n', 'raw_exec')
    other.close()
