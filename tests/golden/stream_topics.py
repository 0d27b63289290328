"""The scenarios of tests/golden/streams, one generator a topic: it yields the name of a row and what plays it."""
import base64
import concurrent.futures
import json
import os
import re
import signal
import time

from replay_api import Mismatch
from stream_player import CONTROLLED, FIRST_WORDS, LIMIT, SILENCE, Agents, harness, start_ctl, task_job
import stream_cluster
import stream_exec
import wire

def has_text(count):
    """An action's condition: so many runs of data have come, and a heartbeat after them."""
    return lambda got, beats: len(got) >= count and beats > 0


def contains(text):
    return lambda got, beats: any(text in frame['text'] for frame in got) if isinstance(got, list) else text.encode() in got


def play_fs_logs(player, rows):
    start_ctl(player)
    player.start('dead', task_job('dead', 'echo one; echo two >&2', 'batch'), 'complete')
    player.start('short', task_job('short', f'while [ ! -e $NOMAD_ALLOC_DIR/go ]; do sleep 0.02; done; echo last words', 'batch'))
    player.start('rot', task_job('rot', CONTROLLED, logs={'MaxFiles': 2, 'MaxFileSizeMB': 1}))

    def go():
        with open(os.path.join(player.directory('short'), 'go'), 'wb'):
            pass
    grown = [(contains('gamma'), lambda: player.tell('ctl', 'echo grow1')),
             (contains('grow1'), lambda: player.tell('ctl', 'echo grow2; echo grow3'))]
    growth = [name for name in rows if name.startswith('logs follow: growth')]
    played = set(growth)
    for name in rows:
        row = rows[name]
        if name in played and name != growth[0]:
            continue
        if name == growth[0]:
            yield from together({one: (player.plain if 'plain' in one else player.frames, rows[one], grown if one == name else ()) for one in growth})
        elif name == 'logs follow: task ends at about 1 s':
            yield name, lambda row=row: player.frames(row, [(lambda got, beats: beats > 0, go)])
        elif 'rotation' in name:
            yield name, lambda row=row: ROTATION[row['name'].split(':')[0]](player, row)
        elif 'is deleted at' in name:
            place = os.path.join(player.directory('ctl'), 'logs', 'main.stderr.0')
            yield name, lambda row=row, place=place: player.frames(row, [(contains('err2'), lambda: os.unlink(place))])
        elif name == 'logs follow: the job is stopped at 0.5 s':
            yield name, lambda row=row: player.frames(row, [(contains('grow3'), lambda: player.agent.call('DELETE', '/v1/job/ctl'))])
        elif 'agent is stopped' in name:
            yield name, lambda row=row: stop_agent(player, row)
        elif row['response']['ended'] == 'eof-clean':
            yield name, lambda row=row: player.whole(row)
        elif 'body' in row['response']:
            yield name, lambda row=row: player.plain(row)
        else:
            yield name, lambda row=row: player.frames(row)


WRITTEN = ''.join(f'{number:08d}' + 'x' * 4087 + '\n' for number in range(650))


def write_rotating(player):
    source = os.path.join(player.directory('rot'), 'source')
    with open(source, 'w', encoding='ascii') as file:
        file.write(WRITTEN)
    # In pieces, since the reader must see each file before it goes.
    player.tell('rot', f'i=0; while [ $i -lt 13 ]; do dd if={source} bs=204800 skip=$i count=1 2>/dev/null; i=$((i+1)); sleep 0.1; done')


def follow_rotation(player, row):
    expected, answer = row['response'], player.open(row['request'])
    files, text, data, largest = [], '', [], 0
    with answer.socket:
        deadline = time.monotonic() + LIMIT
        answer.read_head(deadline)
        player.match_head(expected, answer)
        write_rotating(player)
        while sum(map(len, data)) < row['data_bytes'] and not answer.ended:
            objects, text = wire.split_objects(text + answer.read_some(deadline).decode())
            for one in filter(None, objects):
                if one.get('FileEvent'):
                    raise Mismatch(f'event {one["FileEvent"]} in {one["File"]}')
                data.append(base64.b64decode(one['Data']))
                largest = max(largest, len(data[-1]))
                if one['File'] not in files:
                    files.append(one['File'])
    if files != row['files_in_order'] or largest > row['largest_frame'] or b''.join(data).decode() != WRITTEN:
        raise Mismatch(f'files {files}, largest frame {largest}, {sum(map(len, data))} bytes')


def list_rotated(player, row):
    names = sorted(one['Name'] for one in player.agent.get(player.fill('/v1/client/fs/ls/<rot>?path=alloc/logs')))
    if names != row['names']:
        raise Mismatch(f'expected {row["names"]}, got {names}')


def read_rotated(player, row):
    answer = player.open(row['request'])
    with answer.socket:
        deadline = time.monotonic() + LIMIT
        answer.read_head(deadline)
        player.match_head(row['response'], answer)
        body = answer.read_all(deadline)
    if 'bytes' in row:
        if len(body) != row['bytes'] or not WRITTEN.endswith(body.decode()):
            raise Mismatch(f'{len(body)} bytes')
        return
    files = list(dict.fromkeys(one['File'] for one in wire.split_objects(body.decode())[0] if one))
    if files != row['joined_files']:
        raise Mismatch(f'files: expected {row["joined_files"]}, got {files}')


ROTATION = {'logs follow': follow_rotation, 'after the rotation': list_rotated, 'logs after rotation': read_rotated}


def stop_agent(player, row):
    answer = player.open(row['request'])
    with answer.socket:
        deadline = time.monotonic() + LIMIT
        answer.read_head(deadline)
        player.match_head(row['response'], answer)
        answer.read_some(deadline)
        player.agent.stop()
        answer.read_all(deadline)
    if answer.ended != row['response']['ended']:
        raise Mismatch(f'end: expected {row["response"]["ended"]}, got {answer.ended}')


def together(rows):
    """Rows that do not disturb each other, played at the same time."""
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        jobs = {name: pool.submit(*call) for name, call in rows.items()}
        for name, job in jobs.items():
            yield name, job.result


def play_fs_stream(player, rows):
    start_ctl(player)
    player.write('f.txt', '0123456789\n')
    player.write('t.txt', 'plain text\n')
    player.write('t.html', '<html><body>x</body></html>')
    player.write('t.json', '{"a":1}')
    player.write('big', ''.join(f'{number:09d}\n' for number in range(20000)))
    player.write('empty', '')
    grown = ['stream: origin end, growth at 1.2 s and 2.7 s', 'stream: the same with a leading slash, second client']
    beat = lambda got, beats: beats > 0
    for name, row in rows.items():
        if name == grown[0]:
            actions = [(beat, lambda: player.write('f.txt', 'more\n', 'a')), (contains('more'), lambda: player.write('f.txt', 'and more\n', 'a'))]
            yield from together({one: (player.frames, rows[one], actions if one == name else ()) for one in grown})
        elif name == grown[1]:
            continue
        elif name.startswith('stream: truncated at'):
            yield name, lambda row=row: player.frames(row, [
                (beat, lambda: player.write('f.txt', '')),
                (lambda got, beats: got[-1].get('FileEvent'), lambda: player.write('f.txt', 'fresh\n', 'a'))])
        elif name.startswith('stream: truncated and'):
            yield name, lambda row=row: player.frames(row, [(beat, lambda: player.write('f.txt', 'Q\n'))])
        elif name.startswith('stream: deleted'):
            yield name, lambda row=row: player.frames(row, [(beat, lambda: os.unlink(player.data('f.txt')))])
        elif name == 'stream: 200000 bytes, follow=false':
            yield name, lambda row=row: big_frames(player, row)
        elif row['response']['ended'] == 'eof-clean':
            yield name, lambda row=row: player.whole(row)
        else:
            yield name, lambda row=row: player.frames(row)


def big_frames(player, row):
    answer = player.whole({**row, 'response': {key: value for key, value in row['response'].items() if key != 'frames'}})
    got = [[one['Offset'], len(base64.b64decode(one['Data']))] for one in wire.split_objects(answer.body.decode())[0] if one]
    # The recorded offset of the short frame is a quirk that is not followed (http-api 3.2).
    if [size for _, size in got] != [size for _, size in row['frames_lengths']] or got[-1][0] != 200000:
        raise Mismatch(f'expected {row["frames_lengths"]}, got {got}')


def play_fs_errors(player, rows):
    start_ctl(player)
    player.write('big', 'x' * 100)
    player.start('slow', task_job('slow', '', driver='mock_driver', config={'start_block_for': '1h', 'run_for': '1h'}), 'pending')
    for name, row in rows.items():
        yield name, lambda row=row: player.whole(row)


BODIES = {'PUT /v1/validate/job with a body of about (\\d+) MB': lambda mega: json.dumps(
    {'Job': {**task_job('j', '')['Job'], 'Meta': {'x': 'a' * (int(mega) * 1_000_000)}}}).encode(),
    'PUT /v1/jobs/parse with (3) MB of comment': lambda mega: json.dumps({'JobHCL': '# ' + 'a' * 3_000_000 + '\n'}).encode()}


def play_http_framing(player, rows):
    player.saved['alloc'] = player.start('ctl', task_job('ctl', FIRST_WORDS + CONTROLLED))
    player.saved['node'] = player.agent.get('/v1/nodes')[0]['ID']
    player.wait_log('ctl', 'alpha\nbeta\ngamma\n')
    raw = {name: row for name, row in rows.items() if 'sent' in row and row['sent'] != '<varies>'}
    yield from together({name: (raw_exchange, player, row) for name, row in raw.items()})
    for name, row in rows.items():
        made = next((make(re.match(pattern, name).group(1)) for pattern, make in BODIES.items() if re.match(pattern, name)), None)
        if 'request' in row and (made or 'body_bytes' not in row['request']):
            yield name, lambda row=row, made=made: player.whole(row, made)
        elif name.startswith('http_max_conns_per_client'):
            yield name, lambda row=row: too_many_connections(row)


def raw_exchange(player, row):
    sent = row['sent']
    if row['name'].startswith('ten requests pipelined'):
        paths = ['/v1/job/none' if '404' in line else '/v1/regions' for line in row['status_lines']]
        sent = ''.join(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n' for path in paths)
    for pattern, size in (('header of 900 kB', 900_000), ('header of 1.2 MB', 1_200_000)):
        if row['name'] == pattern:
            sent = 'GET /v1/regions HTTP/1.1\r\nHost: x\r\nX-A: ' + 'a' * size + '\r\n\r\n'
    if row['name'] == 'request line of 60 kB':
        sent = 'GET /v1/regions?x=' + 'a' * 60_000 + ' HTTP/1.1\r\nHost: x\r\n\r\n'
    sock = wire.socket.create_connection(player.address, timeout=LIMIT)
    with sock:
        try:
            sock.sendall(sent.encode('latin-1'))
        except (BrokenPipeError, ConnectionResetError):
            pass
        deadline, raw, lines, bodies, connection = time.monotonic() + LIMIT, b'', [], [], []
        while len(lines) < len(row['status_lines']):
            answer = wire.Answer(sock)
            answer.raw = raw
            if raw.startswith(b'HTTP/1.1 100 '):
                head, raw = raw.split(b'\r\n\r\n', 1)
                lines.append(head.decode())
                continue
            while b'\r\n\r\n' not in answer.raw and answer.fill(deadline):
                pass
            if answer.raw.startswith(b'HTTP/1.1 100 '):
                raw = answer.raw
                continue
            if not answer.read_head(deadline):
                break
            answer.read_all(deadline)
            lines.append(answer.line)
            if lines[-1] != row['status_lines'][len(lines) - 1]:
                break
            bodies.append(answer.body.decode())
            connection += [answer.headers['connection']] if 'connection' in answer.headers else []
            raw = answer.raw
        if lines != row['status_lines']:
            raise Mismatch(f'status lines: expected {row["status_lines"]}, got {lines}')
        if connection != row['connection_headers']:
            raise Mismatch(f'Connection: expected {row["connection_headers"]}, got {connection}')
        if 'body' in row:
            player.match_body(row['body'], bodies[-1].encode() if bodies else b'')
        stays = row['connection'].startswith('open')
        try:
            sock.settimeout(SILENCE if stays else LIMIT)
            while sock.recv(1 << 16):
                pass
            closed = True
        except TimeoutError:
            closed = False
        except ConnectionResetError:
            closed = True
        if closed == stays:
            raise Mismatch(f'connection: expected {row["connection"]}, got {"closed" if closed else "open"}')


def too_many_connections(row):
    with Agents(6) as agents:
        address = (agents.player.agent.address, agents.player.agent.http)
        kept = []
        for _ in range(row['answered']):
            answer = wire.open_request(address, 'GET', '/v1/regions')
            answer.read_head(time.monotonic() + LIMIT)
            kept.append(answer)
        with wire.socket.create_connection(address, timeout=LIMIT) as sock:
            raw = b''.join(iter(lambda: sock.recv(1 << 16), b''))
        for answer in kept:
            answer.socket.close()
    if raw.decode() != row['raw']:
        raise Mismatch(f'expected {row["raw"]!r}, got {raw!r}')


def play_blocking_semantics(player, rows):
    fresh = [name for name in rows if name.startswith('fresh agent:')]
    for name in fresh:
        yield name, lambda row=rows[name]: player.whole(row)
    player.agent.call('PUT', '/v1/jobs', task_job('web', 'exec sleep 600'))
    player.agent.wait_alloc('web', 'running')
    others = [name for name in rows if name not in fresh and 'request' in rows[name] and not name.startswith(('the ', 'a '))]
    yield from together({name: (blocking, player, rows[name]) for name in others})
    for name in rows:
        if name == 'a missing job is watched and then registered':
            yield name, lambda row=rows[name]: blocking(player, row, lambda: player.agent.call('PUT', '/v1/jobs', task_job('born', 'exec sleep 600')))
        elif name.startswith('60 queries'):
            yield name, lambda: many_queries(player)


def blocking(player, row, write=None):
    request = dict(row['request'])
    if '<index>' in request['path']:
        plain = re.sub(r'[?&](index|wait|stale|consistent)[^&]*', '', request['path'])
        answer = wire.open_request(player.address, 'GET', player.fill(plain))
        with answer.socket:
            answer.read_head(time.monotonic() + LIMIT)
        index = int(answer.headers.get('x-nomad-index', 1))
        index += {'semantics: index below the current': -1, 'semantics: index far above': 100000}.get(row['name'], 0)
        request['path'] = request['path'].replace('<index>', str(index))
    wait = re.search(r'wait=([\d.]+)(m?)s', request['path'])
    limit = float(wait.group(1)) / (1000 if wait.group(2) else 1) if wait else None
    began = time.monotonic()
    answer = player.open(request)
    with answer.socket:
        if write:
            write()
        if row.get('held', '').startswith('still held'):
            try:
                answer.read_head(time.monotonic() + SILENCE)
            except TimeoutError:
                return
            raise Mismatch(f'not held: {answer.status}')
        answer.read_head(time.monotonic() + LIMIT)
        took = time.monotonic() - began
        player.match_head(row['response'], answer)
        answer.read_all(time.monotonic() + LIMIT)
    if 'body' in row['response']:
        player.match_body(row['response']['body'], answer.body)
    if limit and 'held_s' in row and not write and took < limit:
        raise Mismatch(f'answered after {took:.2f} s, before its {limit:g} s were over')
    if limit and limit >= 2 and row.get('held') == 'answered at once' and took >= limit:
        raise Mismatch(f'held for {took:.2f} s')


def many_queries(player):
    _, index = player.agent.query('/v1/jobs', 0, 1)

    def one(_):
        began = time.monotonic()
        player.agent.request('GET', f'/v1/jobs?index={index}&wait=1s')
        return time.monotonic() - began
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        times = list(pool.map(one, range(60)))
    if min(times) < 1 or max(times) - min(times) < 0.01:
        raise Mismatch(f'{min(times)} to {max(times)}')


def play_events_requests(player, rows):
    player.saved['node'] = player.agent.get('/v1/nodes')[0]['ID']
    for name in ('web', 'bat'):
        player.start(name, task_job(name, 'exec sleep 600'))
    for name, row in rows.items():
        if name.startswith(('parameters', 'method')):
            yield name, lambda row=row: events_head(player, row)
        elif name.startswith('filter ?') and not row['seen']:
            yield name, lambda row=row: events_head(player, {**row, 'lines_at_once': 'heartbeat'})
        elif name in ('filter ?topic=Job:web', 'filter ?topic=Evaluation:web', 'filter ?topic=Allocation:web', 'filter ?topic=Node:<node>',
                      'filter ?topic=Deployment:web'):
            yield name, lambda row=row: events_seen(player, row)
        elif name == 'gzip accepted':
            yield name, lambda row=row: events_head(player, {**row, 'lines_at_once': 'heartbeat and events'})
        elif name == 'agent stopped by SIGINT':
            player.saved['index'] = 1
            yield name, lambda row=row: stop_agent(player, row)


def events_head(player, row):
    if row['response']['ended'] not in ('timeout', 'stopped'):
        return player.whole(row)
    answer, text = player.open(row['request']), ''
    with answer.socket:
        answer.read_head(time.monotonic() + LIMIT)
        player.match_head(row['response'], answer)
        try:
            while not answer.ended and text.count('\n') < 2:
                text += answer.read_some(time.monotonic() + SILENCE).decode()
        except TimeoutError:
            pass
    seen = [json.loads(line) for line in text.rpartition('\n')[0].splitlines()]
    shape = ' and '.join((['heartbeat'] if {} in seen else []) + (['events'] if any(seen) else [])) or 'none'
    if shape != row['lines_at_once']:
        raise Mismatch(f'expected {row["lines_at_once"]}, got {shape}')
    return None


def events_seen(player, row):
    """The kinds of the events a filter lets through: topic, namespace and, for jobs, the key."""
    answer, text = player.open(row['request']), ''
    with answer.socket:
        deadline = time.monotonic() + LIMIT
        answer.read_head(deadline)
        player.match_head(row['response'], answer)
        while '"Events"' not in text or not text.endswith('\n'):
            text += answer.read_some(deadline).decode()
    seen = set()
    for line in text.splitlines():
        for event in json.loads(line).get('Events', []):
            words = [event['Topic'], event['Namespace'] or '-'] + ([event['Key']] if event['Topic'] == 'Job' else [])
            seen.add(' '.join(words))
    if seen != set(row['seen']):
        raise Mismatch(f'expected {row["seen"]}, got {sorted(seen)}')


def play_monitor(player, rows):
    player.saved['node'] = player.agent.get('/v1/nodes')[0]['ID']
    player.saved['server'] = player.agent.get('/v1/agent/members')['Members'][0]['Name']
    player.start('ctl', task_job('ctl', FIRST_WORDS + CONTROLLED))
    followed = {name: row for name, row in rows.items() if row['response'].get('ended') in ('timeout', 'stopped')}
    yield from together({name: (follow_monitor, player, row) for name, row in followed.items()})
    for name, row in rows.items():
        if 'with a log file' in name or name in followed:
            continue  # that is another agent
        if 'no_status_line_within_s' in row:
            yield name, lambda row=row: silent_monitor(player, row)
        elif 'agent is stopped' in name:
            yield name, lambda row=row: stop_agent(player, row)
        else:
            yield name, lambda row=row: player.whole(row)


def silent_monitor(player, row):
    answer = player.open(row['request'])
    with answer.socket:
        try:
            answer.read_head(time.monotonic() + SILENCE)
        except TimeoutError:
            return
    raise Mismatch(f'a status line came: {answer.status}')


def follow_monitor(player, row):
    """Restarting a task makes the agent say something, at its higher levels the end of a plugin; until something has come."""
    answer, text, got, beats = player.open(row['request']), '', [], 0
    plain = 'plain=true' in row['request']['path']
    with answer.socket:
        deadline = time.monotonic() + LIMIT
        wanted = row.get('any_lines'), bool(row.get('heartbeat_times'))
        head = False
        while not answer.ended and not (head and (got or not wanted[0]) and (beats or not wanted[1])):
            if wanted[0] and not got:
                player.agent.request('PUT', player.fill('/v1/client/allocation/<ctl>/restart'), {'TaskName': 'main'})  # refused while one is under way
                for plugin in player.agent.plugins('drover-driver-mock') if 'log_level' not in row['request']['path'] else []:
                    os.kill(plugin, signal.SIGKILL)
            try:
                if not head:
                    head = answer.read_head(min(deadline, time.monotonic() + SILENCE))
                    player.match_head(row['response'], answer)
                    continue
                text += answer.read_some(min(deadline, time.monotonic() + SILENCE)).decode()
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
            if plain:
                *lines, text = text.split('\n')
                got += lines
                continue
            objects, text = wire.split_objects(text)
            beats += sum(not one for one in objects)
            got += [one for one in objects if one]
    if plain:
        check_lines(row, got)
        return
    for frame in got:
        if frame.get('FileEvent') not in row.get('file_event_values', ['log']) or set(frame) - {'Data', 'FileEvent', 'Offset'}:
            raise Mismatch(f'frame {frame}')
    check_lines(row, ''.join(base64.b64decode(frame['Data']).decode() for frame in got).splitlines())


def check_lines(row, lines):
    for line in lines:
        if 'members_always' in row:
            value = json.loads(line)
            level = value['@level']
            if set(row['members_always']) - set(value) or not re.fullmatch(r'\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z', value['@timestamp']):
                raise Mismatch(f'line {line}')
        else:
            found = re.match(r'\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z \[(\w+)\] ', line)
            if not found:
                raise Mismatch(f'line {line}')
            level = found.group(1)
        # Which of the levels show up in the recorder's seconds is chance; none may be below what was asked for.
        least = re.search(r'log_level=(\w+)', row['request']['path'])
        order = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']
        if order.index(level.upper()) < order.index(least.group(1).upper() if least else 'INFO'):
            raise Mismatch(f'line of level {level}: {line}')


def play_metrics(player, rows):
    for name, row in rows.items():
        if name.startswith(('/v1/metrics', 'dev agent:')):
            yield name, lambda row=row: player.whole(row)


TOPICS = {'fs-errors': play_fs_errors, 'fs-stream': play_fs_stream, 'fs-logs': play_fs_logs, 'http-framing': play_http_framing,
          'blocking-semantics': play_blocking_semantics, 'events-requests': play_events_requests, 'monitor': play_monitor, 'snapshot-metrics-pprof': play_metrics,
          'events-shapes': stream_cluster.play_events_shapes, 'blocking-matrix': stream_cluster.play_blocking_matrix,
          'exec': stream_exec.play_exec, 'exec-errors': stream_exec.play_exec_errors}
