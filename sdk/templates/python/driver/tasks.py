"""One task: a keeper process (keeper.py) with a directory of its own, so that neither a crash nor an update of the plugin loses it."""
import asyncio
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time

import driver_pb2 as pb
from google.protobuf import timestamp_pb2
from plugin import Refused

KEEPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'keeper.py')
TICKS, PAGE = os.sysconf('SC_CLK_TCK'), os.sysconf('SC_PAGE_SIZE')


def stat_of(pid):
    """The fields of /proc/<pid>/stat after the name: state, parent, group, session, ... None when there is no such process."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            return file.read().rpartition(')')[2].split()
    except OSError:
        return None


def began(pid):
    """With this, a number names a process for good."""
    fields = stat_of(pid)
    return int(fields[19]) if fields and fields[0] != 'Z' else 0


def user_of(name):
    """Whom the task runs as; nothing: whom the plugin runs as."""
    if not name:
        return {}
    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        if not name.isdigit():
            raise Refused(f'there is no user "{name}"') from None
        return {'user': int(name), 'group': int(name), 'extra_groups': []}
    return {'user': entry.pw_uid, 'group': entry.pw_gid, 'extra_groups': os.getgrouplist(entry.pw_name, entry.pw_gid)}


def timestamp(nanoseconds):
    # Year 1 stands for "not yet".
    return timestamp_pb2.Timestamp(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9) if nanoseconds else timestamp_pb2.Timestamp(seconds=-62135596800)


class Task:
    def __init__(self, config, state_dir):
        self.config = config
        self.directory = os.path.join(state_dir, hashlib.sha256(config.id.encode()).hexdigest()[:32])
        self.keeper = self.keeper_began = self.pid = 0
        self.started_at = time.time_ns()
        self.completed_at = 0
        self.result, self.error = pb.ExitResult(), ''
        self.ended = asyncio.Event()

    def path(self, name):
        return os.path.join(self.directory, name)

    async def start(self, command):
        spec = {'command': command, 'env': dict(self.config.env), 'directory': os.path.join(self.config.alloc_dir, self.config.name),
                'stdout': self.config.stdout_path, 'stderr': self.config.stderr_path, **user_of(self.config.user)}
        os.makedirs(self.directory, 0o700)
        try:
            with open(self.path('spec'), 'w', encoding='utf-8') as file:
                json.dump(spec, file)
            keeper = subprocess.Popen([sys.executable, '-I', '-S', KEEPER, self.directory], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, cwd='/', start_new_session=True)
            keeper.returncode = 0  # follow() reaps it
            self.keeper, self.keeper_began = keeper.pid, began(keeper.pid)
            said = (await asyncio.to_thread(keeper.stdout.readline)).decode(errors='replace').strip()
            keeper.stdout.close()
            self.follow()
            if said != 'ok':
                raise Refused(f'starting "{command[0]}": {said or "its keeper died"}')
        except BaseException:
            await self.destroy()
            raise
        self.pid = self.read('pid')

    def handle(self):
        state = {'directory': self.directory, 'keeper': self.keeper, 'began': self.keeper_began, 'pid': self.pid, 'started_at': self.started_at}
        return pb.TaskHandle(version=1, config=self.config, state=pb.RUNNING, driver_state=json.dumps(state).encode())

    def recover(self, driver_state):
        try:
            state = json.loads(driver_state)
            self.directory, self.keeper, self.keeper_began = state['directory'], int(state['keeper']), int(state['began'])
            self.pid, self.started_at = int(state['pid']), int(state['started_at'])
        except (ValueError, TypeError, KeyError):
            raise Refused('this is no handle of @name@') from None
        if not os.path.isdir(self.directory):
            raise Refused('task not found for given id')
        if began(self.keeper) == self.keeper_began:
            self.follow()
        else:
            self.finish()

    def follow(self):
        """Watches the keeper, which need not be our child."""
        fd = os.pidfd_open(self.keeper)
        loop = asyncio.get_running_loop()

        def gone():
            loop.remove_reader(fd)
            os.close(fd)
            try:
                os.waitpid(self.keeper, os.WNOHANG)
            except ChildProcessError:
                pass
            self.finish()
        loop.add_reader(fd, gone)

    def finish(self):
        end = self.read('exit')
        if end:
            self.result, self.completed_at = pb.ExitResult(exit_code=end['code'], signal=end['signal']), end['at']
        else:
            self.error, self.completed_at = 'the end of the task is not known: its keeper is gone', time.time_ns()
        self.ended.set()

    def read(self, name):
        try:
            with open(self.path(name), encoding='utf-8') as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def signal(self, name, group=False):
        try:
            number = signal.Signals[name]
        except KeyError:
            raise Refused(f'there is no signal "{name}"') from None
        # While its keeper lives, the number of the task is not given to another process.
        if not self.ended.is_set() and self.pid:
            (os.killpg if group else os.kill)(self.pid, number)

    async def stop(self, timeout, name):
        if timeout > 0:
            self.signal(name)
            try:
                await asyncio.wait_for(self.ended.wait(), timeout)
            except asyncio.TimeoutError:
                pass
        self.signal('SIGKILL', group=True)
        await self.ended.wait()

    async def destroy(self):
        if self.keeper:
            await self.stop(0, '')
        shutil.rmtree(self.directory, ignore_errors=True)

    def status(self):
        return pb.TaskStatus(id=self.config.id, name=self.config.name, state=pb.EXITED if self.ended.is_set() else pb.RUNNING, result=self.result,
                             started_at=timestamp(self.started_at), completed_at=timestamp(self.completed_at))


class Meter:
    """What a task uses: all processes of its session."""
    def __init__(self, task):
        self.task = task
        self.before = self.use()

    def use(self):
        user = system = memory = 0
        for name in os.listdir('/proc'):
            fields = stat_of(name) if name.isdigit() else None
            if fields and int(fields[3]) == self.task.pid:
                user, system, memory = user + int(fields[11]) / TICKS, system + int(fields[12]) / TICKS, memory + int(fields[21]) * PAGE
        return time.monotonic(), user, system, memory

    def sample(self):
        then, (now, user, system, memory) = self.before, self.use()
        self.before = now, user, system, memory
        share = [max(0, after - before) / max(now - then[0], 0.001) * 100 for after, before in ((user, then[1]), (system, then[2]))]
        cpu = pb.CPUUsage(user_mode=share[0], system_mode=share[1], percent=sum(share),
                          measured_fields=[pb.CPUUsage.USER_MODE, pb.CPUUsage.SYSTEM_MODE, pb.CPUUsage.PERCENT])
        usage = pb.TaskResourceUsage(cpu=cpu, memory=pb.MemoryUsage(rss=memory, usage=memory, measured_fields=[pb.MemoryUsage.RSS, pb.MemoryUsage.USAGE]))
        return pb.TaskStats(id=self.task.config.id, timestamp=timestamp(time.time_ns()), agg_resource_usage=usage)
