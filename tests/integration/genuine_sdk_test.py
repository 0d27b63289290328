#!/usr/bin/env python3
"""Plugins on Nomad's own SDK packages (tests/interop/go): they conform as far as those packages do, and work under an agent."""
import json
import os
import shutil
import signal
import subprocess

import harness
from harness import ROOT, Skip, expect, until
from jobs import shell_job

SOURCE = os.path.join(ROOT, 'tests/interop/go')
DATA = os.path.join(ROOT, 'tests/data/conformance')


def build(sandbox):
    if not shutil.which('go'):
        raise Skip('no go: `make setup` installs it')
    version = subprocess.run(['go', 'env', 'GOVERSION'], capture_output=True, text=True, check=True).stdout.strip()
    out = os.path.join(sandbox.directory, 'plugins')
    os.mkdir(out)
    done = subprocess.run(['go', 'build', '-trimpath', '-o', out + '/', './driver', './device'], cwd=SOURCE, capture_output=True, text=True, timeout=800, check=False,
                          env={**os.environ, 'CGO_ENABLED': '0', 'GOFLAGS': '-mod=readonly -buildvcs=false'})
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [''])[-1]
        network = any(word in done.stderr for word in ('dial tcp', 'reading https://', 'Forbidden', 'no required module', 'go.mod requires go', 'toolchain not available'))
        expect(network, f'the plugins do not build: {done.stderr[-3000:]}')
        raise Skip(f'{version} has neither a cache nor a proxy of the modules: {last}')
    return out


def suite(sandbox, program, *options):
    result = subprocess.run([sandbox.drover, 'plugin', 'conformance', '-json', '-idle', '3s', *options, program], capture_output=True, text=True, timeout=500, check=False,
                            env={'PATH': os.environ['PATH'], 'HOME': sandbox.directory, 'TMPDIR': sandbox.directory})
    report = json.loads(result.stdout)
    for item in report['items']:
        for finding in item['findings']:
            print(f'  {report["name"] if "name" in report else os.path.basename(program)} {item["item"]} {finding["level"]}: {finding["seen"][:160]}', flush=True)
    return {item['item'] for item in report['items'] for finding in item['findings'] if finding['level'] == 'R'}


def test_both_conform_as_far_as_their_packages_do(sandbox):
    place = build(sandbox)
    failed = suite(sandbox, place + '/driver', '-task-config', os.path.join(DATA, 'genuine.hcl'))
    expect(not failed, f'required items that the driver fails: {failed}')
    for pid in harness.descendants():  # its tasks have no supervisor: those of a plugin that was killed stay
        os.kill(pid, signal.SIGKILL)
    failed = suite(sandbox, place + '/device')
    expect(not failed, f'required items that the device plugin fails: {failed}')


def test_an_agent_runs_them(sandbox):
    place = build(sandbox)
    agent = sandbox.agent(dev=True, extra=f'plugin_dir = "{place}"\nplugin "driver" {{}}\nplugin "device" {{}}\n').start(drivers=('genuine',))
    job = shell_job('thing', 'echo got $THING_one $THING_two; exit 0', driver='genuine', kind='batch').replace('memory = 16', 'memory = 16\n device "test/thing" {\n count = 2\n }')
    until('the devices on the node', lambda: [one for one in agent.get(f'/v1/node/{agent.get("/v1/nodes")[0]["ID"]}')['NodeResources'].get('Devices') or [] if one['Name'] == 'genuine'])
    agent.run(job, '-detach')
    alloc = agent.wait_alloc('thing', 'complete', 60)
    text = until('the log', lambda: agent.cli('alloc', 'logs', alloc['ID'], 't', status=None))
    expect('got one two' in text, f'the task said {text!r}')


if __name__ == '__main__':
    harness.main(globals())
