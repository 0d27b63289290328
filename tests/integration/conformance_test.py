#!/usr/bin/env python3
"""`drover plugin conformance`: every first-party driver passes, and for each item a planted plugin shows that the suite can fail.

Needs root for what tasks need. LONG=1 waits a minute where the rules say a minute."""
import concurrent.futures
import json
import os
import signal
import subprocess

from harness import BUILD, LONG, ROOT, Failure, descendants, expect, main

DATA = os.path.join(ROOT, 'tests', 'data', 'conformance')
IDLE = '60s' if LONG else '3s'
PLANTED = os.path.join(BUILD, 'tests/planted-plugin/drover-planted-plugin')
CHAOS = os.path.join(BUILD, 'sdk/testkit/drover-chaos-plugin')
# What no fault of a plugin can show here, and why.
NOT_PLANTED = {
    15: 'the plant has no TLS of its own',
}


def command(sandbox, executable, *arguments, config=None, task=None, more=()):
    words = [sandbox.drover, 'plugin', 'conformance', '-json', '-idle', IDLE, *more]
    if config:
        words += ['-config', os.path.join(DATA, config)]
    if task:
        words += ['-task-config', os.path.join(DATA, task)]
    return words + [executable, *arguments]


def environment(sandbox, name):
    state = os.path.join(sandbox.directory, 'state-' + name)
    os.makedirs(state, exist_ok=True)
    return {'PATH': os.environ['PATH'], 'HOME': sandbox.directory, 'TMPDIR': sandbox.directory, 'LANG': 'C.UTF-8', 'DROVER_STATE_DIR': state,
            'DROVER_EXECUTOR': os.path.join(os.path.dirname(os.path.dirname(sandbox.drover)), 'libexec/drover/drover-executor')}


def run(sandbox, name, words, limit=560):
    """Runs the suite; returns its exit status and its report."""
    result = subprocess.run(words, capture_output=True, timeout=limit, env=environment(sandbox, name), check=False)
    try:
        return result.returncode, json.loads(result.stdout)
    except json.JSONDecodeError:
        raise Failure(f'{name}: no report: {result.stdout[-500:]!r} {result.stderr[-1000:].decode(errors="replace")}') from None


def say(item):
    return f'item {item["item"]} {item["verdict"]}: ' + '; '.join(f'expected {f["expected"]}, seen {f["seen"]}' for f in item['findings'])


def passes(sandbox, name, executable, arguments=(), **options):
    status, report = run(sandbox, name, command(sandbox, executable, *arguments, **options))
    bad = [say(item) for item in report['items'] if item['verdict'] == 'fail']
    expect(not bad, f'{name} does not conform:\n' + '\n'.join(bad))
    expect(status == 0 and report['conforms'], f'{name}: exit status {status}')
    for item in report['items']:
        if item['verdict'] == 'warn':
            print(f'  {name}: {say(item)}', flush=True)
    return report


def test_raw_exec(sandbox):
    passes(sandbox, 'raw_exec', os.path.join(BUILD, 'plugins/drivers/drover-driver-raw-exec'), config='enabled.hcl', task='shell.hcl')


def test_exec(sandbox):
    passes(sandbox, 'exec', os.path.join(BUILD, 'plugins/drivers/drover-driver-exec'), config='degraded.hcl', task='shell.hcl')


def test_mock(sandbox):
    passes(sandbox, 'mock', os.path.join(BUILD, 'tests/mock-driver/drover-driver-mock'), task='mock.hcl')


def test_hello(sandbox):
    passes(sandbox, 'hello', os.path.join(BUILD, 'sdk/examples/hello-driver/drover-hello-driver'), task='hello.hcl')


def test_device(sandbox):
    report = passes(sandbox, 'device', PLANTED, arguments=['device'])
    ran = [item['item'] for item in report['items'] if item['item'] > 100 and item['verdict'] == 'pass']
    expect(ran == list(range(101, 108)), f'items about devices that passed: {ran}')


def test_host(sandbox):
    """Items 108 to 113: our own host against the chaos plugin (F-24 to F-27, F-31, L-05, P-13, P-14, P-26)."""
    status, report = run(sandbox, 'host', [sandbox.drover, 'agent', 'conformance', '-json', CHAOS])
    bad = [say(item) for item in report['items'] if item['findings']]
    expect(not bad and status == 0, f'exit status {status}; the host does not conform:\n' + '\n'.join(bad))
    ran = [item['item'] for item in report['items'] if item['verdict'] == 'pass']
    expect(ran == list(range(108, 114)), f'items that passed: {ran}')


def planted(sandbox, number):
    """What the suite says of item `number` about the plugin that does just this wrong."""
    more = ['-only', str(number)]
    if number == 81:
        more += ['-previous', PLANTED]
    status, report = run(sandbox, f'plant-{number}',
                         command(sandbox, PLANTED, str(number), config='degraded.hcl' if number == 93 else 'enabled.hcl', task='shell.hcl', more=more), 200)
    expect(len(report['items']) == 1, f'{number}: {len(report["items"])} items in the report')
    item = report['items'][0]
    required = any(finding['level'] == 'R' for finding in item['findings'])
    expect(status == (1 if required or not report['passed'] + report['warnings'] else 0), f'plant {number}: exit status {status}: {say(item)}')
    return item


def test_each_item_can_fail(sandbox):
    status, report = run(sandbox, 'plant-0', command(sandbox, PLANTED, '0', config='enabled.hcl', task='shell.hcl'))
    in_order = {item['item']: item for item in report['items']}
    bad = [say(item) for item in report['items'] if item['findings'] and item['item'] not in NOT_PLANTED]
    expect(status == 0 and not bad, 'the plugin without a fault does not conform:\n' + '\n'.join(bad))
    wanted, elsewhere = list(range(101, 108)), {}
    for number, item in sorted(in_order.items()):
        if number > 100:
            continue
        if number in NOT_PLANTED:
            elsewhere[number] = NOT_PLANTED[number]
        elif item['verdict'] == 'skip' and number not in (81, 93, 94):
            elsewhere[number] = item['skipped']
        else:
            wanted.append(number)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda number: planted(sandbox, number), wanted))
    for pid in descendants():  # plugins that fail to end their tasks leave them
        os.kill(pid, signal.SIGKILL)
    unseen = [f'{item["item"]} ({item["verdict"]} {item["skipped"]})' for item in results if not item['findings']]
    expect(not unseen, f'faults that the suite does not see: {", ".join(unseen)}')
    print(f'  {len(results)} planted faults seen; not here: {elsewhere}', flush=True)


if __name__ == '__main__':
    main(globals())
