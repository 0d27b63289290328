"""A client that locks its options down is not talked round by a job."""
from tasks import contains, equal, expect


def N_020_what_a_locked_down_client_refuses(node):
    node.driver('exec', allow_host_namespaces=False, allow_caps=[], seccomp_profile='default', pids_limit=100, no_new_privs=True)
    for options in ({'pid_mode': 'host'}, {'ipc_mode': 'host'}, {'cap_add': ['chown']}, {'cap_add': ['all']}, {'seccomp_profile': 'unconfined'},
                    {'pids_limit': 101}, {'rootfs': '/'}, {'rootfs': '/usr'}):
        expect('allow' in node.run('true', config=options).error, f'{options} was not refused')
    ended = node.run('grep -E "^Cap(Eff|Bnd)|^Seccomp:|^NoNew" /proc/self/status; echo $$', user='root')
    equal(ended.out, 'CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n1\n', ended.error)


def N_020_what_an_open_client_allows(node):
    equal(node.run('test -d /proc/1/task && echo $(($$ > 1))', config={'pid_mode': 'host'}).out, '1\n')
    contains(node.run('true', config={'cap_add': ['no_such_cap']}).error, 'unknown capability')
    contains(node.driver('exec', allow_caps=['no_such_cap']), 'unknown capability')
    contains(node.driver('exec', chroot_mode='other'), 'chroot_mode')
