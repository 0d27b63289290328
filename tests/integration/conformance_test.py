#!/usr/bin/env python3
"""`drover plugin conformance`: every first-party driver passes, and for each item a planted plugin shows that the suite can fail.

Needs root for what tasks need. LONG=1 waits a minute where the rules say a minute."""
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess

import guest_image
import java_test
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


def test_exec_hardened(sandbox):
    """What the node's operator can turn on for all tasks (docs/executor.md) keeps no item from passing."""
    config = write(sandbox, 'hardened.hcl', 'allow_degraded = true\nseccomp_profile = "default"\nno_new_privs = true\nallow_host_namespaces = false\n')
    passes(sandbox, 'exec', os.path.join(BUILD, 'plugins/drivers/drover-driver-exec'), config=config, task='shell.hcl')


# What a program of Java's own can do of the cases; the suite's scripts are for a shell.
JAVA = '''
public class Main {
  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "exit": System.exit(Integer.parseInt(args[1]));
      case "output": System.out.println("to stdout"); System.err.println("to stderr"); System.exit(0);
      case "eat": for (java.util.List<byte[]> all = new java.util.ArrayList<>();;) all.add(new byte[1 << 20]);
      case "stubborn": Runtime.getRuntime().addShutdownHook(new Thread(() -> { for (;;) try { Thread.sleep(1000); } catch (InterruptedException e) {} }));
    }
    Thread.sleep(600000);
  }
}
'''


def test_java(sandbox):
    place = os.path.join(sandbox.directory, 'java')
    shutil.copytree(java_test.program(JAVA), place)
    roots = ''.join(f'"{path}" = "{path}"\n' for path in ('/bin', '/etc', '/lib', '/lib64', '/usr')) + f'"{place}" = "/app"\n'
    config = write(sandbox, 'java-config.hcl', f'allow_degraded = true\nchroot_env = {{\n{roots}}}\n')
    cases = {'exit_0': '["exit", "0"]', 'exit_7': '["exit", "7"]', 'sleep': '["sleep"]', 'stubborn': '["stubborn"]', 'output': '["output"]', 'eat_memory': '["eat"]'}
    options = 'jvm_options = ["-Xmx1g", "-XX:TieredStopAtLevel=1"]'
    text = ''.join(f'case "{name}" {{\n jar_path = "/app/app.jar"\n {options}\n args = {args}\n}}\n' for name, args in cases.items())
    task = write(sandbox, 'java-task.hcl', text + 'case "missing" {\n class = ""\n}\nuser = "nobody"\n')
    passes(sandbox, 'java', os.path.join(BUILD, 'plugins/drivers/drover-driver-java'), config=config, task=task)


def write(sandbox, name, text):
    path = os.path.join(sandbox.directory, name)
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    return path


def boot_sector(text, *code):
    """A machine of 512 bytes: writes a line to the serial port, then does what the code says, then halts."""
    out = b''.join(b'\xb0' + bytes([letter]) + b'\xba\xf8\x03\xee' for letter in text.encode())  # mov al, letter; mov dx, 0x3f8; out dx, al
    out += b''.join(code) + b'\xf4\xeb\xfd'  # hlt; jmp back to it
    return out.ljust(510, b'\0') + b'\x55\xaa'


POWER_OFF = b'\xba\x04\x06\xb8\x00\x20\xef'  # mov dx, 0x604; mov ax, 0x2000; out dx, ax: ACPI's soft off
DEBUG_EXIT_7 = b'\xba\x01\x05\xb0\x03\xee'  # mov dx, 0x501; mov al, 3; out dx, al: isa-debug-exit ends with 2 * 3 + 1


def test_qemu(sandbox):
    guest_image.need('qemu-system-x86_64')
    for name, sector in (('off', boot_sector('hello\n', POWER_OFF)), ('seven', boot_sector('hello\n', DEBUG_EXIT_7)), ('on', boot_sector('hello\n'))):
        with open(os.path.join(sandbox.directory, f'{name}.img'), 'wb') as file:
            file.write(sector)
    config = write(sandbox, 'qemu-config.hcl', f'image_paths = ["{sandbox.directory}"]\nargs_allowlist = ["-nodefaults", "-serial", "-device", "-snapshot"]\n')
    machine = 'args = ["-nodefaults", "-snapshot", "-serial", "stdio", "-device", "isa-debug-exit"]'  # one image for fifty machines at once
    cases = {'exit_0': 'off', 'exit_7': 'seven', 'sleep': 'on', 'output': 'off', 'stubborn': 'on', 'missing': 'none'}
    text = ''.join(f'case "{name}" {{\n image_path = "{sandbox.directory}/{image}.img"\n {machine}\n graceful_shutdown = {"true" if name == "stubborn" else "false"}\n}}\n'
                   for name, image in cases.items())
    passes(sandbox, 'qemu', os.path.join(BUILD, 'plugins/drivers/drover-driver-qemu'), config=config, task=write(sandbox, 'qemu-task.hcl', text))


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
