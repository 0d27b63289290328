#!/usr/bin/env python3
"""Our agent with a driver that answers as the recorder's did (plugin-host/): what it asks the driver, and what users see of it.

The driver is the SDK's chaos plugin, told before each case what to answer. Compared are the calls of a task in their order, with their
bytes where they name nothing but the task, and what the HTTP API says afterwards. What the contract calls better is in
plugin-host/known_differences.txt, with the reason. BUILD names the build directory. Exit status: 0, 77 when the machine cannot run it, 1
when a row that agreed no longer does."""
import glob
import json
import os
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'integration'))
import harness  # pylint: disable=wrong-import-position

CONFIG = '''
name = "golden-host"
bind_addr = "127.0.0.1"
data_dir = "{data}"
plugin_dir = "{plugins}"
log_level = "DEBUG"
ports {{
  http = {http}
  rpc = {rpc}
  serf = {serf}
}}
client {{
  enabled = true
  cpu_total_compute = 8000
  network_interface = "lo"
  options {{
    "driver.allowlist" = "probe"
  }}
}}
plugin "probe" {{ args = ["{behaviour}"] }}
'''

# field -> (number, kind) of the few messages that are made here; the protocol's tables have them all.
ATTRIBUTE = {'float_val': (1, 'double'), 'int_val': (2, 'int'), 'string_val': (3, 'text'), 'bool_val': (4, 'int'), 'unit': (5, 'text')}
RESULT = {'exit_code': (1, 'int'), 'signal': (2, 'int'), 'oom_killed': (3, 'int')}
MESSAGES = {
    'Fingerprint': {'attributes': (1, {'key': (1, 'text'), 'value': (2, ATTRIBUTE)}), 'health': (2, ['UNDETECTED', 'UNHEALTHY', 'HEALTHY']),
                    'health_description': (3, 'text'), 'err': (4, 'text')},
    'TaskEvents': {'task_id': (1, 'text'), 'alloc_id': (2, 'text'), 'task_name': (3, 'text'), 'timestamp': (4, {'seconds': (1, 'int'), 'nanos': (2, 'int')}),
                   'message': (5, 'text'), 'annotations': (6, {'key': (1, 'text'), 'value': (2, 'text')})},
    'WaitTask': {'result': (1, RESULT), 'err': (2, 'text')},
    'StartTask': {'result': (1, ['SUCCESS', 'RETRY', 'FATAL']), 'driver_error_msg': (2, 'text')},
}
ONEOF = ('float_val', 'int_val', 'string_val', 'bool_val')


def varint(value):
    value &= (1 << 64) - 1
    out = b''
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def encode(fields, value):
    out = b''
    for name, (number, kind) in fields.items():
        if name not in value:
            continue
        given = value[name]
        if isinstance(kind, dict):
            entries = [{'key': k, 'value': v} for k, v in given.items()] if 'key' in kind else [given]
            for entry in entries:
                data = encode(kind, entry)
                out += varint(number << 3 | 2) + varint(len(data)) + data
        elif kind == 'text':
            data = given.encode()
            out += varint(number << 3 | 2) + varint(len(data)) + data if data or name in ONEOF else b''
        elif kind == 'double':
            out += varint(number << 3 | 1) + struct.pack('<d', given)
        else:
            number_of = kind.index(given) if isinstance(kind, list) else int(given)
            out += varint(number << 3) + varint(number_of) if number_of or name in ONEOF else b''
    return out


class Replay:
    def __init__(self, sandbox):
        plugins = os.path.join(sandbox.directory, 'plugins')
        os.mkdir(plugins)
        self.behaviour = os.path.join(sandbox.directory, 'behaviour.json')
        self.calls = os.path.join(sandbox.directory, 'calls')
        self.behave({})
        harness.shutil.copy2(os.path.join(harness.BUILD, 'sdk/testkit/drover-chaos-plugin'), os.path.join(plugins, 'probe'))
        self.push('fingerprint', encode(MESSAGES['Fingerprint'], {'attributes': {'driver.probe.version': {'string_val': '1.0.0'}}, 'health': 'HEALTHY', 'health_description': 'Healthy'}).hex())
        text = CONFIG.replace('{plugins}', plugins).replace('{behaviour}', self.behaviour)
        self.agent = sandbox.agent(name='golden', dev=True, base=text).start(drivers=('probe',))
        self.agreed, self.failed, self.recorded = {}, {}, {}

    def behave(self, calls):
        for path in glob.glob(self.behaviour + '.*.times'):
            os.unlink(path)
        with open(self.behaviour + '~', 'w', encoding='utf-8') as file:
            json.dump({'name': 'probe', 'scripted': 1, 'record': self.calls, 'calls': calls}, file)
        os.rename(self.behaviour + '~', self.behaviour)

    def push(self, stream, line):
        with open(f'{self.behaviour}.{stream}', 'a', encoding='utf-8') as file:
            file.write(line + '\n')

    def report(self, topic, name, difference):
        self.recorded[topic] = self.recorded.get(topic, 0) + 1
        (self.failed if difference else self.agreed).setdefault(topic, {})[name] = difference

    def rows(self, file):
        with open(os.path.join(FOLDER, file), encoding='utf-8') as text:
            return json.load(text)['rows']

    # What the plugin was asked since `since`, of one task.

    def asked(self, since):
        out = []
        with open(self.calls, encoding='utf-8') as file:
            for line in list(file)[since:]:
                call = json.loads(line)
                if call['o'] == 'call' and call['rpc'] in ('StartTask', 'WaitTask', 'StopTask', 'DestroyTask', 'SignalTask', 'RecoverTask'):
                    out.append(call)
        return out

    def count(self):
        try:
            with open(self.calls, encoding='utf-8') as file:
                return len(list(file))
        except FileNotFoundError:
            return 0


FOLDER = os.path.join(os.environ.get('GOLDEN_DIR') or HERE, 'plugin-host')


def without_id(hexed):
    """The bytes of a request with the task's id taken out: identifiers differ, what stands around them does not."""
    data = bytes.fromhex(hexed)
    return (data[2 + data[1]:] if data[:1] == b'\n' and len(data) > 1 else data).hex()


def cases(rows):
    out = []
    for row in rows:
        if str(row.get('note', '')).startswith('CASE'):
            out.append([row])
        elif out:
            out[-1].append(row)
    return out


def plain_config(config):
    """The recorder's driver runs for `life` seconds, or until it is stopped."""
    life = config.get('life')
    return {'run_for': f'{life}s' if life else '1h', 'exit_code': config.get('code', 0)}


def faults_of(case, config):
    """What to make the driver answer: the recorded answers, unless its tasks end so by themselves."""
    out = {}
    starts = [row['answer'] for row in case if row.get('rpc') == 'StartTask' and row.get('o') == 'call']
    waits = [row['answer'] for row in case if row.get('rpc') == 'WaitTask' and row.get('o') == 'call']
    if starts and 'error' in starts[0]:
        out['StartTask'] = {'do': 'recoverable' if starts[0].get('recoverable') else 'error', 'text': starts[0]['error']}
        if len(starts) > 1 and 'error' not in starts[1]:
            out['StartTask']['times'] = 1
    elif starts and 'handle' in starts[0]['resp'].get('(absent)', []):
        out['StartTask'] = {'do': 'answer', 'hex': encode(MESSAGES['StartTask'], starts[0]['resp']).hex()}
    if waits and 'error' in waits[0]:
        out['WaitTask'] = {'do': 'error', 'text': waits[0]['error']}
    elif waits and not config.get('life') and waits[0]['resp'].get('result', {}).get('exit_code') != 143:
        answer = {key: value for key, value in waits[0]['resp'].items() if key != '(absent)'}
        out['WaitTask'] = {'do': 'answer', 'hex': encode(MESSAGES['WaitTask'], answer).hex()}
    return out


def shown(events):
    out = []
    for event in events or []:
        text = event.get('DisplayMessage', '')
        text = text['varies'][0] if isinstance(text, dict) else text
        out.append('Task restarting in' if text.startswith('Task restarting in') else text)
    return out


# Cases whose plugin does what the chaos plugin cannot be told to.
NOT_PLAYED = {'slow', 'stopstart', 'net', 'nospec'}


def exits(replay):
    topic = 'plugin-host-exits'
    for case in cases(replay.rows('05a-exits.json')):
        job = next((row for row in case if row.get('note') == 'job submitted'), None)
        states = next((row for row in case if row.get('api') == 'task states'), None)
        if not job or not states or job['id'] in NOT_PLAYED:
            continue
        name = job['id']
        group = job['job']['TaskGroups'][0]
        config = group['Tasks'][0]['Config']
        replay.behave(faults_of(case, config))
        group['Tasks'][0]['Config'] = plain_config(config)
        since = replay.count()
        replay.agent.call('PUT', '/v1/jobs', {'Job': {'ID': name, 'Name': name, 'Datacenters': ['*'], **job['job']}})
        wanted = states['body']
        alloc = {}

        def reached():
            nonlocal alloc
            listed = replay.agent.get(f'/v1/job/{name}/allocations')  # pylint: disable=cell-var-from-loop
            alloc = replay.agent.get(f'/v1/allocation/{listed[0]["ID"]}') if listed else {}
            return alloc.get('ClientStatus') == wanted['ClientStatus'] and bool(alloc.get('TaskStates'))  # pylint: disable=cell-var-from-loop
        try:
            harness.until(f'{name} to be {wanted["ClientStatus"]}', reached, 12, 0.05)
        except harness.Failure:
            pass
        mine = (alloc.get('TaskStates') or {}).get(group['Name'], {})
        theirs = wanted['TaskStates'][group['Name']]
        difference = ''
        if alloc.get('ClientStatus') != wanted['ClientStatus']:
            difference = f'status {alloc.get("ClientStatus")}, want {wanted["ClientStatus"]}; '
        if shown(mine.get('Events')) != shown(theirs['Events']):
            difference += f'events {shown(mine.get("Events"))}, want {shown(theirs["Events"])}'
        replay.report(topic, name + '-states', difference)
        replay.agent.call('DELETE', f'/v1/job/{name}?purge=true')
        want = [(row['rpc'], without_id(row['wire']['hex']) if 'wire' in row and row['rpc'] != 'StartTask' else '') for row in case
                if row.get('o') == 'call' and row.get('rpc') in ('StartTask', 'WaitTask', 'StopTask', 'DestroyTask')]
        got = []

        def asked():
            nonlocal got
            got = [(call['rpc'], '' if call['rpc'] == 'StartTask' else without_id(call['hex'])) for call in replay.asked(since)]  # pylint: disable=cell-var-from-loop
            return len(got) >= len(want)  # pylint: disable=cell-var-from-loop
        try:
            harness.until('the last calls', asked, 5, 0.05)
        except harness.Failure:
            pass
        # WaitTask and StopTask overlap: their order is nobody's promise.
        replay.report(topic, name + '-calls', '' if sorted(got) == sorted(want) else f'calls {got}, want {want}')
    replay.behave({})


def driver_of(node, names):
    mine = dict((node.get('Drivers') or {}).get('probe') or {})
    mine.pop('UpdateTime', None)
    return {'driver': mine, 'attributes': {key: value for key, value in (node.get('Attributes') or {}).items() if key.startswith('driver.probe') or key in names}}


def fingerprints(replay):
    topic = 'plugin-host-fingerprints'
    number = 0
    node_id = replay.agent.get('/v1/nodes')[0]['ID']
    for row in replay.rows('06-fingerprint.json'):
        if row.get('rpc') == 'Fingerprint' and row.get('o') == 'plugin sends':
            # What the recorder's driver sends on opening is sent by the script as well.
            replay.push('fingerprint', encode(MESSAGES['Fingerprint'], row['msg']).hex())
        elif row.get('o') == 'probe':
            replay.push('fingerprint', 'end' if 'closes' in row['did'] else 'error ' + row['error'])
        elif row.get('api') == 'node':
            number += 1
            body = row['body']
            mine = body['Drivers']['probe']
            mine['Attributes'] = mine['Attributes'] or {}
            # What a driver no longer says stays on the recorded node for ever; here it goes (better).
            said = {key: value for key, value in body['driver attributes'].items() if key in mine['Attributes'] or key == 'driver.probe'}
            want = {'driver': mine, 'attributes': said}
            seen = {}

            def agrees():
                nonlocal seen
                seen = driver_of(replay.agent.get(f'/v1/node/{node_id}'), {'noprefix'})
                return seen == want  # pylint: disable=cell-var-from-loop
            try:
                harness.until('the node to say so', agrees, 6, 0.05)
                difference = ''
            except harness.Failure:
                difference = f'{json.dumps(seen)}, want {json.dumps(want)}'
            replay.report(topic, f'fingerprint-{number}', difference)


def driver_events(alloc, task):
    return [{key: event.get(key) for key in ('DisplayMessage', 'DriverMessage', 'Details') if event.get(key)} for event in
            ((alloc.get('TaskStates') or {}).get(task) or {}).get('Events') or [] if event['Type'] == 'Driver']


def events(replay):
    topic = 'plugin-host-events'
    rows = replay.rows('07-task-events.json')
    job = next(row for row in rows if row.get('note') == 'job submitted')
    job['job']['TaskGroups'][0]['Tasks'][0]['Config'] = {'run_for': '1h'}
    replay.agent.call('PUT', '/v1/jobs', {'Job': {'ID': 'evt', 'Name': 'evt', 'Datacenters': ['*'], **job['job']}})
    alloc = replay.agent.wait_alloc('evt', 'running')
    number = 0
    for row in rows:
        if row.get('rpc') == 'TaskEvents' and row.get('o') == 'plugin sends':
            message = json.loads(json.dumps(row['msg']).replace('<alloc evt>', alloc['ID']).replace('<start8>', '01234567'))
            if message.get('timestamp') == '<time>':
                message['timestamp'] = {'seconds': int(time.time())}
            replay.push('events', encode(MESSAGES['TaskEvents'], message).hex())
        elif row.get('o') == 'probe' and row.get('rpc') == 'events':
            replay.push('events', 'end' if 'closes' in row['did'] else 'error ' + row['error'])
        elif row.get('api') in ('after the events', 'task states'):
            number += 1
            want = driver_events(row['body'], 'evt')
            seen = []

            def agrees():
                nonlocal seen
                seen = driver_events(replay.agent.get(f'/v1/allocation/{alloc["ID"]}'), 'evt')
                return seen == want  # pylint: disable=cell-var-from-loop
            try:
                harness.until('the allocation to say so', agrees, 12, 0.05)
                difference = ''
            except harness.Failure:
                difference = f'{seen}, want {want}'
            replay.report(topic, f'events-{number}', difference)
        elif row.get('note') == 'job stopped':
            replay.agent.call('DELETE', '/v1/job/evt')
            replay.agent.wait_alloc('evt', 'complete')


def known_differences():
    try:
        with open(os.path.join(HERE, 'plugin-host', 'known_differences.txt'), encoding='utf-8') as file:
            return {line.split()[0] for line in file if line.strip() and not line.startswith('#')}
    except FileNotFoundError:
        return set()


def main():
    if not os.path.isdir(FOLDER):
        print(f'plugin-host: nothing recorded in {FOLDER}')
        return 77
    if os.geteuid() != 0:
        print('plugin-host: needs root')
        return 77
    harness.become_reaper()
    sandbox = harness.Sandbox()
    known, status = known_differences(), 0
    try:
        replay = Replay(sandbox)
        for part in (exits, events, fingerprints):
            part(replay)
        for topic, count in replay.recorded.items():
            agreed, failed = replay.agreed.get(topic, {}), replay.failed.get(topic, {})
            print(f'{topic}: {len(agreed)} of {count} rows agree', flush=True)
            news = {name: text for name, text in failed.items() if name not in known}
            for name, text in (failed if os.environ.get('DROVER_GOLDEN_VERBOSE') else news).items():
                print(f'  {name}: {text}')
            better = sorted(name for name in agreed if name in known)
            if better:
                print(f'  agree now, take them off known_differences.txt: {better}')
            if news or better:
                print(f'  {len(news)} rows no longer agree')
                status = 1
        if replay.agent.process.poll() is not None:
            print(f'the agent ended with status {replay.agent.process.returncode}:\n{replay.agent.log_tail()}')
            status = 1
        return status
    finally:
        sandbox.destroy()


if __name__ == '__main__':
    sys.exit(main())
