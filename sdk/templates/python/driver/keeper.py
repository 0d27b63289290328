"""The keeper of one task: starts it, waits for it and writes down how it ended. The plugin may die meanwhile, the keeper does not notice.

Run by tasks.py as `python -I -S keeper.py DIRECTORY`. Says "ok" or why not on its stdout, then leaves its result in DIRECTORY/exit."""
import ctypes
import json
import os
import signal
import subprocess
import sys
import time


def write(path, value):
    with open(path + '.new', 'w', encoding='utf-8') as file:
        json.dump(value, file)
    os.rename(path + '.new', path)


def main(directory):
    with open(os.path.join(directory, 'spec'), encoding='utf-8') as file:
        spec = json.load(file)
    libc = ctypes.CDLL(None)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the plugin ignores it, its tasks need not
    credentials = {key: spec[key] for key in ('user', 'group', 'extra_groups') if key in spec}
    try:
        # The host reads the FIFOs; without one, there is nothing to say it to.
        outputs = [os.open(spec[name] or os.devnull, os.O_WRONLY | os.O_APPEND) for name in ('stdout', 'stderr')]
        child = subprocess.Popen(spec['command'], env=spec['env'], cwd=spec['directory'], stdin=subprocess.DEVNULL, stdout=outputs[0], stderr=outputs[1],
                                 start_new_session=True, preexec_fn=lambda: libc.prctl(1, signal.SIGKILL), **credentials)  # 1: PR_SET_PDEATHSIG
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(error, flush=True)
        return 1
    for fd in outputs:
        os.close(fd)
    write(os.path.join(directory, 'pid'), child.pid)
    print('ok', flush=True)
    os.dup2(2, 1)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # its number stays taken
    try:
        os.killpg(child.pid, signal.SIGKILL)  # what it left behind
    except ProcessLookupError:
        pass
    code = child.wait()
    write(os.path.join(directory, 'exit'), {'code': 128 - code if code < 0 else code, 'signal': max(-code, 0), 'at': time.time_ns()})
    return 0


sys.exit(main(sys.argv[1]))
