"""Each of the five sets is what was computed, in a task and in a session."""
from tasks import contains, equal, expect


SETS = 'grep ^Cap /proc/self/status'
NAMES = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')


def sets(text):
    return {line.split(':')[0]: int(line.split()[1], 16) for line in text.splitlines() if line.startswith('Cap')}


def R_030_sets_of_an_ordinary_user(node):
    equal(sets(node.run(SETS).out), dict.fromkeys(NAMES, 0))
    equal(sets(node.run(SETS, config={'cap_add': ['chown', 'CAP_KILL']}).out), dict.fromkeys(NAMES, 0x21))


def R_030_inheritable_and_ambient_are_empty_for_root(node):
    found = sets(node.run(SETS, user='root', config={'cap_drop': ['all'], 'cap_add': ['chown', 'CAP_KILL']}).out)
    equal(found, {'CapInh': 0, 'CapPrm': 0x21, 'CapEff': 0x21, 'CapBnd': 0x21, 'CapAmb': 0})


def R_030_add_and_drop(node):
    found = sets(node.run(SETS, config={'cap_drop': ['ALL'], 'cap_add': ['Net_Bind_Service']}).out)
    equal(found['CapEff'], 1 << 10)
    found = sets(node.run(SETS, user='root', config={'cap_drop': ['chown']}).out)
    equal((found['CapEff'] & 3, found['CapBnd'] & 3), (2, 2), 'CHOWN is dropped, DAC_OVERRIDE is not')
    refused = node.run(SETS, config={'cap_add': ['sys_admin', 'chown']}).error
    equal(refused, 'driver does not allow the following capabilities: sys_admin')


def R_030_a_session_has_the_sets_of_its_task(node):
    for user in ('nobody', 'root'):
        task = node.start('echo up; exec sleep 1000', user=user, config={'cap_drop': ['dac_override'], 'cap_add': ['chown']}).until('up')
        of_task = sets(open(f'/proc/{task.pid}/status').read())
        equal(sets(task.exec('sh', '-c', SETS)['stdout']), of_task, user)
        expect(of_task['CapBnd'] & 2 == 0, 'DAC_OVERRIDE is still there')
        node.finish(task)
