"""What is not said is the safe thing; the defaults in one table."""
import os

from tasks import equal


FACTS = ('grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; id -u; id -g; id -G; umask; ulimit -c; cat /proc/self/oom_score_adj; nice; '
         'cat /proc/self/cgroup | tail -n 1; pwd; ls /; stat -f -c %T /dev')
HERE = os.path.dirname(os.path.abspath(__file__))


def N_024_effective_defaults(node):
    found = node.run(FACTS).out
    path = os.path.join(HERE, 'defaults.txt')
    if os.environ.get('ACCEPT'):
        with open(path, 'w') as file:
            file.write(found)
    with open(path) as file:
        equal(found, file.read())


def N_024_a_missing_block_is_an_empty_one(node):
    alone = node.run(FACTS).out
    node.driver('exec', allow_caps=None, no_new_privs=None, seccomp_profile=None, chroot_mode=None, denied_host_uids=None)
    equal(node.run(FACTS).out, alone)
