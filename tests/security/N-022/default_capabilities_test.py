"""By default a task makes no raw packets, no devices, no file capabilities, no roots."""
from tasks import equal, expect


RAW = """
import socket
for family, kind, protocol in ((socket.AF_PACKET, socket.SOCK_RAW, 0), (socket.AF_INET, socket.SOCK_RAW, 1)):
    try:
        socket.socket(family, kind, protocol)
        print('RAW')
    except PermissionError:
        print('refused')
"""


def N_022_no_raw_sockets(node):
    equal(node.python(RAW).out, 'refused\nrefused\n')


def N_022_the_dangerous_ones_are_asked_for(node):
    held = int(node.run('grep CapBnd /proc/self/status').out.split()[1], 16)
    for number in (13, 12, 27, 31, 18, 21, 16, 19):
        expect(held >> number & 1 == 0, f'capability {number} is there by default')
    asked = int(node.run('grep CapBnd /proc/self/status', config={'cap_add': ['sys_chroot']}).out.split()[1], 16)
    equal(asked & ~held, 1 << 18)
