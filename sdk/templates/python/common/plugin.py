"""The plugin protocol below drivers and devices: handshake, health, the orderly stop, the log. Nothing here is about @name@.

A host starts the program, reads one line from its stdout and calls it by gRPC over a unix socket. All calls run on one event loop."""
import asyncio
import datetime
import grp
import json
import os
import secrets
import signal
import sys

import grpc
import msgpack

import base_pb2
import goplugin_pb2
import hclspec_pb2
import health_pb2
import structs_pb2
from google.protobuf import empty_pb2

COOKIE = 'NOMAD_PLUGIN_MAGIC_COOKIE', 'e4327c2e01eabfd75a8a67adb114fb34a757d57eee7728d857a8cec6e91a7255'


class Refused(Exception):
    """An answer that is an error; its text is for the user."""
    def __init__(self, text, code=grpc.StatusCode.UNKNOWN):
        super().__init__(text)
        self.code = code


def log(level, message, **pairs):
    """One record for the host: trace, debug, info, warn or error. Values are text or numbers."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ')
    try:
        os.write(2, (json.dumps({'@level': level, '@message': message, '@module': '@name@', '@timestamp': now, **pairs}) + '\n').encode())
    except OSError:
        pass  # The host is gone; the tasks are not.


# --- configuration -----------------------------------------------------------------------------------------------------

def attr(name, kind, required=False):
    return hclspec_pb2.Spec(Attr=hclspec_pb2.Attr(name=name, type=kind, required=required))


def default(spec, literal):
    """`literal` is an expression of the attribute's own type: '"text"', '5', '["a"]'."""
    fallback = hclspec_pb2.Spec(literal=hclspec_pb2.Literal(value=literal))
    return hclspec_pb2.Spec(default=hclspec_pb2.Default(primary=spec, default=fallback))


def schema(**attributes):
    return hclspec_pb2.Spec(object=hclspec_pb2.Object(attributes=attributes))


def decode(data):
    """The config block of an agent or a job, as a dictionary."""
    try:
        value = msgpack.unpackb(data) if data else {}
    except Exception as error:
        raise Refused(f'decoding the configuration: {error}') from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused('decoding the configuration: it is no map')
    return value


def attribute(value):
    kind = {bool: 'bool_val', int: 'int_val', float: 'float_val', str: 'string_val'}[type(value)]
    return structs_pb2.Attribute(**{kind: value})


# --- gRPC --------------------------------------------------------------------------------------------------------------

async def refuse(context, error):
    if isinstance(error, Refused):
        await context.abort(error.code, str(error))
    log('error', 'a call failed', error=repr(error))
    await context.abort(grpc.StatusCode.UNKNOWN, repr(error))


def unary(request, handler):
    async def call(message, context):
        try:
            return await handler(message)
        except Exception as error:
            await refuse(context, error)
    return grpc.unary_unary_rpc_method_handler(call, request.FromString, lambda answer: answer.SerializeToString())


def stream(request, handler):
    """`handler` is an asynchronous generator of answers."""
    async def call(message, context):
        try:
            async for answer in handler(message):
                yield answer
        except Exception as error:
            await refuse(context, error)
    return grpc.unary_stream_rpc_method_handler(call, request.FromString, lambda answer: answer.SerializeToString())


def service(name, **methods):
    return grpc.method_handlers_generic_handler(name, methods)


async def stay_open(message):
    await asyncio.Event().wait()
    yield empty_pb2.Empty()


async def check_health(message):
    if message.service not in ('', 'plugin'):
        raise Refused('unknown service', grpc.StatusCode.NOT_FOUND)
    return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


def base_service(kind, name, version, config_schema, set_config):
    async def plugin_info(message):
        return base_pb2.PluginInfoResponse(type=kind, plugin_api_versions=['v0.1.0'], plugin_version=version, name=name)

    async def schema_of_config(message):
        return base_pb2.ConfigSchemaResponse(spec=config_schema)

    async def configure(message):
        set_config(decode(message.msgpack_config))  # may come more than once
        return base_pb2.SetConfigResponse()

    return service('hashicorp.nomad.plugins.base.proto.BasePlugin',
                   PluginInfo=unary(base_pb2.PluginInfoRequest, plugin_info),
                   ConfigSchema=unary(base_pb2.ConfigSchemaRequest, schema_of_config),
                   SetConfig=unary(base_pb2.SetConfigRequest, configure))


# --- the process -------------------------------------------------------------------------------------------------------

def socket_path():
    directory = os.environ.get('PLUGIN_UNIX_SOCKET_DIR') or os.environ.get('TMPDIR') or '/tmp'
    return f'{directory}/plugin{secrets.randbelow(10**9)}'


def share_with_group(path, group):
    os.chown(path, -1, int(group) if group.isdigit() else grp.getgrnam(group).gr_gid)
    os.chmod(path, 0o660)


async def run(line_to, services):
    stop = asyncio.Event()

    async def shut_down(message):
        stop.set()
        return goplugin_pb2.Empty()

    # Other options would limit a message to 4 MiB.
    server = grpc.aio.server(options=[('grpc.max_receive_message_length', -1), ('grpc.max_send_message_length', -1)])
    server.add_generic_rpc_handlers((
        service('grpc.health.v1.Health', Check=unary(health_pb2.HealthCheckRequest, check_health)),
        service('plugin.GRPCController', Shutdown=unary(goplugin_pb2.Empty, shut_down)),
        service('plugin.GRPCStdio', StreamStdio=stream(empty_pb2.Empty, stay_open)),
        *services()))
    path = socket_path()
    if not server.add_insecure_port('unix:' + path):
        log('error', 'cannot listen', socket=path)
        return 1
    await server.start()
    if os.environ.get('PLUGIN_UNIX_SOCKET_GROUP'):
        share_with_group(path, os.environ['PLUGIN_UNIX_SOCKET_GROUP'])
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    os.write(line_to, f'1|2|unix|{path}|grpc|\n'.encode())
    await stop.wait()
    await server.stop(0.2)
    if os.path.exists(path):
        os.unlink(path)
    return 0


def serve(what, services):
    """Runs until the host says stop. `services` makes the services, on the loop."""
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.stderr.write(f'This program is {what}. An agent starts it; put it into the plugin_dir of one.\n')
        sys.exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C on an interactive agent reaches its plugins too
    # The handshake must be the first line on stdout: nobody else gets at it.
    line_to = os.dup(1)
    os.dup2(2, 1)
    # Nothing waits for what the interpreter would do at its end.
    os._exit(asyncio.run(run(line_to, services)))
