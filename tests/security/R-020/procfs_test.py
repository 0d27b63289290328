"""Process attributes are written to a real procfs, and read back."""
import json
import subprocess

from tasks import contains, equal, expect


def R_020_oom_score_is_what_was_asked(node):
    node.driver('raw_exec')
    equal(node.run('cat /proc/self/oom_score_adj', config={'oom_score_adj': 321}).out, '321\n')


def R_020_a_file_over_proc_fails_the_start(node):
    """In a mount namespace of its own, where /proc/self is hidden by a tmpfs that takes every write."""
    script = ('mount -t tmpfs none /mnt && mkdir -p /mnt/self/fd && cp -a /proc/version /mnt/ && : > /mnt/self/oom_score_adj && '
              'mkdir -p /mnt/sys/kernel/random && cp /proc/sys/kernel/random/boot_id /mnt/sys/kernel/random/ && mount --bind /mnt /proc && exec "$@"')
    request = json.dumps({'op': 'driver', 'name': 'raw_exec', 'config': {'enabled': True, 'no_cgroups': True}}) + '\n'
    alloc = node.allocation()
    request += json.dumps({'op': 'start', 'task': {'alloc_dir': alloc.path, 'config': {'command': '/bin/true'}}}) + '\n'
    done = subprocess.run(['unshare', '-m', 'sh', '-c', script, 'sh', node.runner, node.executor, node.base + '/fake'], input=request,
                          capture_output=True, text=True, timeout=30, check=False)
    expect('error' in json.loads(done.stdout.splitlines()[-1]), f'the task was started: {done.stdout} {done.stderr}')
