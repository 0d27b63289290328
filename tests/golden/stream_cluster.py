"""Scenarios of tests/golden/streams that change the cluster: the shapes of events, and which write wakes which query."""
import json
import select
import time

from replay_api import Mismatch
from stream_player import LIMIT, SILENCE, NotPlayed, harness, task_job
import wire

UPDATE = {'MaxParallel': 1, 'HealthCheck': 'task_states', 'MinHealthyTime': 10_000_000, 'HealthyDeadline': 60_000_000_000,
          'ProgressDeadline': 120_000_000_000}


def service(name, meta='1', count=1, stopped=False):
    job = task_job(name, '', driver='mock_driver', config={'run_for': '1h'})
    job['Job'].update(Meta={'v': meta}, Stop=stopped)
    job['Job']['TaskGroups'][0].update(Count=count, Update=UPDATE)
    return job


def batch(name, config, **more):
    job = task_job(name, '', 'batch', 'mock_driver', config)
    job['Job'].update(Meta={'v': '1'}, **more)
    return job


def deployed(player, name):
    """Waits for the end of the job's newest deployment; its id."""
    def done():
        newest = player.agent.get(f'/v1/job/{name}/deployments')
        return newest[0]['ID'] if newest and newest[0]['Status'] == 'successful' else None
    return harness.until(f'the deployment of {name}', done, 30)


def write(player, method, path, body=None):
    status, _, data = player.agent.request(method, player.fill(path), body)
    # An unknown path below a job is taken for a job's name.
    if status in (404, 405, 501) or data == b'Job must be specified':
        raise NotPlayed(f'{method} {path}: {status}')
    return status, data


# --- events-shapes -------------------------------------------------------------------------------------------------------------

def cause_events(player):
    steps = [('PUT', '/v1/jobs', service('web', '2')), ('PUT', '/v1/node/<node>/eligibility', {'Eligibility': 'ineligible'}),
             ('PUT', '/v1/node/<node>/eligibility', {'Eligibility': 'eligible'}), ('PUT', '/v1/job/web/evaluate', {'JobID': 'web'}),
             ('PUT', '/v1/jobs', batch('bat', {'run_for': '10ms'})), ('PUT', '/v1/jobs', batch('far', {'run_for': '1s'}, Datacenters=['elsewhere'])),
             ('PUT', '/v1/node/<node>/drain', {'DrainSpec': {'Deadline': 1_000_000_000}}), ('PUT', '/v1/node/<node>/eligibility', {'Eligibility': 'eligible'}),
             ('PUT', '/v1/node/pools', {'Name': 'pool1'}), ('DELETE', '/v1/node/pool/pool1'), ('DELETE', '/v1/job/web'),
             ('DELETE', '/v1/job/bat?purge=true'), ('PUT', '/v1/system/gc')]
    for step in steps:
        try:
            write(player, *step)
        except NotPlayed:
            pass
        time.sleep(0.05)


def play_events_shapes(player, rows):
    player.saved['node'] = player.agent.get('/v1/nodes')[0]['ID']
    player.agent.call('PUT', '/v1/jobs', service('web'))
    player.agent.wait_alloc('web', 'running')
    cause_events(player)
    answer, text, seen = wire.open_request(player.address, 'GET', '/v1/event/stream?topic=*&namespace=*'), '', {}
    with answer.socket:
        answer.read_head(time.monotonic() + LIMIT)
        try:
            while True:
                text += answer.read_some(time.monotonic() + 2).decode()
        except TimeoutError:
            pass
    for line in text.rpartition('\n')[0].splitlines():
        for event in json.loads(line).get('Events', []):
            seen.setdefault(f'{event["Topic"]}/{event["Type"]}', []).append(event['Payload'])
    for name, row in rows.items():
        yield name, lambda name=name, row=row: check_payloads(row['payload'], seen.get(name, []))


def check_payloads(shape, payloads):
    if not payloads:
        raise NotPlayed('no such event')
    for payload in payloads:
        fits(shape, payload, 'payload')


def fits(shape, value, where):
    """The recorded shape is the union of what was seen: members may be missing or null, none may be new or of another kind."""
    if value is None:
        return
    kinds = {'<text>': str, '<number>': (int, float), '<bool>': bool}
    if shape in ('<varies>',) or (isinstance(shape, str) and shape not in kinds):
        return
    if isinstance(shape, str):
        if not isinstance(value, kinds[shape]) or (shape == '<number>' and isinstance(value, bool)):
            raise Mismatch(f'{where}: expected {shape}, got {json.dumps(value)[:100]}')
    elif shape == {}:
        return  # a map whose keys were not kept
    elif isinstance(shape, dict) and isinstance(value, dict):
        for key, item in value.items():
            if key not in shape and '<name>' not in shape:
                raise Mismatch(f'{where}: {key} was never seen')
            fits(shape.get(key, shape.get('<name>')), item, f'{where}.{key}')
    elif isinstance(shape, list) and isinstance(value, list):
        for item in value if shape else ():
            fits(shape[0], item, f'{where}[]')
    elif shape is not None or value not in ([], {}):
        raise Mismatch(f'{where}: expected {json.dumps(shape)[:80]}, got {json.dumps(value)[:100]}')


# --- blocking-matrix -----------------------------------------------------------------------------------------------------------

QUERIES = {}  # filled from the file by play_blocking_matrix: name -> path


def alloc_of(player, job):
    return next(one['ID'] for one in player.agent.get(f'/v1/job/{job}/allocations') if one['DesiredStatus'] == 'run')


WRITES = {
    'nothing (control)': lambda p: None,
    'namespace written': lambda p: write(p, 'PUT', '/v1/namespaces', {'Name': 'extra'}),
    'node pool written': lambda p: write(p, 'PUT', '/v1/node/pools', {'Name': 'extra'}),
    'scheduler configuration written': lambda p: write(p, 'PUT', '/v1/operator/scheduler/configuration', {'SchedulerAlgorithm': 'spread'}),
    'node ineligible': lambda p: write(p, 'PUT', '/v1/node/<node>/eligibility', {'Eligibility': 'ineligible'}),
    'node eligible (unchanged jobs)': lambda p: write(p, 'PUT', '/v1/node/<node>/eligibility', {'Eligibility': 'eligible'}),
    'job web registered unchanged': lambda p: write(p, 'PUT', '/v1/jobs', service('web')),
    'job none registered that cannot be placed (batch nb, other datacenter)':
        lambda p: write(p, 'PUT', '/v1/jobs', batch('nb', {'run_for': '1s'}, Datacenters=['elsewhere'])),
    'job nb stopped': lambda p: write(p, 'DELETE', '/v1/job/nb'),
    'job nb purged': lambda p: write(p, 'DELETE', '/v1/job/nb?purge=true'),
    'job two evaluated': lambda p: write(p, 'PUT', '/v1/job/two/evaluate', {'JobID': 'two'}),
    'job web marked stable': lambda p: write(p, 'PUT', '/v1/job/web/stable', {'JobID': 'web', 'JobVersion': 0, 'Stable': False}),
    'job two: meta changed in place': lambda p: write(p, 'PUT', '/v1/jobs', service('two', '2')),
    'parameterized job registered': lambda p: write(p, 'PUT', '/v1/jobs', batch('par', {'run_for': '1s'}, ParameterizedJob={'Payload': 'optional'})),
    'dispatched job runs and ends (1 s)': lambda p: write(p, 'PUT', '/v1/job/par/dispatch', {}),
    'allocation of two stopped, replaced': lambda p: write(p, 'PUT', f'/v1/allocation/{alloc_of(p, "two")}/stop', {}),
    'job two scaled to 2': lambda p: write(p, 'PUT', '/v1/job/two/scale', {'Count': 2, 'Target': {'Group': 'g'}}),
    'deployment of web failed (terminal: refused)': lambda p: write(p, 'PUT', '/v1/deployment/fail/<deployment>', {}),
    'allocation of web signalled/restarted': lambda p: write(p, 'PUT', '/v1/client/allocation/<alloc>/restart', {'TaskName': 'main'}),
    'job two stopped': lambda p: write(p, 'DELETE', '/v1/job/two'),
    'system gc': lambda p: write(p, 'PUT', '/v1/system/gc'),
}


def play_blocking_matrix(player, rows):
    player.saved['node'] = player.agent.get('/v1/nodes')[0]['ID']
    for name in ('web', 'two'):
        player.agent.call('PUT', '/v1/jobs', service(name))
        alloc = player.agent.wait_alloc(name, 'running')
        deployment = deployed(player, name)
        if name == 'web':
            player.saved.update(alloc=alloc['ID'], eval=alloc['EvalID'], deployment=deployment)
    built = {}
    for name, path in QUERIES.items():
        try:
            status, headers, data = player.agent.request('GET', player.fill(path))
        except NotPlayed:
            continue
        if 'x-nomad-index' in headers and (status == 200 or 'none' in name):
            built[name] = player.fill(path)
    for name, row in rows.items():
        if name in WRITES:
            yield name, lambda name=name, row=row: wakes(player, built, name, row)


def wakes(player, built, name, row):
    wanted = set(row['woke']) & set(built)
    settle(player, built)
    held = {}
    for query, path in built.items():
        _, headers, _ = player.agent.request('GET', path)
        index = max(1, int(headers['x-nomad-index']))
        glue = '&' if '?' in path else '?'
        answer = wire.open_request(player.address, 'GET', f'{path}{glue}index={index}&wait=60s')
        held[query] = (answer, index)
    try:
        WRITES[name](player)
        woke = collect(held, wanted)
    finally:
        for answer, _ in held.values():
            answer.socket.close()
    if woke != wanted:
        raise Mismatch(f'not woken: {sorted(wanted - woke)}; woken: {sorted(woke - wanted)}')


def settle(player, built):
    """Waits until what earlier writes set off is over: no index rises for a while."""
    def indexes():
        return [player.agent.request('GET', path)[1]['x-nomad-index'] for path in built.values()]
    last, since = indexes(), time.monotonic()
    while time.monotonic() < since + SILENCE:
        time.sleep(0.1)
        now = indexes()
        if now != last:
            last, since = now, time.monotonic()


def collect(held, wanted):
    """The queries that are answered with a higher index: until all that should be have been, and a little longer for the others."""
    woke, waiting = set(), {answer.socket: (query, answer, index) for query, (answer, index) in held.items()}
    deadline = time.monotonic() + 8
    while True:
        limit = deadline if not wanted <= woke else min(deadline, time.monotonic() + SILENCE)
        ready, _, _ = select.select(list(waiting), [], [], max(0, limit - time.monotonic()))
        if not ready:
            return woke
        for sock in ready:
            query, answer, index = waiting.pop(sock)
            answer.read_head(time.monotonic() + LIMIT)
            if int(answer.headers['x-nomad-index']) > index:
                woke.add(query)
