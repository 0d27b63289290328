"""No task can talk to an executor."""
import os
import socket

from tasks import contains, equal, expect


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
    """Whoever has made the directory of a start first: that start is refused; the task's next one ends what is there without a word to
    the other's socket, or one from it."""
    alloc = node.allocation()
    task = node.start('exec sleep 1000', alloc=alloc)
    place = os.path.dirname(control_sockets(node)[0])
    node.finish(task)
    os.makedirs(place)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(place + '/control')
    # A socket has the user who called listen().
    os.seteuid(65534)
    listener.listen()
    os.seteuid(0)
    contains(node.start('exec sleep 1000', alloc=alloc).error, 'already started')
    equal(os.listdir(place), ['control'])
    task = node.start('exec sleep 1000', alloc=alloc, start='00000002')
    equal(task.error, '')
    equal(os.path.basename(os.readlink(f'/proc/{task.executor}/exe')), 'drover-executor')
    expect(not os.path.exists(place), 'the directory of the squatter is still there')
    listener.settimeout(0)
    said = b''
    try:
        while True:
            said += listener.accept()[0].recv(4096)
    except BlockingIOError:
        pass
    equal(said, b'', 'what the squatter was told')
    listener.close()
