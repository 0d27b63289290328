#!/usr/bin/env python3
"""The machine itself: without these the other tests would say nothing."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../integration'))
import harness  # noqa: E402  pylint: disable=wrong-import-position
from harness import expect  # noqa: E402  pylint: disable=wrong-import-position


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def test_systemd_is_process_one(_):
    expect(read('/proc/1/comm').strip() == 'systemd', f'process 1 is {read("/proc/1/comm").strip()}')


def test_cgroup_v2_has_all_controllers(_):
    have = set(read('/sys/fs/cgroup/cgroup.controllers').split())
    expect({'cpuset', 'cpu', 'io', 'memory', 'pids'} <= have, f'controllers: {have}')


if __name__ == '__main__':
    harness.main(globals())
