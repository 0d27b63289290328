"""What is too much is refused with a reason, whatever it is."""
import os
import socket
import struct

from tasks import contains, equal


def R_060_arguments_and_environment(node):
    contains(node.run(command='/bin/true', args=['x' * (200 << 10)]).error, 'argument list too long')
    contains(node.run(command='/bin/true', args=['y' * 4096] * 600).error, 'more than 2097152')
    contains(node.run('true', env={'BIG': 'z' * (3 << 20)}).error, 'more than 2097152')
    half = 'e' * (100 << 10)
    equal(node.run('echo ${#A} ${#E}', env={'PATH': '/usr/bin:/bin', **{name: half for name in 'ABCDE'}}).out, f'{len(half)} {len(half)}\n')


def R_060_names_that_hold_more_than_text(node):
    contains(node.run(command='/bin/true', args=['a\x00b']).error, 'NUL')
    contains(node.run('true', env={'A': 'x\x00y'}).error, 'NUL')
    equal(node.run(command='/usr/bin/printf', args=['%s|', 'line\nbreak', '"', 'ü', '']).out, 'line\nbreak|"|ü||')


def R_060_garbage_at_the_control_socket(node):
    """By root, since nobody else may connect: the executor lives, the task too."""
    task = node.start('echo up; exec sleep 1000').until('up')
    path = [os.path.join(base, 'control') for base, _, names in os.walk(node.base + '/state') if 'control' in names][0]
    for message in (b'', b'\x00', b'\xff' * 4096, struct.pack('<IHH', 4096, 2, 34) + b'\x00' * 16, struct.pack('<IHH', 8, 9, 999),
                    struct.pack('<IHHHHI', 24, 2, 33, 74, 0, 0xffffffff) + b'x' * 8, struct.pack('<IHH', 0xffffffff, 2, 35)):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(path)
        if message:
            connection.send(message)
        connection.close()
    equal(task.exec('echo', 'alive')['stdout'], 'alive\n')
