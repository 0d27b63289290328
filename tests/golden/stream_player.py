"""An agent as the recordings of tests/golden/streams had it, and single exchanges with it compared with recorded ones."""
import base64
import json
import os
import re
import sys
import time

import replay_api
import golden_agent
from replay_api import Mismatch
import wire

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'integration'))
import harness  # pylint: disable=wrong-import-position

LIMIT = 20.0     # for what must come
SILENCE = 0.6    # after which something counts as held: a lower bound, never an upper one
NOBODY = '00000000-0000-0000-0000-000000000000'
# Beside run_api's configuration.
EXTRA = 'http_api_response_headers {{\n  "X-Golden" = "yes"\n}}\nlimits {{\n  http_max_conns_per_client = LIMIT\n}}\n'


class NotPlayed(Exception):
    """A value is missing."""


class NotBuilt(Exception):
    """The agent does not know the path."""


class Player:
    """An agent, the values of its session, and one exchange at a time."""

    def __init__(self, agent):
        self.agent = agent
        self.session = replay_api.Session(agent.url)
        self.saved = self.session.saved
        self.saved.update(uuid=NOBODY)
        self.address = (agent.address, agent.http)

    def fill(self, text):
        def value(found):
            name, cut = found.group(1), found.group(2)
            if name not in self.saved:
                raise NotPlayed(f'no value <{name}>')
            return str(self.saved[name])[:int(cut) if cut else None]
        return re.sub(r'<([a-z]\w*)(?::(\d+))?>', value, text)

    def open(self, request, body=None):
        return wire.open_request(self.address, request['method'], self.fill(request['path']), request.get('headers'), body,
                                 'HTTP/1.0' if request.get('proto') == 'HTTP/1.0' else 'HTTP/1.1')

    def match_head(self, expected, answer):
        if answer.status != expected['status']:
            if answer.status == 404 and 'content-type' not in answer.headers:
                raise NotBuilt
            raise Mismatch(f'status: expected {expected["status"]}, got {answer.status} {answer.raw[:200]!r}')
        for name, value in expected['headers'].items():
            if name in ('Transfer-Encoding', 'Connection') or value == '<n>':
                continue
            if name.lower() not in answer.headers:
                if answer.status == 404 and 'content-type' not in answer.headers:
                    raise NotBuilt
                raise Mismatch(f'header {name}: missing')
            self.session.match_text(value, answer.headers[name.lower()], f'header {name}')
        for name in ('content-encoding', 'x-nomad-index', 'access-control-allow-origin', 'content-security-policy', 'cache-control'):
            if name in answer.headers and name not in {one.lower() for one in expected['headers']}:
                raise Mismatch(f'header {name}: not expected')
        if answer.framing != expected['framing']:
            raise Mismatch(f'framing: expected {expected["framing"]}, got {answer.framing}')

    def match_body(self, expected, body):
        if isinstance(expected, str) and not expected.startswith('<'):
            self.session.match_text(expected, body.decode('utf-8', 'replace'), 'body')
        elif isinstance(expected, str):
            return
        else:
            try:
                self.session.match(expected, json.loads(body))
            except ValueError:
                raise Mismatch(f'body: expected JSON, got {body[:120]!r}') from None

    def whole(self, row, body=None):
        """An exchange whose body ends by itself."""
        expected = row['response']
        answer = self.open(row['request'], body)
        with answer.socket:
            deadline = time.monotonic() + LIMIT
            answer.read_head(deadline)
            self.match_head(expected, answer)
            answer.read_all(deadline)
        if answer.ended != expected['ended']:
            raise Mismatch(f'end: expected {expected["ended"]}, got {answer.ended}')
        if 'body' in expected:
            self.match_body(expected['body'], answer.body)
        elif 'raw' in row:
            self.match_body(row['raw'], answer.body)
        if 'frames' in expected:
            compare_frames(expected['frames'], wire.split_objects(answer.body.decode())[0])
        for name in ('X-Golden',):
            if 'other_headers' in expected and (name in expected['other_headers']) != (name.lower() in answer.headers):
                raise Mismatch(f'header {name}: {"missing" if name in expected["other_headers"] else "not expected"}')
        if 'ends_with_newline' in expected and answer.body and expected['ends_with_newline'] != answer.body.endswith(b'\n'):
            raise Mismatch(f'body: ends with {answer.body[-20:]!r}')
        return answer

    def frames(self, row, actions=()):
        """A body of frames: after each run of data the next action is done. It is left open when the recorder left it."""
        expected = row['response']
        wanted = recorded_frames(expected['frames'])
        heartbeat = any(not frame for frame in plain_frames(expected['frames']))
        answer, got, text, beats, waiting = self.open(row['request']), [], '', 0, list(actions)
        with answer.socket:
            deadline = time.monotonic() + LIMIT
            answer.read_head(deadline)
            self.match_head(expected, answer)
            while not answer.ended:
                complete = merged(got) == wanted
                if expected['ended'] in ('stopped', 'timeout') and complete and not waiting and (beats or not heartbeat):
                    break
                if waiting and waiting[0][0](merged(got), beats):
                    waiting.pop(0)[1]()
                try:
                    data = answer.read_some(min(deadline, time.monotonic() + 0.1))
                except TimeoutError:
                    if time.monotonic() > deadline:
                        raise Mismatch(f'frames: expected {wanted}, got {merged(got)}') from None
                    continue
                objects, text = wire.split_objects(text + data.decode())
                beats += sum(not one for one in objects)
                got += [one for one in objects if one]
        ended = answer.ended or expected['ended']
        if ended != expected['ended']:
            raise Mismatch(f'end: expected {expected["ended"]}, got {ended}')
        if merged(got) != wanted:
            raise Mismatch(f'frames: expected {wanted}, got {merged(got)}')
        if not heartbeat and beats:
            raise Mismatch('frames: heartbeats were not expected')

    def plain(self, row, actions=()):
        """A body of text that goes on."""
        expected, answer, got = row['response'], self.open(row['request']), b''
        wanted, waiting = expected['body'].encode(), list(actions)
        with answer.socket:
            deadline = time.monotonic() + LIMIT
            answer.read_head(deadline)
            self.match_head(expected, answer)
            while not answer.ended and (len(got) < len(wanted) or waiting):
                if waiting and waiting[0][0](got, 0):
                    waiting.pop(0)[1]()
                try:
                    got += answer.read_some(min(deadline, time.monotonic() + 0.1))
                except TimeoutError:
                    if time.monotonic() > deadline:
                        break
            if got != wanted:
                raise Mismatch(f'body: expected {wanted!r}, got {got!r}')
            try:
                more = answer.read_some(time.monotonic() + SILENCE)
                raise Mismatch(f'body: goes on with {more!r}, {answer.ended}')
            except TimeoutError:
                pass


def plain_frames(frames):
    frames = frames.get('frames_of_one_run', []) if isinstance(frames, dict) else frames
    return [entry['frame'] for entry in frames]


def recorded_frames(frames):
    out = []
    for frame in plain_frames(frames):
        if frame:
            frame = dict(frame)
            frame['text'] = frame.pop('data_text', '')
            out.append(frame)
    return join(out)


def merged(frames):
    return join([{**{key: value for key, value in frame.items() if key != 'Data'}, 'text': base64.b64decode(frame.get('Data', '')).decode()}
                 for frame in frames])


def join(frames):
    """How data is cut into frames is a matter of time: neighbours of one file become one. A truncation may be told twice."""
    out = []
    for frame in frames:
        last = out[-1] if out else None
        if last and last.get('File') == frame.get('File') and 'FileEvent' not in frame and ('FileEvent' not in last or last['text']):
            last['text'] += frame['text']
            last['Offset'] = frame['Offset']
        elif last != frame:
            out.append(dict(frame))
    return out


def compare_frames(expected, frames):
    wanted, got = recorded_frames(expected), merged([frame for frame in frames if frame])
    if wanted != got:
        raise Mismatch(f'frames: expected {wanted}, got {got}')


# --- the recording's agent and jobs -------------------------------------------------------------------------------------------

# A script is moved away before it runs: what it writes may make the player leave the next one.
CONTROLLED = 'cd $NOMAD_ALLOC_DIR; while :; do if [ -e do ]; then mv do doing; . ./doing; fi; sleep 0.02; done'
FIRST_WORDS = 'echo alpha; echo beta; echo gamma; echo err1 >&2; echo err2 >&2; '


def task_job(name, script, kind='service', driver='raw_exec', config=None, logs=None):
    task = {'Name': 'main', 'Driver': driver, 'Config': config or {'command': '/bin/sh', 'args': ['-c', script]},
            'Resources': {'CPU': 20, 'MemoryMB': 16}}
    if logs:
        task['LogConfig'] = logs
    return {'Job': {'ID': name, 'Name': name, 'Type': kind, 'Datacenters': ['dc1'],
                    'TaskGroups': [{'Name': 'g', 'Count': 1, 'RestartPolicy': {'Attempts': 0, 'Mode': 'fail'}, 'Tasks': [task]}]}}


class Fixture(Player):
    """The jobs that the recordings of files and logs speak of."""

    def start(self, name, job, state='running'):
        self.agent.call('PUT', '/v1/jobs', job)
        alloc = self.agent.wait_alloc(name, state)
        self.saved[name] = alloc['ID']
        return alloc['ID']

    def directory(self, name):
        return os.path.join(self.agent.data, 'alloc', self.saved[name], 'alloc')

    def data(self, name):
        return os.path.join(self.directory('ctl'), 'data', name)

    def write(self, name, text, mode='w'):
        with open(self.data(name), mode, encoding='utf-8') as file:
            file.write(text)

    def tell(self, name, script):
        """Lets the controlled task run a line of shell."""
        place = os.path.join(self.directory(name), 'do')
        with open(place + '.new', 'w', encoding='utf-8') as file:
            file.write(script + '\n')
        os.rename(place + '.new', place)

    def wait_log(self, name, text, kind='stdout'):
        harness.until(f'the output of {name}', lambda: self.agent.logs(self.saved[name], 'main', kind) == text)


def start_ctl(player):
    player.start('ctl', task_job('ctl', FIRST_WORDS + CONTROLLED))
    player.wait_log('ctl', 'alpha\nbeta\ngamma\n')
    player.wait_log('ctl', 'err1\nerr2\n', 'stderr')


class Agents:
    """A fresh agent in a sandbox of its own."""

    def __init__(self, connections=100):
        self.sandbox = harness.Sandbox()
        try:
            agent = golden_agent.start_agent(self.sandbox, EXTRA.replace('LIMIT', str(connections)))
            self.player = Fixture(agent)
        except BaseException:
            self.sandbox.destroy()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sandbox.destroy()
