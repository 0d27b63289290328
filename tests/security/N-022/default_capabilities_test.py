"""By default a task makes no raw packets, no devices, no file capabilities, no roots."""
from tasks import equal


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


def N_022_an_ordinary_user_has_what_it_asks_for(node):
    def held(**options):
        return int(node.run('grep CapBnd /proc/self/status', **options).out.split()[1], 16)
    equal(held(), 0)
    equal(held(config={'cap_add': ['sys_chroot']}), 1 << 18)
    refused = node.run('true', config={'cap_add': ['net_raw']}).error
    equal(refused, 'driver does not allow the following capabilities: net_raw')


def N_022_what_is_allowed_is_not_what_root_has(node):
    node.driver('exec', allow_caps=['chown', 'mknod', 'sys_chroot', 'setfcap'])
    equal(int(node.run('grep CapBnd /proc/self/status', user='root').out.split()[1], 16), 1)
