"""Process attributes are written to a real procfs, and read back."""
import json
import subprocess

from tasks import contains, equal


def R_020_oom_score_is_what_was_asked(node):
    node.driver('raw_exec')
    equal(node.run('cat /proc/self/oom_score_adj', config={'oom_score_adj': 321}).out, '321\n')


def R_020_a_file_over_proc_fails_the_start(node):
    """In a mount namespace of its own, where /proc/self is hidden by a tmpfs that takes every write."""
    # All that a start needs of /proc is the real thing, but for the one file.
    script = (f'cd {node.base} && mkdir real false && mount -t proc proc real && mount -t tmpfs none false && mkdir false/self && : > false/self/oom_score_adj && '
              'for name in fd ns status mountinfo; do ln -s $PWD/real/self/$name false/self/$name; done && for name in $$ 1 sys thread-self; do ln -s $PWD/real/$name false/$name; done && '
              'mount --bind false /proc && exec "$@"')
    request = json.dumps({'op': 'driver', 'name': 'raw_exec', 'config': {'enabled': True, 'no_cgroups': True}}) + '\n'
    alloc = node.allocation()
    request += json.dumps({'op': 'start', 'task': {'alloc_dir': alloc.path, 'config': {'command': '/bin/true'}}}) + '\n'
    done = subprocess.run(['unshare', '-m', 'sh', '-c', script, 'sh', node.runner, node.executor, node.base + '/fake'], input=request,
                          capture_output=True, text=True, timeout=30, check=False)
    contains(json.loads(done.stdout.splitlines()[-1]).get('error', f'none, the task was started: {done.stdout} {done.stderr}'), '"/proc/self/oom_score_adj"')
