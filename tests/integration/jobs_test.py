#!/usr/bin/env python3
"""A job's ordinary life on a -dev agent, over the command line and over the API."""
import json
import os
import subprocess

import harness
from harness import contains, expect, until
from jobs import shell_job


def dev(sandbox):
    return sandbox.agent(dev=True).start()


def test_hello_over_the_command_line(sandbox):
    agent = dev(sandbox)
    out = agent.cli('job', 'run', '-var=driver=raw_exec', os.path.join(harness.ROOT, 'examples/hello.nomad.hcl'))
    contains(out, 'finished with status "complete"')
    alloc = agent.wait_alloc('hello', 'running')
    short = alloc['ID'][:8]
    contains(agent.cli('job', 'status', 'hello'), 'hello', 'running', short)
    contains(agent.cli('status'), 'hello', 'service', 'running')
    contains(agent.cli('alloc', 'status', short), 'greet', 'running', 'Started')
    until('the line in the log', lambda: 'hello from task greet of job hello' in agent.cli('alloc', 'logs', short, 'greet'))
    contains(agent.cli('node', 'status'), 'ready')
    contains(agent.cli('server', 'members'), 'alive')
    contains(agent.cli('alloc', 'fs', short, 'greet'), 'local')
    contains(agent.cli('job', 'inspect', 'hello'), '"ID": "hello"')
    contains(agent.cli('job', 'stop', 'hello'), 'finished with status "complete"')
    agent.wait_alloc('hello', 'complete')
    contains(agent.cli('job', 'status', 'hello'), 'dead')


def test_hello_over_the_api(sandbox):
    agent = dev(sandbox)
    text = shell_job('api', 'echo over the wire; exec sleep 600')
    job = agent.call('POST', '/v1/jobs/parse', {'JobHCL': text, 'Canonicalize': True})
    expect(job['ID'] == 'api', f'parsed job: {json.dumps(job)[:300]}')
    answer = agent.call('POST', '/v1/jobs', {'Job': job})
    evaluation = agent.get(f'/v1/evaluation/{answer["EvalID"]}')
    expect(evaluation['JobID'] == 'api', f'evaluation of the job: {json.dumps(evaluation)[:300]}')
    alloc = agent.wait_alloc('api', 'running')
    until('the line in the log', lambda: agent.logs(alloc['ID'], 't') == 'over the wire\n')
    expect(agent.get('/v1/job/api')['Status'] == 'running', 'the job is not running')
    listing = agent.get(f'/v1/client/fs/ls/{alloc["ID"]}?path=/')
    expect({'alloc', 't'} <= {entry['Name'] for entry in listing}, f'directory of the allocation: {listing}')
    agent.call('DELETE', '/v1/job/api')
    agent.wait_alloc('api', 'complete')


def test_batch_job_completes(sandbox):
    agent = dev(sandbox)
    agent.run(shell_job('ends', 'echo out; echo err >&2; exit 0', kind='batch'))
    alloc = agent.wait_alloc('ends', 'complete')
    expect(agent.logs(alloc['ID'], 't') == 'out\n', 'standard output')
    expect(agent.logs(alloc['ID'], 't', 'stderr') == 'err\n', 'standard error')
    until('the job to be dead', lambda: agent.get('/v1/job/ends')['Status'] == 'dead')
    agent.run(shell_job('fails', 'exit 9', kind='batch'), '-detach')
    failed = agent.wait_alloc('fails', 'failed')
    exits = [event['ExitCode'] for event in failed['TaskStates']['t']['Events'] if event['Type'] == 'Terminated']
    expect(exits == [9], f'exit codes in the events: {exits}')


def test_restart_policy_starts_a_task_again(sandbox):
    agent = dev(sandbox)
    marks = os.path.join(agent.directory, 'marks')
    agent.run(shell_job('again', f'echo x >>{marks}; exit 1', kind='batch', restart='attempts = 2\ndelay = "50ms"\nmode = "fail"'), '-detach')
    alloc = agent.wait_alloc('again', 'failed')
    with open(marks, encoding='ascii') as file:
        expect(file.read() == 'x\n' * 3, 'the task did not run three times')
    expect(alloc['TaskStates']['t']['Restarts'] == 2, f'restarts: {alloc["TaskStates"]["t"]["Restarts"]}')


def test_logs_follow(sandbox):
    agent = dev(sandbox)
    gate = os.path.join(agent.directory, 'gate')
    os.mkfifo(gate)
    agent.run(shell_job('talks', f'echo one; read word <{gate}; echo two $word; exec sleep 600'))
    alloc = agent.wait_alloc('talks', 'running')
    reader = subprocess.Popen([sandbox.drover, 'alloc', 'logs', '-f', alloc['ID'], 't'], stdout=subprocess.PIPE,
                              env={'NOMAD_ADDR': agent.url, 'PATH': os.environ['PATH']})
    try:
        expect(reader.stdout.readline() == b'one\n', 'the first line')
        with open(gate, 'w', encoding='ascii') as file:
            file.write('more\n')
        expect(reader.stdout.readline() == b'two more\n', 'the line written while following')
    finally:
        reader.terminate()
        reader.wait()
        reader.stdout.close()


def test_exec_isolates(sandbox):
    agent = sandbox.agent(dev=True).start(drivers=())
    node = agent.wait_drivers(('exec',))
    if not node['Drivers']['exec'].get('Healthy'):
        raise harness.Skip(f'exec is not healthy here: {node["Drivers"]["exec"].get("HealthDescription")}')
    agent.run(shell_job('inside', f'echo pid $$; ls -d {sandbox.directory} 2>&1; id -un; exec sleep 600', driver='exec'))
    alloc = agent.wait_alloc('inside', 'running')
    log = until('the three lines', lambda: (lambda t: t if t.count('\n') >= 3 else '')(agent.logs(alloc['ID'], 't')))
    contains(log, 'pid 1\n', 'No such file', 'nobody')


def rolling_job(revision, update, count=2, script='exec sleep 600', healthy_after='0s'):
    return f'''
job "rolling" {{
  update {{
    min_healthy_time  = "{healthy_after}"
    healthy_deadline  = "20s"
    progress_deadline = "40s"
    {update}
  }}
  group "g" {{
    count = {count}
    restart {{
      attempts = 0
      mode     = "fail"
    }}
    reschedule {{
      attempts  = 0
      unlimited = false
    }}
    task "t" {{
      driver = "raw_exec"
      env {{
        REVISION = "{revision}"
      }}
      config {{
        command = "/bin/sh"
        args    = ["-c", "{script}"]
      }}
      resources {{
        cpu    = 20
        memory = 16
      }}
    }}
  }}
}}
'''


def running_versions(agent):
    allocs = agent.get('/v1/job/rolling/allocations')
    return sorted(a['JobVersion'] for a in allocs if a['ClientStatus'] == 'running' and a['DesiredStatus'] == 'run')


def deployment_of(agent, version, status):
    def check():
        found = [d for d in agent.get('/v1/job/rolling/deployments') if d['JobVersion'] == version]
        return found[0] if found and found[0]['Status'] == status else None
    return until(f'the deployment of version {version} to be {status}', check, limit=40)


def test_deployments_roll_promote_and_revert(sandbox):
    agent = dev(sandbox)
    agent.run(rolling_job(0, 'max_parallel = 1'))
    deployment_of(agent, 0, 'successful')
    # One after the other; the second only when the first is healthy.
    agent.run(rolling_job(1, 'max_parallel = 1'))
    deployment = deployment_of(agent, 1, 'successful')
    expect(deployment['TaskGroups']['g']['HealthyAllocs'] == 2, f'healthy allocations: {deployment}')
    expect(running_versions(agent) == [1, 1], 'both run the new version')
    # A canary that is healthy promotes itself, and the others follow.
    agent.run(rolling_job(2, 'max_parallel = 1\n canary = 1\n auto_promote = true'))
    deployment = deployment_of(agent, 2, 'successful')
    expect(deployment['TaskGroups']['g']['Promoted'], f'promoted: {deployment}')
    until('both to run version 2', lambda: running_versions(agent) == [2, 2])
    # One that fails takes the job back to what was stable.
    agent.run(rolling_job(3, 'max_parallel = 1\n auto_revert = true', script='exit 1', healthy_after='2s'), '-detach')
    failed = deployment_of(agent, 3, 'failed')
    contains(failed['StatusDescription'], 'rolling back to job version 2')
    deployment_of(agent, 4, 'successful')
    until('both to run the version that went back', lambda: set(running_versions(agent)) <= {2, 4} and len(running_versions(agent)) == 2)
    expect(agent.get('/v1/job/rolling')['TaskGroups'][0]['Tasks'][0]['Env']['REVISION'] == '2', 'the job is what it was')


def test_a_canary_waits_for_its_promotion(sandbox):
    agent = dev(sandbox)
    agent.run(rolling_job(0, 'max_parallel = 1'))
    deployment_of(agent, 0, 'successful')
    agent.run(rolling_job(1, 'max_parallel = 2\n canary = 1'), '-detach')
    until('the canary beside the two', lambda: running_versions(agent) == [0, 0, 1])
    deployment = deployment_of(agent, 1, 'running')
    contains(deployment['StatusDescription'], 'requires manual promotion')

    def promoted():
        # Refused until the canary is healthy.
        status, _, _ = agent.request('PUT', f'/v1/deployment/promote/{deployment["ID"]}', {'DeploymentID': deployment['ID'], 'All': True})
        return status == 200
    until('the promotion to be taken', promoted)
    deployment_of(agent, 1, 'successful')
    until('both to run the new version', lambda: running_versions(agent) == [1, 1])


def test_a_drained_node_is_emptied(sandbox):
    agent = dev(sandbox)
    agent.run(rolling_job(0, 'max_parallel = 1', count=1))
    deployment_of(agent, 0, 'successful')
    node = agent.get('/v1/nodes')[0]['ID']
    agent.call('PUT', f'/v1/node/{node}/drain', {'DrainSpec': {'Deadline': 3600 * 10 ** 9}, 'Meta': {'why': 'test'}})
    until('the drain to end', lambda: agent.get(f'/v1/node/{node}')['LastDrain']['Status'] == 'complete')
    now = agent.get(f'/v1/node/{node}')
    expect(now['SchedulingEligibility'] == 'ineligible' and not now['Drain'], f'after the drain: {now["SchedulingEligibility"]}')
    expect(now['LastDrain']['Meta'] == {'why': 'test'}, f'last drain: {now["LastDrain"]}')
    agent.wait_alloc('rolling', 'complete')
    agent.call('PUT', f'/v1/node/{node}/eligibility', {'NodeID': node, 'Eligibility': 'eligible'})
    agent.wait_alloc('rolling', 'running')


if __name__ == '__main__':
    harness.main(globals())
