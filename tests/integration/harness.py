"""Starts real agents in directories of their own and asks them what a user would. Python 3 standard library only.

A test file ends with `harness.main(globals())`: every function test_* runs with a fresh Sandbox and prints one line, ok, skip
with the reason, or FAIL with the agent's last log lines. Exit status: 0, 77 when everything was skipped, 1 on a failure.
`BUILD` names the build directory, `LONG=1` asks for the long form of the crash tests. The harness is the reaper of
everything it starts (PR_SET_CHILD_SUBREAPER), so what an agent leaves behind is found exactly."""
import contextlib
import ctypes
import errno
import glob
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get('BUILD', 'build')))
LONG = os.environ.get('LONG') == '1'
ROUNDS = int(os.environ.get('ROUNDS', 100 if LONG else 10))
SLOW = float(os.environ.get('SLOW', '1'))  # how many times longer than on a real machine things may take
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE, MNT_DETACH = -100, 2, 2
PROGRAMS = {  # path in the build tree -> path of the installed tree
    'cli/drover': 'bin/drover',
    'plugins/executor/drover-executor': 'libexec/drover/drover-executor',
    'plugins/logd/drover-logd': 'libexec/drover/drover-logd',
    'plugins/drivers/drover-driver-raw-exec': 'libexec/drover/plugins/drover-driver-raw-exec',
    'plugins/drivers/drover-driver-exec': 'libexec/drover/plugins/drover-driver-exec',
    'plugins/drivers/drover-driver-java': 'libexec/drover/plugins/drover-driver-java',
    'plugins/drivers/drover-driver-qemu': 'libexec/drover/plugins/drover-driver-qemu',
}


class Skip(Exception):
    """The machine lacks something; the text says what."""


class Failure(Exception):
    pass


def become_reaper():
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)


@contextlib.contextmanager
def inside(netns):
    """The block runs in a named network namespace."""
    if netns is None:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with open('/proc/thread-self/ns/net', 'rb') as home, open(f'/run/netns/{netns}', 'rb') as away:
        expect(libc.setns(away.fileno(), 0x40000000) == 0, f'entering network namespace {netns}: errno {ctypes.get_errno()}')
        try:
            yield
        finally:
            libc.setns(home.fileno(), 0x40000000)


given_ports = set()


def free_ports(count):
    """Ports that nobody has. Neither those the kernel gives to connections (from 32768 on), which may have one before the agent has
    it, nor those that tasks are given (from 20000 on)."""
    ports = []
    while len(ports) < count:
        port = random.randrange(10000, 20000)
        with socket.socket() as one:
            try:
                one.bind(('127.0.0.1', port))
            except OSError:
                continue
        if port not in given_ports:
            given_ports.add(port)
            ports.append(port)
    return ports


def stage(target):
    """Puts the programs of the build into the layout of an installation below `target`; returns the path of drover."""
    for source, place in PROGRAMS.items():
        source, place = os.path.realpath(os.path.join(BUILD, source)), os.path.join(target, place)
        if not os.path.exists(source):
            raise Failure(f'{source} is missing; build it with `make build`')
        os.makedirs(os.path.dirname(place), exist_ok=True)
        try:
            os.link(source, place)
        except FileExistsError:
            continue
        except OSError:  # another file system
            shutil.copy2(source, place)
    return os.path.join(target, 'bin/drover')


# --- processes ---------------------------------------------------------------------------------------------------------

def stat_fields(pid):
    """The fields of /proc/<pid>/stat after the name: [0] state, [1] parent, [19] start time. None when it is gone."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            return file.read().rpartition(')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def start_time(pid):
    fields = stat_fields(pid)
    return int(fields[19]) if fields and fields[0] != 'Z' else None


def program(pid):
    try:
        return os.path.basename(os.readlink(f'/proc/{pid}/exe').removesuffix(' (deleted)'))
    except OSError:
        return ''


def command_line(pid):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            return file.read().replace(b'\0', b' ').decode(errors='replace').strip()
    except OSError:
        return ''


def descendants(of=None):
    """pid -> name of the program of every living process below `of` (this process)."""
    parents = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            fields = stat_fields(name)
            if fields and fields[0] != 'Z':
                parents[int(name)] = int(fields[1])
    below, grown = {of or os.getpid()}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in below and pid not in below}
        below |= more
        grown = bool(more)
    below.discard(of or os.getpid())
    return {pid: program(pid) for pid in sorted(below)}


def reap(keep):
    """Takes the ended processes that came to us as their reaper, but for those that somebody waits for: a long test would run out of numbers."""
    with open(f'/proc/self/task/{os.getpid()}/children', encoding='ascii') as file:
        for pid in map(int, file.read().split()):
            fields = stat_fields(pid) if pid not in keep else None
            if fields and fields[0] == 'Z':
                os.waitpid(pid, os.WNOHANG)


def pss_kib(pid):
    try:
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii', errors='replace') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('Pss:'))
    except (OSError, StopIteration):
        return 0


def until(what, check, limit=20.0, pause=0.02, say=None):
    """Calls check() until it returns something true; a bounded wait for what has no event to wait on. `say()` adds to the failure."""
    deadline = time.monotonic() + limit * SLOW
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failure(f'{what}: not within {limit:g} s{f": {say()}" if say else ""}')
        time.sleep(pause)


def expect(condition, text):
    if not condition:
        raise Failure(text)


def contains(text, *parts):
    for part in parts:
        expect(part.lower() in text.lower(), f'"{part}" is not in: {text.strip()[-1500:]}')


# --- agents ------------------------------------------------------------------------------------------------------------

PLACE = '''
bind_addr = "127.0.0.1"
data_dir = "{data}"
log_level = "DEBUG"
ports {{
  http = {http}
  rpc = {rpc}
  serf = {serf}
}}
'''
ADVERTISE = '''
advertise {{
  http = "127.0.0.1"
  rpc = "127.0.0.1"
  serf = "127.0.0.1"
}}
'''
DEV = PLACE + '''
plugin "raw_exec" {{ config {{ enabled = true }} }}
plugin "exec" {{ config {{ allow_degraded = true }} }}
plugin "java" {{ config {{ allow_degraded = true }} }}
'''
SINGLE = DEV + ADVERTISE + '''
server {{
  enabled = true
  bootstrap_expect = 1
}}
client {{
  enabled = true
  network_interface = "lo"
}}
'''


class Agent:
    """One agent: its configuration, its process, and HTTP and CLI against it. `dev` agents forget everything."""

    def __init__(self, sandbox, name='agent', dev=False, base=None, extra='', address='127.0.0.1', netns=None):
        self.sandbox, self.name, self.dev, self.address, self.netns = sandbox, name, dev, address, netns
        self.prefix = ['nsenter', f'--net=/run/netns/{netns}'] if netns else []
        self.directory = os.path.join(sandbox.directory, name)
        self.data = os.path.join(self.directory, 'data')
        os.makedirs(self.directory, exist_ok=True)
        self.http, self.rpc, self.serf = free_ports(3)
        text = (base or (DEV if dev else SINGLE)).format(data=self.data, http=self.http, rpc=self.rpc, serf=self.serf)
        self.config = os.path.join(self.directory, 'agent.hcl')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(text + extra)
        self.log = os.path.join(self.directory, 'agent.log')
        self.process = None
        self.environment = {}  # more than the little it gets
        sandbox.agents.append(self)

    @property
    def url(self):
        return f'http://{self.address}:{self.http}'

    @property
    def pid(self):
        return self.process.pid

    def spawn(self):
        arguments = [*self.prefix, self.sandbox.drover, 'agent', *(['-dev'] if self.dev else []), '-config', self.config]
        environment = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': self.directory,
                       'TMPDIR': self.directory, 'LANG': 'C.UTF-8', 'DROVER_FAIL_POINTS': self.sandbox.points, **self.environment}
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                            start_new_session=True)
        return self

    def start(self, node=True, drivers=('raw_exec',), limit=20.0):
        self.spawn()
        deadline = time.monotonic() + limit * SLOW

        def leader():
            try:
                return self.get('/v1/status/leader', timeout=5)
            except (OSError, http.client.HTTPException, Failure):
                self.expect_alive()
                return None
        until(f'agent "{self.name}" to have a leader', leader, limit, 0.005)
        if node:
            self.wait_node(drivers, max(1.0, deadline - time.monotonic()))
        return self

    def expect_alive(self):
        if self.process.poll() is not None:
            raise Failure(f'agent "{self.name}" ended with status {self.process.returncode} while starting')

    def wait_node(self, drivers=('raw_exec',), limit=20.0):
        """Waits, by blocking queries, until one node is ready and the drivers are healthy; returns the node."""
        deadline, index, node, missing = time.monotonic() + limit * SLOW, 0, None, list(drivers)
        while time.monotonic() < deadline:
            left = max(1, int(deadline - time.monotonic()))
            nodes, index = self.query('/v1/nodes', index, left)
            ready = [one for one in nodes or [] if one['Status'] == 'ready']
            if ready:
                node = self.get(f'/v1/node/{ready[0]["ID"]}')
                healthy = {name for name, info in (node.get('Drivers') or {}).items() if info.get('Healthy')}
                missing = [name for name in drivers if name not in healthy]
                if not missing:
                    return node
        state = node and {name: info.get('HealthDescription') for name, info in (node.get('Drivers') or {}).items()}
        raise Failure(f'agent "{self.name}": no ready node with drivers {", ".join(missing)} within {limit:g} s; drivers: {state}')

    def wait_drivers(self, names, limit=20.0):
        """Waits until a ready node says something final about each driver, healthy or not; returns the node."""
        deadline, index, node = time.monotonic() + limit * SLOW, 0, {}
        while time.monotonic() < deadline:
            nodes, index = self.query('/v1/nodes', index, max(1, int(deadline - time.monotonic())))
            ready = [one for one in nodes or [] if one['Status'] == 'ready']
            node = self.get(f'/v1/node/{ready[0]["ID"]}') if ready else {}
            known = node.get('Drivers') or {}
            if all(name in known and (known[name].get('Healthy') or known[name].get('HealthDescription')) for name in names):
                return node
        raise Failure(f'drivers {", ".join(names)} are not known to the node within {limit:g} s: {json.dumps(node.get("Drivers"))}')

    # HTTP

    def request(self, method, path, body=None, timeout=60, headers=None):
        connection = http.client.HTTPConnection(self.address, self.http, timeout=timeout)
        try:
            with inside(self.netns):  # a socket stays in the namespace it was made in
                connection.connect()
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(method, path, body=data, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, timeout=60):
        status, _, data = self.request(method, path, body, timeout)
        expect(status == 200, f'{method} {path}: status {status}: {data.decode(errors="replace")[:800]}')
        try:
            return json.loads(data) if data else None
        except json.JSONDecodeError:
            return data.decode(errors='replace')

    def get(self, path, timeout=60):
        return self.call('GET', path, timeout=timeout)

    def query(self, path, index, wait):
        """A blocking query: the answer and the index to ask with next."""
        glue = '&' if '?' in path else '?'
        status, headers, data = self.request('GET', f'{path}{glue}index={index}&wait={wait}s', timeout=wait + 30)
        expect(status == 200, f'GET {path}: status {status}: {data.decode(errors="replace")[:800]}')
        return json.loads(data), int(headers.get('x-nomad-index', 0))

    # CLI

    def cli(self, *arguments, status=0, timeout=60, stdin=None):
        result = subprocess.run([*self.prefix, self.sandbox.drover, *arguments], capture_output=True, timeout=timeout * SLOW, input=stdin, check=False,
                                env={'NOMAD_ADDR': self.url, 'PATH': os.environ['PATH'], 'HOME': self.directory, 'LANG': 'C.UTF-8'})
        out, err = result.stdout.decode(errors='replace'), result.stderr.decode(errors='replace')
        if status is not None:
            expect(result.returncode == status, f'drover {" ".join(arguments)}: exit status {result.returncode}, not {status}\n{out}{err}')
        return out + err

    # Jobs

    def run(self, text, *flags, status=0):
        """`job run` of a job file given as text; returns the CLI's output."""
        path = os.path.join(self.directory, 'job.nomad.hcl')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return self.cli('job', 'run', *flags, path, status=status)

    def wait_alloc(self, job, state, limit=20.0):
        """Waits, by blocking queries, for one allocation of the job with this client status; returns it whole."""
        deadline, index, seen = time.monotonic() + limit * SLOW, 0, []
        while time.monotonic() < deadline:
            seen, index = self.query(f'/v1/job/{job}/allocations', index, max(1, int(deadline - time.monotonic())))
            for one in seen or []:
                if one['ClientStatus'] == state:
                    return self.get(f'/v1/allocation/{one["ID"]}')
        events = [event.get('DisplayMessage') for one in seen or [] for task in (one.get('TaskStates') or {}).values()
                  for event in task.get('Events') or []]
        raise Failure(f'job "{job}": no allocation became {state} within {limit:g} s: '
                      f'{[one["ClientStatus"] for one in seen or []]}, events: {events}')

    def logs(self, alloc, task, kind='stdout'):
        status, _, data = self.request('GET', f'/v1/client/fs/logs/{alloc}?task={task}&type={kind}&plain=true&origin=start&offset=0')
        expect(status == 200, f'logs of {alloc}: status {status}: {data.decode(errors="replace")[:500]}')
        return data.decode(errors='replace')

    def stop_jobs(self, limit=20.0):
        for job in self.get('/v1/jobs?namespace=*') or []:
            self.call('DELETE', f'/v1/job/{urllib.parse.quote(job["ID"], safe="")}')
        deadline, index = time.monotonic() + limit * SLOW, 0
        while True:
            allocs, index = self.query('/v1/allocations?namespace=*', index, 5)
            left = [one['ID'] for one in allocs or [] if one['ClientStatus'] in ('pending', 'running')]
            if not left:
                break
            expect(time.monotonic() < deadline, f'allocations do not end after their jobs were stopped: {left}')
        # The servers know the end before its node has cleaned up.
        until('the records of ended tasks to go', lambda: not self.sandbox.records())

    # Processes

    def plugins(self, name='drover-driver-'):
        return [pid for pid, exe in descendants().items() if exe.startswith(name)]

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def stop(self, limit=15.0):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(limit * SLOW)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise Failure(f'agent "{self.name}" did not end within {limit:g} s after SIGINT') from None

    def log_tail(self, lines=30):
        try:
            with open(self.log, encoding='utf-8', errors='replace') as file:
                return ''.join(file.readlines()[-lines:])
        except OSError:
            return ''


class Sandbox:
    """A temporary directory with the programs and the agents of one test, and the sweep behind them."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='drover-')
        os.chmod(self.directory, 0o755)  # tasks run as other users
        self.drover = stage(os.path.join(self.directory, 'root'))
        self.points = os.path.join(self.directory, 'points')  # armed steps at which processes die: sdk/base/fail_point.h
        os.mkdir(self.points)
        self.agents = []
        self.allocs = set()

    def agent(self, *arguments, **named):
        return Agent(self, *arguments, **named)

    def arm(self, point, *victims):
        """The next process to pass the point kills these pids, or itself for 'self'."""
        os.rename(self._write_point(point, victims), os.path.join(self.points, point))

    def rearm(self, point, *victims):
        """The same for a point that is armed; one that a process passes meanwhile stays passed."""
        written, path = self._write_point(point, victims), os.path.join(self.points, point)
        exchanged = LIBC.renameat2(AT_FDCWD, os.fsencode(written), AT_FDCWD, os.fsencode(path), RENAME_EXCHANGE) == 0
        if not exchanged and ctypes.get_errno() != errno.ENOENT:
            raise OSError(ctypes.get_errno(), f'exchanging {path}')
        os.unlink(written)

    def _write_point(self, point, victims):
        path = os.path.join(self.points, point + '~')
        with open(path, 'w', encoding='ascii') as file:
            file.write(' '.join(str(victim) for victim in victims))
        return path

    def armed(self):
        return [name for name in os.listdir(self.points) if not name.endswith('~')]

    def records(self):
        return [path for agent in self.agents for path in glob.glob(f'{agent.data}/client/executor/*/*')]

    def sweep(self):
        """What is left of tasks, mounts and cgroups, as a list of sentences; call it after the jobs have been stopped."""
        left = [f'process {pid}: {exe or "?"} {command_line(pid)[:120]}' for pid, exe in descendants().items()]
        left += [f'record {path}' for path in self.records()]
        with open('/proc/self/mountinfo', encoding='utf-8', errors='replace') as file:
            left += [f'mount {line.split()[4]}' for line in file if self.directory in line]
        for alloc in self.allocs:
            for base, folders, _ in os.walk('/sys/fs/cgroup'):
                left += [f'cgroup {base}/{folder}' for folder in folders if alloc in folder]
        return left

    def finish(self):
        """Stops jobs and agents as a user would, then looks for leftovers; returns them."""
        for agent in self.agents:
            if agent.process is not None and agent.process.poll() is None:
                try:
                    self.allocs |= {one['ID'] for one in agent.get('/v1/allocations?namespace=*') or []}
                    agent.stop_jobs()
                except (OSError, http.client.HTTPException):
                    pass
        for agent in reversed(self.agents):
            agent.stop()
        # Plugins outlive an agent that keeps its state, to be attached again; nothing will, so they are ended here.
        for pid, exe in descendants().items():
            if exe.startswith('drover-driver-') and not all(agent.dev for agent in self.agents):
                os.kill(pid, signal.SIGKILL)
        try:
            until('the last processes to end', lambda: not descendants(), 5)
        except Failure:
            pass
        return self.sweep()

    def destroy(self):
        for agent in self.agents:
            if agent.process is not None and agent.process.poll() is None:
                agent.kill9()
        for pid in reversed(list(descendants())):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        until('killed processes to end', lambda: not descendants(), 5)
        with open('/proc/self/mountinfo', encoding='utf-8', errors='replace') as file:
            for path in reversed([line.split()[4] for line in file if self.directory in line.split()[4]]):
                LIBC.umount2(os.fsencode(path), MNT_DETACH)
        shutil.rmtree(self.directory, ignore_errors=True)


def need_root():
    if os.geteuid() != 0:
        raise Skip('needs root')


def main(names):
    become_reaper()
    wanted = sys.argv[1:]
    results = {'ok': 0, 'skip': 0, 'FAIL': 0}
    for name, test in [(n, t) for n, t in names.items() if n.startswith('test_') and callable(t)]:
        if wanted and name not in wanted:
            continue
        began, sandbox, outcome, text = time.monotonic(), None, 'ok', ''
        try:
            need_root()
            sandbox = Sandbox()
            test(sandbox)
            left = sandbox.finish()
            expect(not left, 'left behind: ' + '; '.join(left))
        except Skip as reason:
            outcome, text = 'skip', f': {reason}'
        except Exception as error:  # pylint: disable=broad-except
            outcome = 'FAIL'
            text = f': {error}' if isinstance(error, Failure) else '\n' + traceback.format_exc()
            for agent in sandbox.agents if sandbox else []:
                text += f'\n--- last lines of agent "{agent.name}":\n{agent.log_tail()}'
        finally:
            if sandbox:
                sandbox.destroy()
        results[outcome] += 1
        print(f'{outcome} {name} ({time.monotonic() - began:.1f} s){text}', flush=True)
    if results['FAIL']:
        sys.exit(1)
    sys.exit(77 if results['skip'] and not results['ok'] else 0)
