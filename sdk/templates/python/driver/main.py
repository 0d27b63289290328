#!/usr/bin/env python3
"""drover-driver-@name@: a task driver."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pb'))

import driver  # noqa: E402
import plugin  # noqa: E402

if __name__ == '__main__':
    plugin.serve('the task driver @name@', driver.services)
