"""Nothing of the agent's own attributes is passed on."""
import json
import os
import signal
import subprocess

from tasks import equal


SHOW = ('cat /proc/self/oom_score_adj; nice; umask; cat /proc/self/personality 2>/dev/null || echo 00000000; grep -E "^(SigBlk|SigIgn|SigCgt|Cpus_allowed_list)" /proc/self/status; '
        'chrt -p $$ 2>/dev/null | head -n 1 | sed "s/.*policy: //"; ionice -p $$; ls -l /proc/self/fd | grep -c -E "[0-9] ->"; echo $0; pwd')


def strange():
    os.nice(7)
    os.umask(0o777 & 0o022 | 0o001)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.sched_setaffinity(0, {0})
    with open('/proc/self/oom_score_adj', 'w') as file:
        file.write('500')
    subprocess.run(['ionice', '-c', '3', '-p', str(os.getpid())], check=False)


def N_029_a_strange_parent_changes_nothing(node):
    usual = {}
    for driver in ('exec', 'raw_exec'):
        node.driver(driver)
        usual[driver] = node.run(SHOW).lines[:-1]
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            strange()
            other = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), node.base + '/other')
            found = {}
            for driver in ('exec', 'raw_exec'):
                other.driver(driver)
                found[driver] = other.run(SHOW).lines[:-1]
            other.close()
            os.write(writer, json.dumps(found).encode())
        finally:
            os._exit(0)
    os.close(writer)
    text = b''
    while part := os.read(reader, 65536):
        text += part
    os.close(reader)
    os.waitpid(pid, 0)
    equal(json.loads(text), usual)
