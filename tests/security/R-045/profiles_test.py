"""A profile that is named but not understood is an error, never "unconfined"."""
import json
import os

from tasks import contains, equal, expect


def R_045_profiles_that_are_none(node):
    path = node.base + '/profile.json'
    cases = {'missing': None, 'empty': '', 'no json': 'SCMP', 'a list': '[]', 'no default': '{}', 'huge': '{"defaultAction": "SCMP_ACT_ALLOW", "x": "' + 'y' * (2 << 20) + '"}',
             'deep': '[' * 100000, 'an action': '{"defaultAction": "SCMP_ACT_NOTIFY"}', 'rules': '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": 5}',
             'a rule': '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO"}]}',
             'a comparison': '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 9}]}]}'}
    for name, content in cases.items():
        if content is not None:
            with open(path, 'w') as file:
                file.write(content)
        node.driver('exec', seccomp_profile=path)
        error = node.run('echo ran').error
        expect('seccomp profile' in error, f'{name}: {error!r}')
    for wrong in ('defaults', 'unconfined ', './profile.json', '/', '/dev/null'):
        node.driver('exec', seccomp_profile=wrong)
        expect('seccomp profile' in node.run('echo ran').error, wrong)


def R_045_a_fifo_as_profile_does_not_block(node):
    os.mkfifo(node.base + '/fifo')
    node.driver('exec', seccomp_profile=node.base + '/fifo')
    contains(node.run('echo ran').error, 'is not a regular file')


def R_045_a_profile_of_the_oci_format(node):
    path = node.base + '/profile.json'
    with open(path, 'w') as file:
        json.dump({'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
                   'syscalls': [{'names': ['mkdir', 'mkdirat', 'no_such_call'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 28},
                                {'names': ['chmod', 'fchmodat'], 'action': 'SCMP_ACT_ERRNO', 'excludes': {'caps': ['CAP_CHOWN']}}]}, file)
    node.driver('exec', seccomp_profile=path)
    script = 'mkdir /tmp/x; touch /tmp/y; chmod 700 /tmp/y && echo chmod'
    equal(node.run(script).out, '', 'without the capability the call is refused')
    ended = node.run(script, config={'cap_add': ['chown']})
    contains(ended.err, 'No space left on device')
    equal(ended.out, 'chmod\n')


def R_045_a_job_cannot_choose_less(node):
    node.driver('exec', seccomp_profile='default')
    contains(node.run('true', config={'seccomp_profile': 'unconfined'}).error, 'is not allowed')
    node.driver('exec')
    contains(node.run('true', config={'seccomp_profile': '/etc/passwd'}).error, 'is not allowed')
    equal(node.run('grep Seccomp: /proc/self/status', config={'seccomp_profile': 'default'}).out, 'Seccomp:\t2\n')
