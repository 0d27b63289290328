"""The executor loads nothing: no library, no environment."""
import subprocess

from tasks import contains, equal, expect


def R_002_executor_is_static(node):
    headers = subprocess.run(['readelf', '-l', '-d', node.executor], capture_output=True, text=True, check=True).stdout
    expect('INTERP' not in headers and 'NEEDED' not in headers, 'drover-executor asks for a loader or a library')


def R_002_executor_has_no_environment(node):
    task = node.start('exec sleep 1000', env={'LD_PRELOAD': '/local/evil.so', 'PATH': '/usr/bin:/bin'})
    equal(open(f'/proc/{task.executor}/environ').read(), '', 'environment of the executor')
