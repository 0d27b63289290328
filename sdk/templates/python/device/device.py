"""The device plugin @name@: every file of a directory is a device. A task that reserves some gets their names, and the files."""
import asyncio
import os
import time

import base_pb2
import device_pb2 as pb
import plugin
from google.protobuf import timestamp_pb2
from plugin import Refused

NAME, VERSION = '@name@', '0.1.0'
VENDOR, TYPE, MODEL = 'example', '@name@', 'file'  # jobs ask for "example/@name@/file", "example/@name@" or "@name@"
CONFIG = plugin.schema(directory=plugin.attr('directory', 'string'))


class Devices:
    def __init__(self):
        self.directory = ''

    def set_config(self, config):
        self.directory = config.get('directory') or ''

    def look(self):
        """The devices that are there now, by id."""
        try:
            return {entry.name: entry for entry in os.scandir(self.directory) if entry.is_file()}
        except OSError:
            return {}

    async def fingerprint(self, request):
        """The whole list at once, and again whenever it changes."""
        if not self.directory:
            raise Refused('device is not enabled')
        told = None
        while True:
            now = sorted(self.look())
            if now != told:
                told = now
                group = pb.DeviceGroup(vendor=VENDOR, device_type=TYPE, device_name=MODEL, devices=[pb.DetectedDevice(ID=name, healthy=True) for name in now])
                group.attributes['language'].CopyFrom(plugin.attribute('en'))
                yield pb.FingerprintResponse(device_group=[group])
            await asyncio.sleep(1)

    async def reserve(self, request):
        """Nothing releases a reservation: it must be cheap, and the same each time."""
        found = self.look()
        unknown = [name for name in request.device_ids if name not in found]
        if unknown:
            raise Refused(f'unknown device IDs: {",".join(unknown)}')
        names = sorted(set(request.device_ids))
        mounts = [pb.Mount(task_path=f'/devices/{name}', host_path=os.path.abspath(found[name].path), read_only=True) for name in names]
        return pb.ReserveResponse(container_res=pb.ContainerReservation(envs={'@name@_DEVICES'.upper().replace('-', '_'): ','.join(names)}, mounts=mounts))

    async def stats(self, request):
        interval = request.collection_interval.ToTimedelta().total_seconds() or 1
        while True:
            answer = pb.DeviceGroupStats(vendor=VENDOR, type=TYPE, name=MODEL)
            for name, entry in self.look().items():
                value = pb.StatValue(int_numerator_val=pb.Int64Value(value=entry.stat().st_size), unit='bytes', desc='size of the file')
                one = answer.instance_stats[name]
                one.summary.CopyFrom(value)
                one.stats.attributes['size'].CopyFrom(value)
                one.timestamp.CopyFrom(timestamp_pb2.Timestamp(seconds=int(time.time())))
            yield pb.StatsResponse(groups=[answer])
            await asyncio.sleep(interval)


def services():
    it = Devices()
    return [
        plugin.base_service(base_pb2.DEVICE, NAME, VERSION, CONFIG, it.set_config),
        plugin.service('hashicorp.nomad.plugins.device.DevicePlugin',
                       Fingerprint=plugin.stream(pb.FingerprintRequest, it.fingerprint),
                       Reserve=plugin.unary(pb.ReserveRequest, it.reserve),
                       Stats=plugin.stream(pb.StatsRequest, it.stats)),
    ]
