#!/usr/bin/env python3
"""Commands in running tasks, as a user runs them: `alloc exec` with plain streams and with a terminal, here and over another agent."""
import hashlib
import os
import pty
import random
import select
import signal
import subprocess
import struct
import fcntl
import termios
import time

import forward_test
import harness
from harness import contains, expect, until
from jobs import shell_job

FOREVER = 'trap "exit 0" TERM INT; while :; do sleep 0.1; done'


def one_task(sandbox, driver='raw_exec', script=FOREVER):
    agent = sandbox.agent().start(drivers=(driver,))
    agent.run(shell_job('e', script, driver=driver, kind='batch'))
    return agent, agent.wait_alloc('e', 'running')['ID']


def in_foreground(command):
    for pid in harness.descendants():
        fields = harness.stat_fields(pid)
        if harness.command_line(pid) == command and fields and fields[2] == fields[5]:  # its process group is the terminal's
            return True
    return False


def cli(agent, *arguments, stdin=b'', status=0):
    """`alloc exec`; returns stdout and stderr as bytes."""
    result = subprocess.run([agent.sandbox.drover, 'alloc', 'exec', *arguments], input=stdin, capture_output=True, timeout=60, check=False,
                            env={'NOMAD_ADDR': agent.url, 'PATH': os.environ['PATH'], 'HOME': agent.directory})
    expect(result.returncode == status, f'alloc exec {arguments}: exit status {result.returncode}, not {status}: {result.stdout[-300:]!r} {result.stderr[-300:]!r}')
    return result.stdout, result.stderr


def streams_and_exit_codes(agent, alloc):
    out, err = cli(agent, alloc, '/bin/sh', '-c', 'echo out; echo err >&2; exit 7', status=7)
    expect((out, err) == (b'out\n', b'err\n'), f'the two streams: {out!r} {err!r}')
    cli(agent, alloc, '/bin/sh', '-c', 'kill -9 $$', status=137)
    out, _ = cli(agent, '-i=false', alloc, 'cat', stdin=b'not for it')
    expect(out == b'', f'without -i the command got input: {out!r}')
    data = random.Random(4).randbytes(1 << 20)
    out, _ = cli(agent, alloc, 'cat', stdin=data)
    expect(hashlib.sha256(out).digest() == hashlib.sha256(data).digest(), f'1 MiB both ways: {len(out)} bytes came back, and not the same')


def test_plain_streams(sandbox):
    agent, alloc = one_task(sandbox)
    streams_and_exit_codes(agent, alloc)
    out, _ = cli(agent, '-job', 'e', '/bin/sh', '-c', 'echo $NOMAD_TASK_NAME; basename $(pwd); tty; exit 0')
    expect(out == b't\nt\nnot a tty\n', f'environment, directory and terminal: {out!r}')


def test_mistakes_are_named(sandbox):
    agent, alloc = one_task(sandbox)
    _, err = cli(agent, alloc, '/no/such', status=1)
    contains(err.decode(), 'failed to exec into task: rpc error: code = Unknown desc = failed to start command: ', '/no/such', 'no such file or directory')
    _, err = cli(agent, '-task', 'zz', alloc, 'true', status=1)
    contains(err.decode(), 'Could not find task named: zz, found:\nt\n')
    _, err = cli(agent, alloc, status=1)
    contains(err.decode(), 'A command is required')
    _, err = cli(agent, '-e', 'ab', alloc, 'true', status=1)
    contains(err.decode(), "-e requires 'none' or a single character")
    _, err = cli(agent, '-i=false', '-t=true', alloc, 'true', status=1)
    contains(err.decode(), '-i must be enabled if running with tty')


class Terminal:
    """`alloc exec` on a terminal of its own."""

    def __init__(self, agent, *arguments, size=(24, 80)):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(agent.sandbox.drover, ['drover', 'alloc', 'exec', *arguments],
                      {'NOMAD_ADDR': agent.url, 'PATH': os.environ['PATH'], 'HOME': agent.directory, 'TERM': 'dumb'})
        self.resize(*size)
        self.text = b''

    def resize(self, height, width):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', height, width, 0, 0))

    def send(self, data):
        os.write(self.fd, data)

    def expect(self, text, limit=20.0):
        """Reads until the text has come."""
        deadline = time.monotonic() + limit
        while text not in self.text:
            expect(time.monotonic() < deadline, f'{text!r} did not come: {self.text!r}')
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.fd, 65536)
                except OSError:
                    expect(text in self.text, f'{text!r} did not come before the end: {self.text!r}')

    def end(self):
        """Reads to the end; returns the exit code."""
        try:
            while True:
                self.text += os.read(self.fd, 65536)
        except OSError:
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_terminal(sandbox):
    agent, alloc = one_task(sandbox)
    # A shell with job control: sizes, resizing, keys, exit code.
    terminal = Terminal(agent, alloc, '/bin/sh', size=(31, 97))
    terminal.send(b'tty | sed s,[0-9]*$,N,; stty size; trap "stty size" WINCH; echo read""y\n')
    terminal.expect(b'/dev/pts/N')
    terminal.expect(b'ready')
    terminal.resize(40, 101)
    # The trap runs when the next command has ended.
    for _ in range(40):
        terminal.send(b'stty size\n')
        try:
            terminal.expect(b'40 101', 0.5)
            break
        except harness.Failure:
            continue
    terminal.expect(b'40 101', 1)
    terminal.send(b'sleep 100\n')
    terminal.expect(b'sleep 100')
    until('the command to be in the foreground, where keys reach it', lambda: in_foreground('sleep 100'))
    terminal.send(b'\x03')
    terminal.send(b'echo after""wards; exit 5\n')
    terminal.expect(b'afterwards')
    code = terminal.end()
    expect(code == 5, f'exit code {code}: {terminal.text!r}')


def test_the_escape_sequence_ends_a_session(sandbox):
    agent, alloc = one_task(sandbox)
    terminal = Terminal(agent, alloc, '/bin/sh', '-c', 'echo pid=$$=; sleep 1000')
    terminal.expect(b'=')
    terminal.expect(b'\n')
    terminal.send(b'\r~.')
    code = terminal.end()
    expect(code == 1, f'exit code {code}: {terminal.text!r}')
    until('the command to be ended with its session',
          lambda: not [line for line in (harness.command_line(one) for one in harness.descendants()) if line == 'sleep 1000'])


def test_a_session_ends_with_its_user_and_with_its_task(sandbox):
    agent, alloc = one_task(sandbox)
    running = lambda: [one for one in harness.descendants() if harness.command_line(one) == 'sleep 1234']
    environment = {'NOMAD_ADDR': agent.url, 'PATH': os.environ['PATH'], 'HOME': agent.directory}
    user = subprocess.Popen([sandbox.drover, 'alloc', 'exec', alloc, 'sleep', '1234'], stdin=subprocess.PIPE, env=environment)
    until('the command to run', running)
    user.send_signal(signal.SIGKILL)
    user.wait()
    until('the command to be ended with its user', lambda: not running())
    user = subprocess.Popen([sandbox.drover, 'alloc', 'exec', alloc, '/bin/sh', '-c', 'echo up; sleep 1234'], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    expect(user.stdout.readline() == b'up\n', 'the command did not start')
    agent.cli('job', 'stop', '-detach', 'e')
    expect(user.wait(30) == 1, f'exit status {user.returncode}')
    contains(user.stderr.read().decode(), 'plugin is shut down')


def test_over_the_server_and_over_another_node(sandbox):
    server, (near, far), _ = forward_test.cluster(sandbox)
    alloc = forward_test.run_on(server, 'job', 'far', FOREVER)
    for agent in (server, near, far):
        streams_and_exit_codes(agent, alloc)
        _, err = cli(agent, alloc, '/no/such', status=1)
        contains(err.decode(), 'failed to start command')
    terminal = Terminal(near, alloc, '/bin/sh', '-c', 'read x; stty size; echo $x; exit 3', size=(30, 90))
    terminal.send(b'hello\n')
    expect(terminal.end() == 3 and b'30 90\r\nhello\r\n' in terminal.text, f'a terminal over two agents: {terminal.text!r}')


if __name__ == '__main__':
    harness.main(globals())
