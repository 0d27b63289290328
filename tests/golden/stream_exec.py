"""The websockets of tests/golden/streams/exec*.json: what was sent is sent again, and every message compared."""
import base64
import hashlib
import json
import os
import re
import struct
import time
import urllib.parse

from replay_api import Mismatch
from stream_player import LIMIT, NotPlayed, SILENCE, harness, task_job
import wire

KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
MIB = b''.join(struct.pack('<I', (number * 2654435761) & 0xffffffff) for number in range(1 << 18))
CLOSE = {'stdin': {'close': True}}
FOREVER = 'while :; do sleep 0.1; done'


def data(content):
    return {'stdin': {'data': base64.b64encode(content).decode()}}


def size(height, width):
    return {'tty_size': {'height': height, 'width': width}}


class Socket:
    """A websocket; `messages` holds what came: ('text', bytes), ('close', code, reason), ('end',)."""

    def __init__(self, player, request):
        headers = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': KEY, **request.get('headers', {})}
        self.answer = wire.open_request(player.address, request['method'], player.fill(request['path']), headers)
        self.answer.read_head(time.monotonic() + LIMIT)
        self.messages = []

    def send(self, message, opcode=1):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | len(body)]) if len(body) < 126 else struct.pack('!BH', 0xfe, len(body)) if len(body) < 65536 else struct.pack('!BQ', 0xff, len(body))
        self.answer.socket.settimeout(LIMIT)
        try:
            self.answer.socket.sendall(head + b'\0\0\0\0' + body)  # a mask of zeros changes nothing
        except OSError:
            pass  # it has ended; what it said last is there to be read

    def take(self, deadline):
        """Reads one message; False when none came in time or nothing will come."""
        while True:
            raw = self.answer.raw
            if len(raw) >= 2:
                length, at = raw[1] & 0x7f, 2
                if length == 126 and len(raw) >= 4:
                    length, at = struct.unpack('!H', raw[2:4])[0], 4
                elif length == 127 and len(raw) >= 10:
                    length, at = struct.unpack('!Q', raw[2:10])[0], 10
                elif length > 125:
                    length = 1 << 60
                if len(raw) >= at + length:
                    opcode, body = raw[0] & 0x0f, raw[at:at + length]
                    self.answer.raw = raw[at + length:]
                    if opcode == 8:
                        self.messages.append(('close', struct.unpack('!H', body[:2])[0], body[2:].decode()))
                        self.send(body[:2], 8)
                        return True
                    if opcode in (1, 2):
                        self.messages.append(('text', json.loads(body)))
                        return True
                    continue
            try:
                if not self.answer.fill(deadline):
                    self.messages.append(('end',))
                    return False
            except TimeoutError:
                return False

    def until(self, done):
        deadline = time.monotonic() + LIMIT
        while not done(self.merged()):
            if self.messages and self.messages[-1][0] != 'text' or not self.take(deadline):
                return

    def merged(self):
        """Neighbouring outputs of a stream as one; the two closes in one order."""
        out = []
        for kind, *rest in self.messages:
            if kind != 'text':
                out.append((kind, *rest))
                continue
            for name in ('stdout', 'stderr'):
                part = rest[0].get(name)
                if part and 'data' in part:
                    content = base64.b64decode(part['data'])
                    if out and out[-1][0] == name:
                        out[-1] = (name, out[-1][1] + content)
                    else:
                        out.append((name, content))
                elif part:
                    out.append((name + ' close',))
            if rest[0].get('exited'):
                out.append(('exited', rest[0]['result'].get('exit_code', 0)))
        closes = [one for one in out if one[0].endswith(' close')]
        return [one for one in out if not one[0].endswith(' close')][:-1] + sorted(closes) + [one for one in out if not one[0].endswith(' close')][-1:] if closes else out


def text_of(messages):
    return b''.join(one[1] for one in messages if one[0] in ('stdout', 'stderr'))


def says(text):
    return lambda messages: text.encode() in text_of(messages)


ANY = lambda messages: True  # noqa: E731
# What the recorder did, as (what must have come, what is sent), where the row's `sent` does not say it.
ACTIONS = {
    'cat: two writes, then close of stdin': [(ANY, data(b'line 1\n')), (says('line 1'), data(b'line 2\n')), (says('line 2'), CLOSE)],
    'cat: data and close in one message': [(ANY, {'stdin': {'data': base64.b64encode(b'both\n').decode(), 'close': True}})],
    'cat after sleep: input sent before it reads': [(ANY, data(b'early\n')), (ANY, CLOSE)],
    'tty: resize to 31x97, then a line': [(says('0 0'), size(31, 97)), (ANY, data(b'go\n'))],
    'tty: size sent at once, read after 0.4 s': [(ANY, size(24, 80))],
    'tty: cat, a line, Ctrl-D': [(ANY, data(b'abc\n')), (says('abc\r\nabc'), data(b'\x04'))],
    'tty: cat, a line, Ctrl-C': [(ANY, data(b'abc\n')), (says('abc\r\nabc'), data(b'\x03'))],
    '1 MiB through cat in 32 KiB messages': [(ANY, data(MIB[at:at + 32768])) for at in range(0, len(MIB), 32768)] + [(ANY, CLOSE)],
    '1 MiB in one message to sha256sum': [(ANY, data(MIB)), (ANY, CLOSE)],
}
AT_ONCE = 'at once: stdin close'
HANDSHAKE = {'ws_handshake with version 2': {'version': 2, 'auth_token': ''}, 'ws_handshake expected, stdin message sent instead': CLOSE,
             'ws_handshake expected, text that is not JSON': b'not json', 'ws_handshake token differs from header token': {'version': 1, 'auth_token': 'other'}}


def wanted_of(row, actions):
    out, mib = [], hashlib.sha256(MIB).hexdigest()
    for frame in row['response']['frames']:
        if frame['op'] == 'close':
            out.append(('close', frame['code'], frame['reason']))
            continue
        message = frame['message']
        for name in ('stdout', 'stderr'):
            part = message.get(name) or {}
            if 'data' in part:
                content = MIB if 'sha256' in frame else frame['text'].encode()
                if actions and actions[0][1] == data(MIB):
                    content = f'{mib}  -\n'.encode()
                out.append((name, content))
            elif part:
                out.append((name + ' close',))
        if message.get('exited'):
            out.append(('exited', message['result'].get('exit_code', 0)))
    last = [one for one in out if one[0] in ('exited', 'close')]
    closes = sorted(one for one in out if one[0].endswith(' close'))
    return [one for one in out if one[0] in ('stdout', 'stderr')] + closes + last


def play(player, row, actions):
    socket = Socket(player, row['request'])
    with socket.answer.socket:
        if socket.answer.status != row['response']['status']:
            raise Mismatch(f'status: expected {row["response"]["status"]}, got {socket.answer.status}')
        for condition, message in actions:
            socket.until(condition)
            socket.send(message)
        wanted = wanted_of(row, actions)
        wanted = [(one[0], one[1], re.escape(player.fill(one[2])) if '<' in one[2] else re.escape(one[2])) if one[0] == 'close' else one for one in wanted]
        socket.until(lambda got: got and got[-1][0] in ('exited', 'close', 'end'))
        got = [one for one in socket.merged() if one[0] != 'end']
        same = len(got) == len(wanted) and all(
            (one[:2] == want[:2] and re.fullmatch(want[2], one[2])) if one[0] == 'close' == want[0] else
            (one[0], re.sub(rb'/dev/pts/\d+', b'/dev/pts/N', one[1])) == want if one[0] in ('stdout', 'stderr') else one == want for one, want in zip(got, wanted))
        if not same:
            raise Mismatch(f'messages: expected {str(wanted)[:400]}, got {str(got)[:400]}')
        if got and got[-1][0] == 'exited' and row['response']['after_frames'] == 'connection closed by server':
            socket.take(time.monotonic() + LIMIT)
            if socket.messages[-1] != ('end',):
                raise Mismatch(f'end: expected none but the connection\'s, got {socket.messages[-1]}')


def start_jobs(player):
    job = task_job('e', FOREVER)
    job['Job']['TaskGroups'][0]['Tasks'][0]['Actions'] = [{'Name': 'hello', 'Command': '/bin/sh', 'Args': ['-c', 'echo from action']}]
    player.saved['alloc'] = player.start('e', job)
    player.saved['done'] = player.start('done', {**task_job('done', 'exit 0', 'batch')}, 'complete')


def play_exec(player, rows):
    start_jobs(player)
    for name, row in rows.items():
        if 'response' not in row or 'frames' not in row['response']:
            yield name, lambda: not_played('more than one connection')
            continue
        actions = ACTIONS.get(name, [(ANY, CLOSE)] if row.get('sent') == [AT_ONCE] else None)
        if actions is None or 'note' in row or 'sleep", "12' in urllib.parse.unquote(row['request']['path']):
            yield name, lambda: not_played('what was sent is not written here')
            continue
        yield name, lambda row=row, actions=actions: play(player, row, actions)


def not_played(why):
    raise NotPlayed(why)


def play_exec_errors(player, rows):
    start_jobs(player)
    for name, row in rows.items():
        if name in HANDSHAKE:
            yield name, lambda row=row, name=name: play(player, row, [(ANY, HANDSHAKE[name])])
        elif 'frames' not in row['response']:
            yield name, lambda row=row: player.whole(row, b'' if row['request']['method'] == 'POST' else None)
        elif not row['response']['frames'] or '<slow>' in row['request']['path'] or 'task=d' in row['request']['path']:
            yield name, lambda: not_played('a state that is not made here')
        else:
            yield name, lambda row=row: play(player, row, [])
