#!/usr/bin/env python3
"""The job files of the documents this project began with, on an agent: those that are right are planned and run, the others are refused with
the reason. No machine has all that they ask for, so before they run their drivers become mock_driver, and what only a certain cluster
has (hardware, volumes, other regions, images, files to fetch) is taken out. What is said when it is missing is checked first, on the whole job."""
import glob
import json
import os
import shutil

import harness
from harness import ROOT, contains, expect, until

with open(os.path.join(ROOT, 'tests/seeds/refused.json'), encoding='utf-8') as listed:
    REFUSED = json.load(listed)


def job_files():
    files = glob.glob(os.path.join(ROOT, 'tests/seeds/*.nomad.hcl')) + glob.glob(os.path.join(ROOT, 'tests/golden/jobspec/good/seed-*.nomad.hcl'))
    return {os.path.basename(file)[:-len('.nomad.hcl')]: file for file in sorted(files)}


def variables(file):
    recorded = file[:-len('.nomad.hcl')] + '.vars'
    return ['-var-file', recorded] if os.path.exists(recorded) else []


def start(sandbox):
    plugins = os.path.join(sandbox.directory, 'plugins')
    os.makedirs(plugins)
    shutil.copy2(os.path.join(harness.BUILD, 'tests/mock-driver/drover-driver-mock'), plugins)
    agent = sandbox.agent(dev=True, extra=f'plugin_dir = "{plugins}"\nplugin "drover-driver-mock" {{}}\n').start(drivers=('mock_driver',))
    agent.call('PUT', '/v1/namespace/production', {'Name': 'production'})
    return agent


def runnable(job):
    """The job with what this machine lacks taken out."""
    job = dict(job, Datacenters=['*'], Constraints=None, Affinities=None, Multiregion=None, Region='global', Periodic=None, ParameterizedJob=None, NodePool='default')
    for group in job['TaskGroups']:
        group.update(Constraints=None, Affinities=None, Volumes=None, Consul=None, Services=None)
        for network in group['Networks'] or []:
            network['Mode'] = 'host'
        for task in group['Tasks']:
            task.update(Driver='mock_driver', Config={'run_for': '0s' if job['Type'].endswith('batch') else '300s'}, Constraints=None, Affinities=None, VolumeMounts=None,
                        CSIPluginConfig=None, Artifacts=None, Templates=None, Vault=None, Consul=None, Services=None, ScalingPolicies=None)
            if task['Resources']:
                task['Resources'].update(Devices=None, NUMA=None, CPU=50, Cores=None, MemoryMB=32, MemoryMaxMB=None)
    return job


def test_right_ones_are_valid_planned_and_run(sandbox):
    agent = start(sandbox)
    ran = 0
    for name, file in job_files().items():
        if name in REFUSED:
            continue
        contains(agent.cli('job', 'validate', '-no-lint', *variables(file), file), 'Job validation successful')
        parsed = parse(agent, file)
        # As it is: nothing here has its driver, and that is what is said.
        plan = agent.cli('job', 'plan', '-no-lint', *variables(file), file, status=None)
        if parsed['Region'] == 'global' and not parsed['Multiregion']:
            contains(plan, 'Scheduler dry-run:', 'failed to place' if parsed['Type'] in ('service', 'batch') and not parsed['Periodic'] and not parsed['ParameterizedJob'] else '- ')
        job = runnable(parsed)
        space = job['Namespace']
        agent.call('PUT', f'/v1/jobs?namespace={space}', {'Job': job})
        done = ('complete',) if job['Type'].endswith('batch') else ('running',)
        allocs = until(f'{name} to run', lambda j=job, s=space, d=done: started(agent, j['ID'], s, d))
        expect(len(allocs) >= len(job['TaskGroups']), f'{name}: {len(allocs)} allocations')
        agent.call('DELETE', f'/v1/job/{job["ID"]}?purge=true&namespace={space}')
        ran += 1
    expect(ran == len(job_files()) - len(REFUSED) and ran >= 28, f'{ran} jobs ran')


def parse(agent, file):
    recorded = file[:-len('.nomad.hcl')] + '.vars'
    with open(file, encoding='utf-8') as source:
        request = {'JobHCL': source.read(), 'Canonicalize': True}
    if os.path.exists(recorded):
        with open(recorded, encoding='utf-8') as source:
            request['Variables'] = source.read()
    return agent.call('POST', '/v1/jobs/parse', request)


def started(agent, job, space, states):
    allocs = agent.get(f'/v1/job/{job}/allocations?namespace={space}')
    return allocs if allocs and all(one['ClientStatus'] in states for one in allocs) else None


def test_wrong_ones_are_refused_with_the_reason(sandbox):
    agent = start(sandbox)
    for name, file in job_files().items():
        if name not in REFUSED:
            continue
        told = agent.cli('job', 'validate', *variables(file), file, status=1)
        reason = REFUSED[name].rsplit('\n\t* ', 1)[-1]
        contains(told, reason, 'on ' + file)


if __name__ == '__main__':
    harness.main(globals())
