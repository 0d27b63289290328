#!/usr/bin/env python3
"""Client requests that arrive at an agent which is not the node: at the server, and at another node."""
import http.client
import json
import urllib.parse

import harness
from harness import contains, expect, until
from jobs import shell_job

SERVER = harness.PLACE + harness.ADVERTISE + '''
name = \"the-server\"
server {{
  enabled = true
  bootstrap_expect = 1
}}
'''
CLIENT = harness.PLACE + harness.ADVERTISE + '''
name = \"NAME\"
client {{
  enabled = true
  servers = ["127.0.0.1:SERVER_PORT"]
  network_interface = "lo"
  node_class = "NAME"
}}
plugin "raw_exec" {{ config {{ enabled = true }} }}
'''


def cluster(sandbox, names=('near', 'far')):
    """A server and clients; returns them and the clients' node ids."""
    server = sandbox.agent('server', base=SERVER).start(node=False)
    clients = []
    for name in names:
        clients.append(sandbox.agent(name, base=CLIENT.replace('SERVER_PORT', str(server.rpc)).replace('NAME', name)).spawn())

    def nodes():
        found = {one['Name']: one['ID'] for one in server.get('/v1/nodes') or []
                 if one['Status'] == 'ready' and (one['Drivers'] or {}).get('raw_exec', {}).get('Healthy')}
        return found if len(found) == len(names) else None
    ids = until('every node to be ready', nodes)
    for name in names:
        until(f'a way to node {name}', lambda name=name: server.request('GET', f'/v1/client/stats?node_id={ids[name]}')[0] == 200)
    return server, clients, ids


def run_on(server, name, node, script):
    constraint = f'constraint {{\n attribute = "${{node.class}}"\n value = "{node}"\n }}'
    server.run(shell_job(name, script, kind='batch', extra=constraint))  # a service would first be watched for 10 s
    return server.wait_alloc(name, 'running')['ID']


def both_ways(server, other, method, path, body=None):
    """The same request at the server and at another node: both must answer alike."""
    first, second = (agent.request(method, path, body) for agent in (server, other))
    for name in ('date', 'content-length'):
        first[1].pop(name, None)
        second[1].pop(name, None)
    expect(first == second, f'{method} {path}: the server answers {first}, the other node {second}')
    return first


def test_files_statistics_and_actions_of_another_node(sandbox):
    server, (near, far), ids = cluster(sandbox)
    alloc = run_on(server, 'job', 'far', 'trap "echo got usr1" USR1; echo first; echo data >$NOMAD_TASK_DIR/f; while :; do sleep 0.1; done')
    until('the first line', lambda: server.logs(alloc, 't') == 'first\n')

    status, headers, data = both_ways(server, near, 'GET', f'/v1/client/fs/ls/{alloc}?path=/t/local')
    expect(status == 200 and [one['Name'] for one in json.loads(data)] == ['f'], f'ls: {status} {data}')
    expect(headers['vary'] == 'Origin', f'headers of ls: {headers}')
    status, _, data = both_ways(server, near, 'GET', f'/v1/client/fs/stat/{alloc}?path=/t/local/f')
    expect(status == 200 and json.loads(data)['Size'] == 5, f'stat: {status} {data}')
    status, headers, data = both_ways(server, near, 'GET', f'/v1/client/fs/cat/{alloc}?path=/t/local/f')
    expect((status, data) == (200, b'data\n') and 'sandbox' in headers['content-security-policy'], f'cat: {status} {headers} {data}')
    status, _, data = both_ways(server, near, 'GET', f'/v1/client/fs/readat/{alloc}?path=/t/local/f&offset=1&limit=2')
    expect((status, data) == (200, b'at'), f'readat: {status} {data}')
    status, _, data = both_ways(server, near, 'GET', f'/v1/client/fs/stream/{alloc}?path=/t/local/f&follow=false')
    expect(status == 200 and json.loads(data)['Offset'] == 5, f'stream: {status} {data}')
    status, _, data = both_ways(server, near, 'GET', f'/v1/client/fs/logs/{alloc}?task=t&type=stdout')
    expect(status == 200 and json.loads(data)['File'] == 'alloc/logs/t.stdout.0', f'logs: {status} {data}')

    until('statistics of the task', lambda: 't' in (server.get(f'/v1/client/allocation/{alloc}/stats')['Tasks'] or {}))
    for agent in (server, near):
        status, _, data = agent.request('GET', f'/v1/client/stats?node_id={ids["far"]}')
        expect(status == 200 and json.loads(data)['Uptime'] > 0, f'stats: {status} {data}')
    status, _, data = near.request('PUT', f'/v1/client/allocation/{alloc}/signal', {'Task': 't', 'Signal': 'SIGUSR1'})
    expect((status, data) == (200, b'{"Index":0}'), f'signal: {status} {data}')
    until('the trap\'s line', lambda: server.logs(alloc, 't') == 'first\ngot usr1\n')
    status, _, data = server.request('PUT', f'/v1/client/allocation/{alloc}/restart', {'TaskName': 't'})
    expect(status == 200, f'restart: {status} {data}')
    until('the second start', lambda: server.logs(alloc, 't').count('first') == 2)
    # The command line asks the server only.
    contains(server.cli('alloc', 'logs', alloc), 'got usr1')
    contains(near.cli('alloc', 'fs', alloc, 't/local'), ' f')

    server.stop_jobs()
    # The servers know the end before its node has cleaned up.
    until('the collection', lambda: server.request('PUT', f'/v1/client/allocation/{alloc}/gc')[0] == 200)
    status, _, data = both_ways(server, near, 'GET', f'/v1/client/fs/ls/{alloc}')
    expect((status, data) == (404, f'Unknown allocation "{alloc}"'.encode()), f'ls of a collected allocation: {status} {data}')


def test_a_followed_log_comes_as_it_is_written_from_wherever_it_is_asked(sandbox):
    server, (near, _), _ = cluster(sandbox)
    alloc = run_on(server, 'job', 'far', 'echo one; while [ ! -e $NOMAD_TASK_DIR/go ]; do sleep 0.05; done; echo two; exec sleep 600')
    for agent in (server, near):
        connection = http.client.HTTPConnection(agent.address, agent.http, timeout=20)
        connection.request('GET', f'/v1/client/fs/logs/{alloc}?task=t&type=stdout&follow=true&plain=true')
        answer = connection.getresponse()
        expect(answer.status == 200 and answer.getheader('Content-Type') == 'text/plain', f'logs: {answer.status} {answer.getheaders()}')
        expect(answer.readline() == b'one\n', 'the first line did not come')
        if agent is near:
            server.call('PUT', f'/v1/client/allocation/{alloc}/signal', {'Task': 't', 'Signal': 'SIGCONT'})
            path = f'{agent.sandbox.directory}/far/data/alloc/{alloc}/t/local/go'
            with open(path, 'wb'):
                pass
            expect(answer.readline() == b'two\n', 'the second line did not come')
        connection.close()


def test_texts_of_what_cannot_be_reached_and_the_way_back(sandbox):
    server, (near, far), ids = cluster(sandbox)
    nobody = '00000000-0000-0000-0000-000000000000'
    for path, status, text in (
            (f'/v1/client/fs/ls/{nobody}', 404, f'Unknown allocation "{nobody}"'),
            (f'/v1/client/fs/stat/{nobody}', 400, 'must provide a file name'),
            (f'/v1/client/fs/logs/{nobody}?task=t&type=what', 400, 'must provide log type (stdout/stderr)'),
            (f'/v1/client/allocation/{nobody}/stats', 404, f'Unknown allocation "{nobody}"'),
            (f'/v1/client/stats?node_id={nobody}', 404, f'Unknown node {nobody}'),
            (f'/v1/client/gc?node_id={nobody}', 404, f'Unknown node {nobody}')):
        answer = both_ways(server, near, 'GET', path)
        expect((answer[0], answer[2].decode()) == (status, text), f'{path}: {answer}')
    status, _, data = server.request('GET', '/v1/client/stats')
    expect((status, data) == (400, b'No local Node and node_id not provided'), f'stats without a node: {status} {data}')

    alloc = run_on(server, 'job', 'far', 'echo hello; exec sleep 600')
    until('the line', lambda: server.logs(alloc, 't') == 'hello\n')
    connection = http.client.HTTPConnection(server.address, server.http, timeout=20)
    connection.request('GET', f'/v1/client/fs/logs/{alloc}?task=t&type=stdout&follow=true&plain=true')
    answer = connection.getresponse()
    expect(answer.readline() == b'hello\n', 'the line did not come')
    far.kill9()
    try:
        rest = answer.read()
        raise harness.Failure(f'the body of a stream whose node died ends as if complete, with {rest}')
    except http.client.IncompleteRead:
        pass
    connection.close()
    for path in (f'/v1/client/fs/ls/{alloc}', f'/v1/client/stats?node_id={ids["far"]}'):
        status, _, data = both_ways(server, near, 'GET', path)
        expect(status == 404 and data.startswith(f'No path to node "{ids["far"]}"'.encode()), f'{path}: {status} {data}')
    far.spawn()
    until('the node to be reachable again', lambda: server.request('GET', f'/v1/client/fs/ls/{alloc}')[0] == 200)

    server.kill9()
    status, _, data = near.request('GET', f'/v1/client/fs/ls/{alloc}')
    expect(status == 500 and b'asking a server' in data, f'without a server: {status} {data}')
    server.start(node=False)
    until('the node to be reachable through the new server', lambda: near.request('GET', f'/v1/client/fs/ls/{alloc}')[0] == 200)


def test_server_endpoints_and_events_are_answered_at_a_client(sandbox):
    server, (near,), _ = cluster(sandbox, ['near'])
    connection = http.client.HTTPConnection(near.address, near.http, timeout=20)
    connection.request('GET', '/v1/event/stream?' + urllib.parse.urlencode({'topic': 'Job:seen'}))
    answer = connection.getresponse()
    expect(answer.status == 200, f'event stream: {answer.status}')
    near.run(shell_job('seen', 'exec sleep 600', kind='batch'))
    line = next(line for line in iter(answer.readline, b'') if line != b'{}\n')
    expect(json.loads(line)['Events'][0]['Key'] == 'seen', f'event: {line}')
    connection.close()
    jobs, index = near.query('/v1/jobs', 0, 1)
    expect([job['ID'] for job in jobs] == ['seen'] and index > 0, f'jobs at the client: {jobs}')
    expect(near.get('/v1/status/leader') == server.get('/v1/status/leader'), 'the leader as the client sees it')
    contains(near.cli('job', 'status'), 'seen')


if __name__ == '__main__':
    harness.main(globals())
