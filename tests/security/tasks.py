"""Tasks for the tests of this directory: a node without an agent (task-runner), allocations, and the runner of the tests.

A test is a function `R_003_what_holds(node)` of a file `<rule>/*_test.py`; it returns nothing, raises Failure, or calls skip().
"""
import json
import os
import shutil
import subprocess
import tempfile
import time


SLOW = float(os.environ.get('SLOW', '1'))  # how many times longer than on a real machine things may take


class Failure(Exception):
    def __init__(self, text):
        super().__init__(text if len(text) < 600 else f'{text[:300]} ... {text[-300:]}')


class Skipped(Exception):
    pass


def skip(why):
    raise Skipped(why)


def expect(condition, what):
    if not condition:
        raise Failure(what)


def equal(got, wanted, what=''):
    if got != wanted:
        raise Failure(f'{what}: got {got!r}, wanted {wanted!r}' if what else f'got {got!r}, wanted {wanted!r}')


def contains(text, part):
    if part not in text:
        raise Failure(f'{part!r} is not in {text!r}')


def controllers():
    """Controllers of a usable cgroup v2, [] on hybrid hosts."""
    try:
        with open('/sys/fs/cgroup/cgroup.controllers', encoding='ascii') as file:
            return file.read().split()
    except OSError:
        return []


def need_controller(name):
    if name not in controllers():
        skip(f'this host has no cgroup v2 controller "{name}"; make test-vm has all')


class Ended:
    """How a task ended, and what it wrote."""

    def __init__(self, answer, out, err):
        self.error = answer.get('error', '')
        self.code, self.signal, self.oom = answer.get('code'), answer.get('signal'), answer.get('oom')
        self.unknown = answer.get('unknown', '')
        self.out, self.err = out, err

    @property
    def lines(self):
        return self.out.splitlines()


class Task:
    def __init__(self, node, alloc, request, answer):
        self.node, self.alloc, self.request = node, alloc, request
        self.error, self.pid = answer.get('error', ''), answer.get('pid')
        self.id = answer.get('id')
        self.executor = parent_of(self.pid) if self.pid else None

    def text(self, stream='stdout'):
        return self.alloc.log(self.request['name'], stream)

    def until(self, text, stream='stdout'):
        """Waits for output by watching the task's own end or its file growing."""
        while text not in self.text(stream):
            if not os.path.exists(f'/proc/{self.pid}'):
                raise Failure(f'the task ended before it wrote {text!r}: {self.text(stream)!r} {self.text("stderr")!r}')
            time.sleep(0.005)
        return self

    def call(self, op, **arguments):
        return self.node.call({'op': op, 'id': self.id, **arguments})

    def exec(self, *command):
        return self.call('exec', command=list(command))

    def wait(self):
        answer = self.call('wait')
        return Ended(answer, self.text(), self.text('stderr'))

    def destroy(self):
        return self.call('destroy')


def parent_of(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            return int(file.read().rsplit(')', 1)[1].split()[1])
    except OSError:
        return None  # it has ended already


class Allocation:
    """A directory as the agent makes it."""

    def __init__(self, base):
        self.path = tempfile.mkdtemp(prefix='alloc-', dir=base)
        os.chmod(self.path, 0o755)
        for name in ('alloc/logs', 'alloc/data', 'alloc/tmp', 'web/local', 'web/secrets', 'web/tmp'):
            os.makedirs(f'{self.path}/{name}')
        for name in ('alloc', 'alloc/logs', 'alloc/data', 'alloc/tmp', 'web', 'web/local', 'web/secrets', 'web/tmp'):
            os.chmod(f'{self.path}/{name}', 0o777)

    def write(self, name, content, mode=0o644):
        path = f'{self.path}/{name}'
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def log(self, task, stream):
        out = ''
        for index in range(100):
            try:
                with open(f'{self.path}/alloc/logs/{task}.{stream}.{index}', encoding='utf-8', errors='replace') as file:
                    out += file.read()
            except OSError:
                continue
        return out


class Node:
    """One driver. `driver()` chooses it; exec with `allow_degraded` is there from the start."""

    def __init__(self, build, base, prefix=()):
        os.makedirs(base, exist_ok=True)
        self.base = base
        self.executor = os.path.join(build, 'plugins/executor/drover-executor')
        self.runner = os.path.join(build, 'tests/security/task-runner')
        self.process = subprocess.Popen([*prefix, self.runner, self.executor, base + '/state'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.started = []
        self.driver()

    def call(self, request):
        self.process.stdin.write(json.dumps(request) + '\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f'task-runner ended with {self.process.wait()} at {request["op"]}')
        return json.loads(line)

    def driver(self, name='exec', **config):
        if name == 'exec':
            config = {'allow_degraded': True, **config}
        else:
            config = {'enabled': True, **config}
        self.name = name
        return self.call({'op': 'driver', 'name': name, 'config': config}).get('error', '')

    def allocation(self):
        return Allocation(self.base)

    def start(self, script=None, alloc=None, command=None, args=None, config=None, **task):
        alloc = alloc or self.allocation()
        options = dict(config or {})
        options['command'] = command or '/bin/sh'
        if script is not None:
            options['args'] = ['-c', script]
        elif args is not None:
            options['args'] = args
        request = {'name': 'web', 'alloc_dir': alloc.path, 'config': options, **task}
        started = Task(self, alloc, request, self.call({'op': 'start', 'task': request}))
        if started.id:
            self.started.append(started)
        return started

    def run(self, script=None, **task):
        """To the end. A start that failed has `error`."""
        started = self.start(script, **task)
        if started.error:
            return Ended({'error': started.error}, '', '')
        ended = started.wait()
        self.finish(started)
        return ended

    def python(self, code, **task):
        return self.run(command='/usr/bin/python3', args=['-c', code], **task)

    def finish(self, task):
        task.destroy()
        self.started.remove(task)

    def close(self):
        """Ends what still runs; a runner that does not answer, since a test gave up in the middle of a call, is killed."""
        try:
            self.process.stdin.write(''.join(json.dumps({'op': 'destroy', 'id': task.id}) + '\n' for task in self.started))
            self.process.stdin.close()
            self.process.wait(timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
            for task in self.started:
                if task.executor:
                    os.kill(task.executor, 9)


class Base:
    """A directory of its own on the file system of the build, walkable by everybody."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix='drover-security-')
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def until(condition, what, limit=20.0):
    deadline = time.monotonic() + limit * SLOW
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f'still waiting after {limit} s: {what}')
        time.sleep(0.005)
