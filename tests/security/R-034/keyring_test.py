"""A task has a session keyring of its own."""
import ctypes
import os

from tasks import equal, skip


JOINED = """
import ctypes
library = ctypes.CDLL(None, use_errno=True)
KEYCTL_GET_KEYRING_ID, KEYCTL_SEARCH, SESSION = 0, 10, -3
found = library.syscall(250, KEYCTL_SEARCH, SESSION, b'user', b'drover-test-key', 0)
print('found' if found > 0 else 'absent')
"""


def R_034_a_key_of_the_host_is_not_found(node):
    library = ctypes.CDLL(None, use_errno=True)
    # The session of this process, which the driver was started from, gets a key.
    library.syscall(250, 1, None)
    if library.syscall(248, b'user', b'drover-test-key', b'secret', 6, -3) < 0:
        skip('this kernel has no keyrings')
    other = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), node.base + '/other')
    try:
        other.driver('raw_exec')
        equal(other.run(command='/usr/bin/python3', args=['-c', JOINED]).out, 'absent\n')
    finally:
        other.close()
