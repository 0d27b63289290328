#!/usr/bin/env python3
"""Executors outlive upgrades: a driver of today takes over tasks of an executor of protocol version 1, built from the last commit that
had it, and an executor of today starts what a driver of version 1 asks for. The other way round, a driver of today refuses an executor
that would skip what it does not know. BUILD names the build directory. Needs root, git and a compiler."""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get('BUILD', 'build'))
LAST_OF_VERSION_1 = 'a23a1d7'
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'security'))
from tasks import Base, Failure, Node, contains, equal, until  # noqa: E402

TAG = {'id': 1, 'boot_id': 2, 'executable': 3, 'argument': 4, 'environment': 5, 'directory': 6, 'flags': 10, 'log_dir_fd': 17,
       'stdout_name': 18, 'stderr_name': 19, 'log_max_files': 20, 'log_max_bytes': 21}


def field(tag, value):
    data = value.encode() + b'\0' if isinstance(value, str) else struct.pack('<Q', value)
    return struct.pack('<HHI', TAG[tag], 0, len(data)) + data


def fnv(text):
    value = 14695981039346656037
    for byte in text.encode():
        value = (value ^ byte) * 1099511628211 % (1 << 64)
    return f'{value:016x}'


def old_executor():
    """Built once in a build directory."""
    place = os.path.join(BUILD, 'tests/old-executor')
    program = os.path.join(place, 'drover-executor')
    if os.path.exists(program):
        return program
    if shutil.which('git') is None or subprocess.run(['git', '-C', ROOT, 'cat-file', '-e', LAST_OF_VERSION_1], capture_output=True, check=False).returncode != 0:
        print('skipped: the history of this clone does not hold the executor of version 1')
        sys.exit(77)
    os.makedirs(place, exist_ok=True)
    archive = subprocess.run(['git', '-C', ROOT, 'archive', LAST_OF_VERSION_1, 'plugins/executor'], capture_output=True, check=True).stdout
    subprocess.run(['tar', '-x', '-C', place], input=archive, check=True)
    sources = [os.path.join(base, name) for base, _, names in os.walk(place) for name in names if name.endswith('.cc')]
    compiler = next(name for name in ('clang++-19', 'clang++', 'g++') if shutil.which(name))
    subprocess.run([compiler, '-std=c++20', '-O1', '-D_GNU_SOURCE', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-static', '-I', place,
                    *sources, '-o', program + '.new'], check=True)
    os.rename(program + '.new', program)
    return program


class Version1:
    """What a driver of version 1 did to start a task of raw_exec."""

    def __init__(self, executor, state, alloc, script, start='00000001'):
        self.alloc = alloc
        name = os.path.basename(alloc.path)
        self.task_id = f'{name}/web/{start}'
        self.place = f'{state}/{fnv(self.task_id[:self.task_id.rindex("/")])}/{fnv(self.task_id)}'
        os.makedirs(self.place, mode=0o700)
        boot = open('/proc/sys/kernel/random/boot_id').read().strip()
        body = b''.join([field('id', self.task_id), field('boot_id', boot), field('executable', '/bin/sh'), field('argument', 'sh'), field('argument', '-c'),
                         field('argument', script), field('environment', 'PATH=/usr/bin:/bin'), field('directory', alloc.path), field('flags', 0),
                         field('log_dir_fd', 6), field('stdout_name', 'web.stdout'), field('stderr_name', 'web.stderr'), field('log_max_files', 10),
                         field('log_max_bytes', 10 << 20)])
        spec = os.memfd_create('spec', os.MFD_ALLOW_SEALING)
        os.write(spec, struct.pack('<IHH', len(body) + 8, 1, 1) + body)
        fcntl.fcntl(spec, fcntl.F_ADD_SEALS, 0xf)
        self.connection, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        directory, logs = os.open(self.place, os.O_RDONLY), os.open(alloc.path + '/alloc/logs', os.O_RDONLY)
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for fd in (spec, directory, other.fileno(), logs)]

        def take_places():
            for number, fd in enumerate(high, 3):
                os.dup2(fd, number)
        self.process = subprocess.Popen([executor], env={}, close_fds=False, preexec_fn=take_places, start_new_session=True)
        for fd in (spec, directory, logs, *high):
            os.close(fd)
        other.close()

    def until_running(self):
        while True:
            message = self.connection.recv(4096)
            if not message:
                raise Failure('the executor is gone')
            if struct.unpack_from('<IHH', message)[2] == 16 and state_of(message) == 2:
                return self


def state_of(message):
    at = 8
    while at + 8 <= len(message):
        tag, _, size = struct.unpack_from('<HHI', message, at)
        if tag == 60:
            return struct.unpack_from('<Q', message, at + 8)[0]
        at += 8 + size
    return 0


def recover(node, task):
    return node.call({'op': 'recover', 'task': {'alloc_dir': task.alloc.path, 'config': {'command': '/bin/sh'}}})


def takes_over_a_running_task(node, old):
    task = Version1(old, node.base + '/state', node.allocation(), 'echo up; exec sleep 1000').until_running()
    until(lambda: 'up' in task.alloc.log('web', 'stdout'), 'the first line of the task')
    task.connection.close()
    found = recover(node, task)
    equal(found.get('error', ''), '')
    session = node.call({'op': 'exec', 'id': found['id'], 'command': ['echo', 'session']})
    equal(session.get('stdout', session.get('error')), 'session\n')
    equal(node.call({'op': 'stop', 'id': found['id'], 'grace_ms': 5000, 'signal': 'SIGTERM'}), {})
    equal(node.call({'op': 'wait', 'id': found['id']})['signal'], 15)
    equal(node.call({'op': 'destroy', 'id': found['id']}), {})
    task.process.wait()


def reads_the_exit_record_of_a_dead_one(node, old):
    task = Version1(old, node.base + '/state', node.allocation(), 'exit 9').until_running()
    until(lambda: os.path.exists(task.place + '/exit'), 'the exit record')
    task.process.kill()
    task.process.wait()
    found = recover(node, task)
    equal(node.call({'op': 'wait', 'id': found['id']})['code'], 9)
    equal(node.call({'op': 'destroy', 'id': found['id']}), {})


def an_executor_of_today_takes_an_old_specification(node, _):
    task = Version1(node.executor, node.base + '/state', node.allocation(), 'echo up; exit 3').until_running()
    found = recover(node, task)
    equal(node.call({'op': 'wait', 'id': found['id']})['code'], 3)
    equal(node.call({'op': 'destroy', 'id': found['id']}), {})
    task.process.wait()


def a_driver_of_today_refuses_an_old_executor(node, old):
    other = Node(BUILD, node.base + '/other')
    other.close()
    other.executor = old
    other.process = subprocess.Popen([other.runner, old, node.base + '/refused'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    other.driver()
    contains(other.run('echo ran').error, 'install both from the same version')
    other.close()


def main():
    if os.geteuid() != 0:
        print('skipped: needs root')
        return 77
    old = old_executor()
    failed = 0
    tests = (takes_over_a_running_task, reads_the_exit_record_of_a_dead_one, an_executor_of_today_takes_an_old_specification,
             a_driver_of_today_refuses_an_old_executor)
    for test in tests:
        with Base() as base:
            node = Node(BUILD, base)
            node.driver('raw_exec')
            try:
                test(node, old)
            except Failure as failure:
                failed += 1
                print(f'FAILED {test.__name__}: {failure}')
            node.close()
    print(f'{len(tests) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
