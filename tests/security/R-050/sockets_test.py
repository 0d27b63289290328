"""No task can talk to an executor."""
import os
import socket

from tasks import equal, expect


TALK = """
import glob, os, socket
for line in open('/proc/net/unix'):
    parts = line.split()
    if len(parts) < 8 or not ('executor' in parts[7] or parts[7].startswith('@') or 'control' in parts[7]):
        continue
    name = parts[7]
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        try:
            s = socket.socket(socket.AF_UNIX, kind)
            s.connect('\\0' + name[1:] if name.startswith('@') else name)
            if 'drover' in name or 'control' in name:
                print('CONNECTED', name)
        except OSError:
            pass
for path in %r:
    try:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(path)
        print('CONNECTED', path)
    except OSError:
        pass
print('end')
"""


def control_sockets(node):
    return [os.path.join(base, name) for base, _, names in os.walk(node.base + '/state') for name in names if name == 'control']


def R_050_nobody_connects_to_a_control_socket(node):
    node.start('exec sleep 1000')
    sockets = control_sockets(node)
    equal(len(sockets), 1)
    equal(oct(os.stat(sockets[0]).st_mode & 0o777), '0o600')
    equal(node.python(TALK % sockets).out, 'end\n', 'exec')
    node2 = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), node.base + '/other')
    try:
        node2.driver('raw_exec')
        equal(node2.python(TALK % sockets, user='nobody').out, 'end\n', 'raw_exec as nobody')
    finally:
        node2.close()


def R_050_a_squatted_socket_is_not_used(node):
    """Whoever has made the directory of a start first: the start is refused, and nothing of his is used."""
    alloc = node.allocation()
    task = node.start('exec sleep 1000', alloc=alloc)
    place = os.path.dirname(control_sockets(node)[0])
    node.finish(task)
    os.makedirs(place)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(place + '/control')
    listener.listen()
    listener.settimeout(0)
    started = node.start('exec sleep 1000', alloc=alloc)
    expect(started.error != '' or started.pid, 'no answer')
    listener.close()
