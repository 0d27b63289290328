"""0, 1 and 2 are always open."""
import json
import os
import subprocess

from tasks import equal


def N_114_standard_streams_without_any(node):
    """A driver that was started without them hands on none of its own files as the task's."""
    code = ('import os, sys; [os.close(n) for n in (2,)]; os.execv(sys.argv[1], sys.argv[1:])')
    request = json.dumps({'op': 'driver', 'name': 'raw_exec', 'config': {'enabled': True}}) + '\n'
    alloc = node.allocation()
    request += json.dumps({'op': 'start', 'task': {'alloc_dir': alloc.path, 'config': {'command': '/bin/sh', 'args': ['-c', 'echo err >&2; readlink /proc/self/fd/0']}}}) + '\n'
    request += json.dumps({'op': 'wait', 'id': os.path.basename(alloc.path) + '/web/00000001'}) + '\n'
    request += json.dumps({'op': 'destroy', 'id': os.path.basename(alloc.path) + '/web/00000001'}) + '\n'
    done = subprocess.run(['python3', '-c', code, node.runner, node.executor, node.base + '/bare'], input=request, stdout=subprocess.PIPE, text=True, timeout=30, check=False)
    equal(json.loads(done.stdout.splitlines()[2])['code'], 0, done.stdout)
    equal(alloc.log('web', 'stderr'), 'err\n')
    equal(alloc.log('web', 'stdout'), '/dev/null\n')
