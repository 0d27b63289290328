"""A log that is a link, a FIFO or a device is replaced, never written through."""
import os
import stat

from tasks import contains, equal, expect


def N_002_a_log_in_the_form_of_something_else(node):
    victim = node.base + '/victim'
    for kind in ('link', 'hard link', 'dangling', 'fifo', 'device'):
        with open(victim, 'w') as file:
            file.write('precious')
        alloc = node.allocation()
        log = alloc.path + '/alloc/logs/web.stdout.0'
        if kind == 'link':
            os.symlink(victim, log)
        elif kind == 'hard link':
            os.link(victim, log)
        elif kind == 'dangling':
            os.symlink(node.base + '/made', log)
        elif kind == 'fifo':
            os.mkfifo(log)
        else:
            os.mknod(log, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        ended = node.run('echo mine', alloc=alloc)
        equal(ended.error, '', kind)
        equal(ended.out, 'mine\n', kind)
        equal(open(victim).read(), 'precious', kind)
        expect(not os.path.exists(node.base + '/made'), 'a dangling link was written through')
        info = os.lstat(log)
        expect(stat.S_ISREG(info.st_mode) and info.st_nlink == 1, f'{kind}: the log is no file of its own')


def N_002_the_next_file_of_a_rotation(node):
    victim = node.base + '/victim'
    open(victim, 'w').close()
    alloc = node.allocation()
    alloc.write('alloc/logs/.web.logs.json', '{"max_files": 5, "max_file_size_mb": 1}')
    os.mkfifo(alloc.path + '/web/local/go')
    # Number 1 comes when 0 is full; the highest number present is where a start goes on, so the link is made after it.
    task = node.start('echo up; cat /local/go; head -c 3000000 /dev/zero | tr "\\0" "\\n"', alloc=alloc).until('up')
    os.symlink(victim, alloc.path + '/alloc/logs/web.stdout.1')
    with open(alloc.path + '/web/local/go', 'w') as file:
        file.write('go\n')
    equal(task.wait().code, 0)
    equal(os.path.getsize(victim), 0, 'bytes written through a link')


def N_002_log_settings_that_are_a_link_or_a_fifo(node):
    for kind in ('link', 'fifo'):
        alloc = node.allocation()
        path = alloc.path + '/alloc/logs/.web.logs.json'
        if kind == 'link':
            # Settings as good as any, but for the link.
            with open(node.base + '/settings', 'w') as file:
                file.write('{"max_files": 2}')
            os.symlink(node.base + '/settings', path)
        else:
            os.mkfifo(path)
        contains(node.run('echo mine', alloc=alloc).error, '.web.logs.json')


def N_002_a_task_cannot_write_its_logs(node):
    ended = node.run('ln -s /etc/shadow /alloc/logs/x; rm -f /alloc/logs/web.stdout.0; mv /alloc/logs /alloc/old; echo end', user='root')
    equal(ended.out, 'end\n', ended.error)


def N_002_a_fifo_that_nobody_reads(node):
    """The host's own collector is gone: the start does not wait for it."""
    alloc = node.allocation()
    fifo = alloc.path + '/alloc/logs/.web.stdout.fifo'
    os.mkfifo(fifo)
    ended = node.run('echo out; echo err >&2', alloc=alloc, stdout_path=fifo, stderr_path='/dev/null')
    equal((ended.error, ended.code), ('', 0))
