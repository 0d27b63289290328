#!/usr/bin/env python3
"""Runs the tests of the rules: all, or those whose rule or name holds an argument. One line a test, a reason for each skip.
BUILD names the build directory. Needs root."""
import importlib.util
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from tasks import SLOW, Base, Failure, Node, Skipped  # noqa: E402


def tests():
    for rule in sorted(os.listdir(HERE)):
        directory = os.path.join(HERE, rule)
        if not os.path.isdir(directory):
            continue
        for name in sorted(os.listdir(directory)):
            if not name.endswith('_test.py'):
                continue
            spec = importlib.util.spec_from_file_location(f'{rule}_{name[:-3]}', os.path.join(directory, name))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            for function in list(vars(module).values()):
                prefix = rule.replace('-', '_') + '_'
                if callable(function) and getattr(function, '__name__', '').startswith(prefix):
                    yield rule, function


LIMIT = int(60 * SLOW)


def too_long(*_):
    raise Failure(f'no end after {LIMIT} s')


def main():
    signal.signal(signal.SIGALRM, too_long)
    build = os.path.abspath(os.environ.get('BUILD', 'build'))
    if os.geteuid() != 0:
        print('skipped: needs root')
        return 77
    wanted = sys.argv[1:]
    passed = failed = skipped = 0
    for rule, function in tests():
        label = f'{rule} {function.__name__}'
        if wanted and not any(word in label for word in wanted):
            continue
        with Base() as base:
            node = Node(build, base)
            began = time.monotonic()
            try:
                signal.alarm(LIMIT)
                function(node)
                passed += 1
                print(f'ok {label} ({time.monotonic() - began:.1f} s)', flush=True)
            except Skipped as reason:
                print(f'skip {label}: {reason}', flush=True)
                skipped += 1
            except Failure as failure:
                print(f'FAIL {label}: {failure}', flush=True)
                failed += 1
            except Exception:  # a test that breaks is one that failed
                print(f'FAIL {label}: {traceback.format_exc()}', flush=True)
                failed += 1
            finally:
                signal.alarm(0)
                node.close()
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or passed == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
