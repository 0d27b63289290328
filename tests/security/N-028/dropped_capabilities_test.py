"""The capabilities a process has, read back in each mode."""
from tasks import contains, equal, expect


SHOW = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status | tr -d "\\t\\n"; echo'


def N_028_each_mode(node):
    mode = node.run(SHOW).out
    for name in ('Inh', 'Prm', 'Eff', 'Bnd', 'Amb'):
        contains(mode, f'Cap{name}:0000000000000000')
    root = node.run(SHOW, user='root').out
    contains(root, 'CapInh:0000000000000000')
    contains(root, 'CapAmb:0000000000000000')
    # What a container around this host has not got, nobody gets.
    host = int(next(line for line in open('/proc/self/status') if line.startswith('CapBnd')).split()[1], 16)
    contains(root, f'CapBnd:{host & 0x3fffffffff:016x}')
    none = node.run(SHOW, config={'cap_drop': ['all']}).out
    for name in ('Inh', 'Prm', 'Eff', 'Bnd', 'Amb'):
        contains(none, f'Cap{name}:0000000000000000')


def N_028_dropped_ones_are_not_regained(node):
    """By file capabilities, by set-uid, by being root again."""
    ended = node.python("""
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
for number in range(41):
    if library.prctl(47, 2, number, 0, 0) == 0:
        print('RAISED', number)
try:
    os.setuid(0)
    print('ROOT')
except OSError:
    pass
try:
    open('/tmp/x', 'w').close()
    os.setxattr('/tmp/x', 'security.capability', b'\\x01\\x00\\x00\\x02' + b'\\xff' * 16)
    print('FILE')
except OSError:
    pass
print('end')
""", config={'cap_drop': ['all']})
    equal(ended.out, 'end\n', ended.err)


def N_028_the_executor_keeps_what_it_needs(node):
    task = node.start('echo up; exec sleep 1000').until('up')
    lines = dict(line.split(':\t') for line in open(f'/proc/{task.executor}/status').read().splitlines() if line.startswith('Cap'))
    expect(int(lines['CapEff'], 16) & (1 << 16 | 1 << 17 | 1 << 22 | 1 << 25) == 0, f'the executor may still load modules or reboot: {lines["CapEff"]}')
    expect(int(lines['CapPrm'], 16) == int(lines['CapEff'], 16), 'what it gave up it could take again')
