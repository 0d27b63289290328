"""What a task must not see of the kernel is hidden, what it must not change is read-only."""
import os

from tasks import equal


MASKED = ['/proc/acpi', '/proc/asound', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats',
          '/proc/sched_debug', '/proc/scsi', '/proc/interrupts', '/sys/firmware', '/sys/devices/virtual/powercap', '/sys/kernel/security']
READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']


def R_040_masked_paths_are_empty(node):
    script = ''.join(f'for f in {path}; do if [ -d $f ]; then ls -A $f; elif [ -e $f ]; then head -c 16 $f; fi; done; ' for path in MASKED)
    ended = node.run(script + 'echo end', user='root')
    equal(ended.out, 'end\n', ended.err)


def R_040_kernel_settings_cannot_be_written(node):
    script = ('for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sysrq-trigger /sys/kernel/mm/transparent_hugepage/enabled; do '
              'if (: >> $f) 2>/dev/null; then echo WRITABLE $f; fi; done; echo end')
    equal(node.run(script, user='root').out, 'end\n')


def R_040_masks_cannot_be_taken_off(node):
    ended = node.run('umount /proc/kcore; umount -l /proc/sys; mount -o remount,rw /proc/sys; true > /proc/sys/kernel/core_pattern && echo WROTE; head -c 4 /proc/kcore; echo end',
                     user='root', config={'cap_drop': ['sys_admin']})
    equal(ended.out, 'end\n')


def R_040_a_planted_null_is_not_used_as_mask(node):
    alloc = node.allocation()
    os.makedirs(alloc.path + '/web/dev')
    os.symlink('/proc/sys/kernel/core_pattern', alloc.path + '/web/dev/null')
    equal(node.run('test -c /proc/kcore && (: >> /proc/sys/kernel/core_pattern) 2>/dev/null && echo WRITABLE; echo end', alloc=alloc, user='root').out, 'end\n')
