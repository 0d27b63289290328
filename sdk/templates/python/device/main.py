#!/usr/bin/env python3
"""drover-device-@name@: a device plugin."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pb'))

import device  # noqa: E402
import plugin  # noqa: E402

if __name__ == '__main__':
    plugin.serve('the device plugin @name@', device.services)
