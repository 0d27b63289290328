"""Root of a task in a user namespace is an ordinary user of the host."""
import os

from tasks import equal, expect


def status(pid, key):
    return next(line for line in open(f'/proc/{pid}/status') if line.startswith(key)).split()[1:]


def R_032_root_of_a_task_is_nobody_on_the_host(node):
    alloc = node.allocation()
    task = node.start('id -u; touch /local/made; stat -c %u /local/made /alloc/data; echo up; exec sleep 1000', alloc=alloc, user='root',
                      config={'user_namespace': True})
    equal(task.error, '')
    task.until('up')
    equal(task.text().split()[:2], ['0', '0'])
    uid = int(status(task.pid, 'Uid')[0])
    expect(uid >= 0x10000000 and uid % 65536 == 0, f'the task is uid {uid} on the host')
    equal(os.stat(alloc.path + '/web/local/made').st_uid, 0, 'owner on the disk, by a mapped mount')
    answer = task.exec('sh', '-c', 'id -u; cat /proc/self/uid_map | tr -s " "')
    equal(answer['stdout'], f'0\n 0 {uid} 65536\n', answer['stderr'])


def R_032_rights_end_at_the_namespace(node):
    ended = node.python("""
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
print(library.sethostname(b'x', 1), library.mount(b'none', b'/tmp', b'tmpfs', 0, None), library.umount2(b'/proc/kcore', 0))
for path in ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger', '/proc/1/oom_score_adj', '/proc/self/oom_score_adj'):
    try:
        os.write(os.open(path, os.O_WRONLY), b'-1000')
        print('WROTE', path)
    except OSError:
        pass
try:
    os.mknod('/tmp/node', 0o60666, os.makedev(8, 0))
    print('MADE')
except OSError:
    pass
""", user='root', config={'user_namespace': True})
    equal(ended.out, '-1 -1 -1\n', ended.error + ended.err)


def R_032_ranges_never_overlap_and_are_kept(node):
    uids = []
    allocs = [node.allocation() for _ in range(3)]
    for _ in range(2):
        tasks = [node.start('echo up; exec sleep 1000', alloc=alloc, user='root', config={'user_namespace': True}) for alloc in allocs]
        uids.append([int(status(task.until('up').pid, 'Uid')[0]) for task in tasks])
        for task in tasks:
            node.finish(task)
        node.driver('exec')
    equal(len(set(uids[0])), 3)
    equal(uids[0], uids[1], 'after a restart of the driver')
