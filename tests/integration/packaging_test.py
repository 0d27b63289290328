#!/usr/bin/env python3
"""The unit, the configurations to begin with and the maintainer scripts, without installing them; tests/vm does that."""
import configparser
import glob
import os
import shutil
import subprocess

import harness
from harness import contains, expect

# Each makes a mount namespace for the agent: the next one would not see the mounts of the tasks that are still running.
NAMESPACED = ('ProtectSystem', 'ProtectHome', 'PrivateTmp', 'PrivateDevices', 'PrivateMounts', 'ProtectKernelModules', 'ProtectKernelTunables',
              'ProtectKernelLogs', 'ProtectControlGroups', 'ProtectProc', 'ReadWritePaths', 'ReadOnlyPaths', 'InaccessiblePaths', 'BindPaths',
              'TemporaryFileSystem', 'RootDirectory', 'DynamicUser', 'MountAPIVFS')
# Each is a filter that tasks inherit and cannot leave.
INHERITED = ('NoNewPrivileges', 'SystemCallFilter', 'SystemCallArchitectures', 'RestrictRealtime', 'RestrictSUIDSGID', 'RestrictNamespaces',
             'LockPersonality', 'MemoryDenyWriteExecute', 'ProtectClock', 'ProtectHostname', 'CapabilityBoundingSet', 'PrivateUsers', 'DevicePolicy')


def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    with open(os.path.join(harness.BUILD, 'drover.service'), encoding='utf-8') as file:
        parser.read_string(file.read())
    return parser


def test_P_38_the_unit_protects_the_agent_and_hinders_no_task(_):
    service = unit()['Service']
    for name, value in (('Type', 'notify'), ('KillMode', 'process'), ('Delegate', 'yes'), ('UMask', '0077'), ('StateDirectory', 'drover'),
                        ('RuntimeDirectory', 'drover'), ('RuntimeDirectoryPreserve', 'yes'), ('OOMPolicy', 'continue'), ('Restart', 'on-failure')):
        expect(service.get(name) == value, f'{name} is {service.get(name)}, not {value}')
    expect(int(service['WatchdogSec']) >= 30, f'WatchdogSec={service["WatchdogSec"]} is shorter than what a busy machine may need')
    found = [name for name in NAMESPACED + INHERITED if name in service]
    expect(not found, f'the unit has {found}')


def test_the_unit_is_right_for_systemd(sandbox):
    if not shutil.which('systemd-analyze'):
        raise harness.Skip('needs systemd-analyze')
    path = os.path.join(sandbox.directory, 'drover.service')
    with open(os.path.join(harness.BUILD, 'drover.service'), encoding='utf-8') as file:
        text = '\n'.join(f'ExecStart={sandbox.drover} agent' if line.startswith('ExecStart=') else line for line in file.read().splitlines())
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text.replace('Documentation=man:drover(1)\n', ''))
    result = subprocess.run(['systemd-analyze', 'verify', '--man=no', path], capture_output=True, text=True, check=False)
    said = [line for line in (result.stdout + result.stderr).splitlines() if 'drover.service' in line]
    expect(not said, '; '.join(said))


def test_the_configurations_are_valid(sandbox):
    # On a cluster's network an agent finds its address by itself.
    address = os.path.join(sandbox.directory, 'address.hcl')
    with open(address, 'w', encoding='ascii') as file:
        file.write('advertise {\n  http = "192.0.2.1"\n  rpc = "192.0.2.1"\n  serf = "192.0.2.1"\n}\n')
    files = sorted(glob.glob(os.path.join(harness.ROOT, 'packaging/config/*.hcl')))
    expect(len(files) == 3, f'configurations: {files}')
    for path in files:
        out = subprocess.run([sandbox.drover, 'config', 'validate', path, address], capture_output=True, text=True, check=False)
        expect(out.returncode == 0, f'{path}: {out.stdout}{out.stderr}')
        contains(out.stdout + out.stderr, 'Configuration is valid!')


def test_maintainer_scripts_are_scripts(_):
    scripts = [os.path.join(harness.ROOT, 'packaging/deb', name) for name in ('postinst', 'prerm', 'postrm')]
    for path in scripts:
        result = subprocess.run(['sh', '-n', path], capture_output=True, text=True, check=False)
        expect(result.returncode == 0, f'{path}: {result.stderr}')


if __name__ == '__main__':
    harness.main(globals())
