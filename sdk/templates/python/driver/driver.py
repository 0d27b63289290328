"""The driver @name@: what jobs may write, and the calls of the protocol."""
import asyncio
import os

import base_pb2
import driver_pb2 as pb
import plugin
import tasks
from plugin import Refused

NAME, VERSION = '@name@', '0.1.0'
# What the agent's plugin block and the task's config block may hold.
CONFIG = plugin.schema(state_dir=plugin.default(plugin.attr('state_dir', 'string'), '"/run/@name@"'))
TASK_CONFIG = plugin.schema(command=plugin.attr('command', 'string', required=True), args=plugin.attr('args', 'list(string)'))


class Driver:
    def __init__(self):
        self.state_dir = '/run/@name@'
        self.tasks = {}

    def set_config(self, config):
        self.state_dir = config.get('state_dir') or self.state_dir

    def find(self, task_id):
        if task_id not in self.tasks:
            raise Refused('task not found for given id')  # this text is what hosts look for
        return self.tasks[task_id]

    async def task_config_schema(self, request):
        return pb.TaskConfigSchemaResponse(spec=TASK_CONFIG)

    async def capabilities(self, request):
        # Tasks run on the host as they are: no file isolation, so no mounts.
        return pb.CapabilitiesResponse(capabilities=pb.DriverCapabilities(send_signals=True, mount_configs=pb.NO_MOUNTS))

    async def fingerprint(self, request):
        attributes = {f'driver.{NAME}.version': plugin.attribute(VERSION)}
        try:
            os.makedirs(self.state_dir, 0o700, exist_ok=True)
            yield pb.FingerprintResponse(health=pb.HEALTHY, health_description='Healthy', attributes=attributes)
        except OSError as error:
            yield pb.FingerprintResponse(health=pb.UNHEALTHY, health_description=f'state_dir: {error}', attributes=attributes)
        await asyncio.Event().wait()  # the stream stays open; send another message when something changes

    async def start_task(self, request):
        config = request.task
        if not config.id:
            raise Refused('the task has no id')
        if config.id in self.tasks:
            raise Refused(f'task with ID "{config.id}" already started')
        options = plugin.decode(config.msgpack_driver_config)
        if not isinstance(options.get('command'), str):
            raise Refused('command is missing')
        self.tasks[config.id] = task = tasks.Task(config, self.state_dir)
        try:
            await task.start([options['command'], *(options.get('args') or [])])
        except BaseException:
            del self.tasks[config.id]
            raise
        plugin.log('info', 'task started', task=config.id)
        return pb.StartTaskResponse(handle=task.handle())

    async def recover_task(self, request):
        """After a restart of the plugin or the agent. Must not need msgpack_driver_config: a host may have lost it."""
        handle = request.handle
        if not handle.config.id or handle.version != 1:
            raise Refused('this is no handle of @name@')
        if handle.config.id not in self.tasks:
            task = tasks.Task(handle.config, self.state_dir)
            task.recover(handle.driver_state)
            self.tasks[handle.config.id] = task
        return pb.RecoverTaskResponse()

    async def wait_task(self, request):
        task = self.find(request.task_id)
        await task.ended.wait()
        return pb.WaitTaskResponse(result=task.result, err=task.error)

    async def stop_task(self, request):
        task = self.find(request.task_id)
        await task.stop(request.timeout.ToTimedelta().total_seconds(), request.signal or 'SIGINT')
        return pb.StopTaskResponse()

    async def destroy_task(self, request):
        task = self.find(request.task_id)
        if not task.ended.is_set() and not request.force:
            raise Refused('cannot destroy running task')
        await task.destroy()
        self.tasks.pop(request.task_id, None)
        return pb.DestroyTaskResponse()

    async def inspect_task(self, request):
        return pb.InspectTaskResponse(task=self.find(request.task_id).status(), driver=pb.TaskDriverStatus())

    async def signal_task(self, request):
        self.find(request.task_id).signal(request.signal)
        return pb.SignalTaskResponse()

    async def task_stats(self, request):
        task = self.find(request.task_id)
        meter = tasks.Meter(task)
        interval = request.collection_interval.ToTimedelta().total_seconds() or 1
        while not task.ended.is_set():
            yield pb.TaskStatsResponse(stats=meter.sample())
            try:
                await asyncio.wait_for(task.ended.wait(), interval)
            except asyncio.TimeoutError:
                pass

    async def task_events(self, request):
        await asyncio.Event().wait()
        yield pb.DriverTaskEvent()

    async def ready(self, request):
        return pb.InitResponse()

    async def shut_down(self, request):
        return pb.ShutdownResponse()


def services():
    it = Driver()
    return [
        plugin.base_service(base_pb2.DRIVER, NAME, VERSION, CONFIG, it.set_config),
        # What is not listed (exec sessions, networks) is answered with UNIMPLEMENTED.
        plugin.service('hashicorp.nomad.plugins.drivers.proto.Driver',
                       Init=plugin.unary(pb.InitRequest, it.ready),
                       Shutdown=plugin.unary(pb.ShutdownRequest, it.shut_down),
                       TaskConfigSchema=plugin.unary(pb.TaskConfigSchemaRequest, it.task_config_schema),
                       Capabilities=plugin.unary(pb.CapabilitiesRequest, it.capabilities),
                       Fingerprint=plugin.stream(pb.FingerprintRequest, it.fingerprint),
                       StartTask=plugin.unary(pb.StartTaskRequest, it.start_task),
                       RecoverTask=plugin.unary(pb.RecoverTaskRequest, it.recover_task),
                       WaitTask=plugin.unary(pb.WaitTaskRequest, it.wait_task),
                       StopTask=plugin.unary(pb.StopTaskRequest, it.stop_task),
                       DestroyTask=plugin.unary(pb.DestroyTaskRequest, it.destroy_task),
                       InspectTask=plugin.unary(pb.InspectTaskRequest, it.inspect_task),
                       SignalTask=plugin.unary(pb.SignalTaskRequest, it.signal_task),
                       TaskStats=plugin.stream(pb.TaskStatsRequest, it.task_stats),
                       TaskEvents=plugin.stream(pb.TaskEventsRequest, it.task_events)),
    ]
