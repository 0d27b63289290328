"""With init = true process 1 reaps, passes signals on, and tells the end as it was."""
from tasks import contains, equal


def F_16_orphans_are_reaped(node):
    ended = node.run('i=0; while [ $i -lt 300 ]; do (true & ) ; i=$((i+1)); done; cat /proc/1/comm; sleep 0.05; grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l; echo $$',
                     config={'init': True})
    equal(ended.lines[0], 'drover-init', ended.error)
    equal(ended.lines[1], '0', 'zombies')
    equal(ended.lines[2] != '1', True)


def F_16_signals_and_ends(node):
    task = node.start("trap 'echo got it; exit 5' TERM; echo up; while :; do sleep 0.01; done", config={'init': True}).until('up')
    equal(task.call('signal', signal='SIGTERM'), {})
    ended = task.wait()
    equal((ended.code, ended.signal), (5, 0))
    contains(ended.out, 'got it')
    node.finish(task)
    ended = node.run('kill -TERM $$', config={'init': True})
    equal((ended.code, ended.signal), (143, 15), 'a death by signal is told as one')
    contains(node.run('true', command='/no/such', config={'init': True}).error, '/no/such')
    contains(node.run('true', config={'init': True, 'pid_mode': 'host'}).error, 'pid_mode')
