#!/usr/bin/env python3
"""Runs jobs on a fresh agent and counts which recorded metrics it has, by name, kind and names of labels.

BUILD names the build directory, GOLDEN_DIR another directory of tests/golden's layout whose rows are counted instead. `--show N` prints
what is missing, `--ratchet FILE --accept` writes the rows that agree."""
import argparse
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'integration'))
import golden_agent  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position
import replay_api  # pylint: disable=wrong-import-position

TELEMETRY = '''
telemetry {{
  publish_allocation_metrics = true
  publish_node_metrics = true
  collection_interval = "1s"
  in_memory_collection_interval = "2s"
}}
'''

JOB = '''
job "{name}" {{
  type = "{type}"
  {extra}
  group "g" {{
    task "t" {{
      driver = "{driver}"
      config {{
        {config}
      }}
      resources {{
        cpu    = {cpu}
        memory = 32
      }}
    }}
  }}
}}
'''

RAW = ('raw_exec', 'command = "sleep"\n args = ["60"]')
BRIEF = ('mock_driver', 'run_for = "100ms"')
LONG = ('mock_driver', 'run_for = "60s"')
JOBS = {'service': ('service', RAW, ''), 'batch': ('batch', BRIEF, ''), 'system': ('system', RAW, ''),
        'brief': ('batch', BRIEF, 'parameterized {}'), 'dispatched': ('batch', LONG, 'parameterized {}'), 'too-big': ('service', RAW, '')}

READS = ['jobs', 'job/service', 'job/service/allocations', 'allocations', 'evaluations', 'nodes', 'node/pools', 'namespaces', 'status/leader',
         'scaling/policies', 'deployments']


def exercise(agent):
    """Calls what the recording called."""
    for name, (kind, (driver, config), extra) in JOBS.items():
        text = JOB.format(name=name, type=kind, driver=driver, config=config, extra=extra, cpu=999999 if name == 'too-big' else 20)
        job = agent.call('POST', '/v1/jobs/parse', {'JobHCL': text, 'Canonicalize': True})
        agent.call('POST', '/v1/jobs', {'Job': job})
    for name in ('brief', 'dispatched'):
        agent.call('POST', f'/v1/job/{name}/dispatch', {})
    agent.call('POST', '/v1/job/service/plan', {'Job': agent.get('/v1/job/service')})
    agent.call('PUT', '/v1/namespace/metrics', {'Name': 'metrics'})
    agent.call('POST', '/v1/search', {'Prefix': 's', 'Context': 'jobs'})
    for path in READS:
        agent.get('/v1/' + path)
    agent.wait_alloc('service', 'running')
    agent.wait_alloc('batch', 'complete')


def json_names(agent):
    """(kind, name) -> names of labels; those of all its series together."""
    answer, found = agent.get('/v1/metrics'), {}
    for kind in ('Gauges', 'Counters', 'Samples'):
        for metric in answer[kind]:
            found.setdefault((kind, metric['Name']), set()).update(metric['Labels'])
    return found


def prometheus_names(agent):
    """Name -> (type of its family, names of labels); labels of all its series together."""
    found, kinds = {}, {}
    text = agent.request('GET', '/v1/metrics?format=prometheus')[2].decode()
    for line in text.splitlines():
        if line.startswith('# TYPE '):
            _, _, name, kind = line.split()
            kinds[name] = kind
        elif line and not line.startswith('#'):
            name, labels = re.match(r'([^{ ]+)(?:\{(.*)\})?', line).groups()
            family = next((name.removesuffix(end) for end in ('', '_sum', '_count') if name.removesuffix(end) in kinds), name)
            names = re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', labels or '')
            found.setdefault(name, (kinds.get(family), set()))[1].update(names)
    return found


def collect(agent, limit=20.0):
    """Until three intervals bring nothing new."""
    ours, prometheus, quiet_since, ends = {}, {}, time.monotonic(), time.monotonic() + limit
    while time.monotonic() < ends and time.monotonic() - quiet_since < 6:
        before = len(ours), len(prometheus)
        for key, labels in json_names(agent).items():
            ours.setdefault(key, set()).update(labels)
        prometheus.update(prometheus_names(agent))
        if (len(ours), len(prometheus)) != before:
            quiet_since = time.monotonic()
        shown = agent.get('/v1/metrics')['Timestamp']
        harness.until('the next interval', lambda: agent.get('/v1/metrics')['Timestamp'] != shown)
    return ours, prometheus


def compare(folder, ours, prometheus):
    outcome = replay_api.Outcome()

    def note(name, recorded, seen):
        if recorded == seen:
            outcome.agreed.append(name)
        else:
            outcome.failed.append((name, f'recorded {recorded}, got {seen}'))
    for row in load(folder, 'json-names.json'):
        seen = ours.get((row['kind'], row['name']))
        note(f"json/{row['kind']}/{row['name']}", sorted(row['labels']), None if seen is None else sorted(seen))
    for row in load(folder, 'prometheus-names.json'):
        seen = prometheus.get(row['name'])
        note(f"prometheus/{row['name']}", (row['type'], sorted(row['labels'])), None if seen is None else (seen[0], sorted(seen[1])))
    return outcome


def load(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser(description='Counts the recorded metrics that a fresh agent has.')
    parser.add_argument('--ratchet')
    parser.add_argument('--accept', action='store_true', help='write the ratchet file')
    parser.add_argument('--show', type=int, default=0, help='differences to print')
    options = parser.parse_args()
    folder = os.path.join(os.environ.get('GOLDEN_DIR') or HERE, 'telemetry')
    if not os.path.isdir(folder) or os.geteuid() != 0:
        print('telemetry: needs root and recordings')
        return 77
    harness.become_reaper()
    sandbox = harness.Sandbox()
    try:
        agent = golden_agent.start_agent(sandbox, TELEMETRY)
        exercise(agent)
        outcome = compare(folder, *collect(agent))
    finally:
        sandbox.destroy()
    played = len(outcome.agreed) + len(outcome.failed)
    print(f'telemetry: {len(outcome.agreed)} of {played} rows agree')
    for name, why in outcome.failed[:options.show]:
        print(f'  {name}: {why}')
    if not options.ratchet or os.environ.get('GOLDEN_DIR'):
        return 0
    lost = replay_api.check_ratchet(options.ratchet, outcome, options.accept)
    for line in lost:
        print(f'no longer agrees: {line}')
    return 1 if lost else 0


if __name__ == '__main__':
    sys.exit(main())
