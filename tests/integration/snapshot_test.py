#!/usr/bin/env python3
"""Saved states: the agent that saves them at intervals, into a directory or a store that speaks S3; and looking into them, and into the
log of a stopped server, without a server."""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading
import urllib.parse

import harness
from cluster_test import ask, client, followers, register, server, servers
from harness import contains, expect, until

KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'


class Store(http.server.BaseHTTPRequestHandler):
    """A bucket: PUT, DELETE and lists of two keys a page, each only with a signature that is right."""
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def refuse(self, code, text):
        body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{text}</Message></Error>'.encode()
        self.server.refused.append(code)
        self.answer(403, body)

    def answer(self, status, body=b''):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def signed(self, body):
        """The signature as its definition has it, from what was received."""
        match = re.fullmatch(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})',
                             self.headers.get('Authorization', ''))
        if not match:
            return 'there is no signature'
        key, date, region, names, signature = match.groups()
        if key != KEY or region != self.server.region:
            return f'key {key}, region {region}'
        if hashlib.sha256(body).hexdigest() != self.headers['X-Amz-Content-Sha256']:
            return 'the content is another one'
        stamp = self.headers['X-Amz-Date']
        sent = datetime.datetime.strptime(stamp, '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc)
        if abs((datetime.datetime.now(datetime.timezone.utc) - sent).total_seconds()) > 900 or not stamp.startswith(date):
            return f'the time {stamp} is wrong'
        if not {'host', 'x-amz-content-sha256', 'x-amz-date'} <= set(names.split(';')):
            return f'only {names} are signed'
        path, _, query = self.path.partition('?')
        fields = ''.join(f'{name}:{self.headers[name].strip()}\n' for name in names.split(';'))
        pairs = sorted((urllib.parse.quote(k, safe='-_.~'), urllib.parse.quote(v, safe='-_.~')) for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
        canonical = '\n'.join([self.command, urllib.parse.quote(urllib.parse.unquote(path), safe='/-_.~'), '&'.join(f'{k}={v}' for k, v in pairs), fields, names,
                               self.headers['X-Amz-Content-Sha256']])
        text = '\n'.join(['AWS4-HMAC-SHA256', stamp, f'{date}/{region}/s3/aws4_request', hashlib.sha256(canonical.encode()).hexdigest()])
        derived = ('AWS4' + SECRET).encode()
        for part in (date, region, 's3', 'aws4_request', text):
            derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
        return None if derived.hex() == signature else 'the signature is wrong'

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        wrong = self.signed(body)
        if wrong:
            return self.refuse('SignatureDoesNotMatch', wrong)
        bucket, _, key = urllib.parse.unquote(self.path.partition('?')[0]).lstrip('/').partition('/')
        if bucket != 'backups':
            return self.refuse('NoSuchBucket', bucket)
        objects = self.server.objects
        query = dict(urllib.parse.parse_qsl(self.path.partition('?')[2], keep_blank_values=True))
        if 'uploads' in query or 'uploadId' in query:
            return self.handle_parts(key, query, body)
        if self.command == 'PUT':
            objects[key] = (body, dict(self.headers))
            return self.answer(200)
        if self.command == 'DELETE':
            objects.pop(key, None)
            return self.answer(204)
        found = sorted(name for name in objects if name.startswith(query['prefix']) and name > query.get('continuation-token', ''))
        page, more = found[:2], len(found) > 2
        token = f'<NextContinuationToken>{page[-1]}</NextContinuationToken>' if more else ''
        contents = ''.join(f'<Contents><Key>{name}</Key><Size>1</Size></Contents>' for name in page)
        return self.answer(200, f'<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>'.encode())

    def handle_parts(self, key, query, body):
        """An upload in parts: begun, filled, listed two parts a page, and put together by their tags or dropped."""
        uploads = self.server.uploads
        if 'uploads' in query:
            uploads['id/1+x'] = (key, {}, dict(self.headers))
            return self.answer(200, b'<InitiateMultipartUploadResult><UploadId>id/1+x</UploadId></InitiateMultipartUploadResult>')
        _, parts, headers = uploads[query['uploadId']]
        if self.command == 'PUT':
            if int(query['partNumber']) == self.server.fails_at:
                return self.answer(500, b'<Error><Code>InternalError</Code><Message>no</Message></Error>')
            parts[int(query['partNumber'])] = (f'&quot;{hashlib.md5(body).hexdigest()}&quot;', body)
            return self.answer(200)
        if self.command == 'DELETE':
            uploads.pop(query['uploadId'])
            return self.answer(204)
        if self.command == 'GET':
            page = sorted(number for number in parts if number > int(query.get('part-number-marker', 0)))
            more = f'<IsTruncated>{str(len(page) > 2).lower()}</IsTruncated><NextPartNumberMarker>{page[:2][-1]}</NextPartNumberMarker>'
            return self.answer(200, ('<ListPartsResult>' + more + ''.join(f'<Part><PartNumber>{number}</PartNumber><ETag>{parts[number][0]}</ETag></Part>' for number in page[:2]) + '</ListPartsResult>').encode())
        want = ''.join(f'<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>' for number, (tag, _) in sorted(parts.items()))
        if body.decode() != f'<CompleteMultipartUpload>{want}</CompleteMultipartUpload>':
            return self.answer(200, b'<Error><Code>InvalidPart</Code></Error>')
        uploads.pop(query['uploadId'])
        self.server.objects[key] = (b''.join(part for _, (_, part) in sorted(parts.items())), headers)
        return self.answer(200, b'<CompleteMultipartUploadResult></CompleteMultipartUploadResult>')

    do_GET = do_PUT = do_POST = do_DELETE = handle_one


def store(region='eu-west-1', certificate=None):
    out = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Store)
    out.objects, out.uploads, out.refused, out.region, out.fails_at = {}, {}, [], region, 0
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        out.socket = context.wrap_socket(out.socket, server_side=True)
    threading.Thread(target=out.serve_forever, daemon=True).start()
    return out


def snapshot_agent(agent, *arguments, environment=None):
    """`operator snapshot agent` as a process of its own; its output is in a file."""
    path = os.path.join(agent.directory, 'snapshot-agent.log')
    with open(path, 'ab') as log:
        process = subprocess.Popen([agent.sandbox.drover, 'operator', 'snapshot', 'agent', *arguments], stdout=log, stderr=log, start_new_session=True,
                                   env={'NOMAD_ADDR': agent.url, 'PATH': os.environ['PATH'], 'HOME': agent.directory, 'TMPDIR': agent.directory, **(environment or {})})
    return process, path


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def ended(process):
    """Its status, once it has ended."""
    return until('the snapshot agent to end', lambda: process.poll() is not None and (process.returncode,), 60)[0]


def test_the_snapshot_agent_keeps_the_newest_in_a_directory(sandbox):
    agent = server(sandbox, 's1', [], 1).start(node=False)
    expect(register(agent, 'kept'), 'a write')
    place = f'{sandbox.directory}/snapshots'
    os.makedirs(place)
    for name in ('other-1.snap', 'nomad-old.snap', 'nomad-1.snap', 'nomad-2.snap.abcdef.tmp'):
        with open(f'{place}/{name}', 'w', encoding='utf-8') as file:
            file.write('not ours, or left by one that was killed')
    config = f'{sandbox.directory}/agent.hcl'
    with open(config, 'w', encoding='utf-8') as file:
        file.write(f'''
nomad {{
  address = "{agent.url}"
}}
snapshot {{
  interval     = "1s"
  retain       = 2
  lock_key     = "nomad-snapshot/lock"
}}
local_storage {{
  path = "{place}"
}}
''')
    process, log = snapshot_agent(agent, config, environment={'NOMAD_ADDR': 'http://127.0.0.1:1'})
    until('four snapshots', lambda: read(log).count('saved snapshot') >= 4, 60)
    process.send_signal(signal.SIGTERM)
    expect(ended(process) in (0, -signal.SIGTERM), f'status {process.returncode}')
    contains(read(log), 'snapshot.lock_key has no meaning here', 'taking a snapshot every 1s', 'removed nomad-1.snap', f'to {place}/nomad-')
    kept = sorted(name for name in os.listdir(place) if re.fullmatch(r'nomad-\d{13}\.snap', name))
    expect(2 <= len(kept) <= 3, f'{os.listdir(place)}')
    expect({'other-1.snap', 'nomad-old.snap'} <= set(os.listdir(place)), f'{os.listdir(place)}')
    expect('nomad-2.snap.abcdef.tmp' not in os.listdir(place), 'what a killed agent left is still there')
    contains(agent.cli('operator', 'snapshot', 'inspect', f'{place}/{kept[-1]}'), 'Index', 'Job')
    # Once, by flags alone.
    os.makedirs(f'{place}/once')
    contains(agent.cli('operator', 'snapshot', 'agent', '-interval', '0', '-local-path', f'{place}/once', '-prefix', 'mine', '-stale'), 'saved snapshot')
    expect(re.fullmatch(r'mine-\d{13}\.snap', *os.listdir(f'{place}/once')), f'{os.listdir(f"{place}/once")}')


def test_the_snapshot_agent_says_what_is_wrong(sandbox):
    agent = server(sandbox, 's1', [], 1)
    run = ('operator', 'snapshot', 'agent')
    contains(agent.cli(*run, status=1), 'there is nowhere to keep snapshots')
    contains(agent.cli(*run, '-local-path', '/nowhere/at/all', status=1), '"/nowhere/at/all" is no directory')
    contains(agent.cli(*run, '-local-path', '/tmp', '-interval', '1ms', status=1), 'too short')
    contains(agent.cli(*run, '-local-path', '/tmp', '-aws-s3-bucket', 'b', status=1), 'exclude each other')
    contains(agent.cli(*run, '-aws-s3-bucket', 'b', status=1), 'AWS_ACCESS_KEY_ID')
    contains(agent.cli(*run, '/nowhere.hcl', status=1), 'open /nowhere.hcl: no such file or directory')
    config = f'{sandbox.directory}/wrong.hcl'
    with open(config, 'w', encoding='utf-8') as file:
        file.write('snapshot {\n  retian = 3\n}\n')
    contains(agent.cli(*run, config, status=1), 'wrong.hcl:2', 'retian')
    contains(agent.cli(*run, '-interval', '0', '-local-path', sandbox.directory, status=1), 'Failed to get snapshot file')


def test_the_snapshot_agent_signs_what_it_sends_to_a_store(sandbox):
    agent = server(sandbox, 's1', [], 1).start(node=False)
    expect(register(agent, 'kept'), 'a write')
    bucket = store()
    try:
        for i in range(5):
            bucket.objects[f'nomad-snapshot/nomad-{i}.snap'] = (b'', {})
        bucket.objects['elsewhere/nomad-0.snap'] = (b'', {})
        config = f'{sandbox.directory}/agent.hcl'
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'''
snapshot {{
  interval = "0s"
  retain   = 3
}}
aws_storage {{
  s3_bucket                 = "backups"
  s3_region                 = "eu-west-1"
  s3_endpoint               = "http://127.0.0.1:{bucket.server_port}"
  s3_server_side_encryption = true
}}
''')
        keys = {'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET}
        process, log = snapshot_agent(agent, config, environment=keys)
        expect(ended(process) == 0, read(log))
        contains(read(log), 'to s3://backups/nomad-snapshot/nomad-', 'removed nomad-0.snap')
        names = sorted(name for name in bucket.objects if name.startswith('nomad-snapshot/'))
        expect(len(names) == 3 and 'elsewhere/nomad-0.snap' in bucket.objects, f'{list(bucket.objects)}')
        body, headers = next(bucket.objects[name] for name in names if re.search(r'nomad-\d{13}\.snap$', name))
        expect(headers.get('X-Amz-Server-Side-Encryption') == 'AES256', f'{headers}')
        path = f'{sandbox.directory}/fetched.snap'
        with open(path, 'wb') as file:
            file.write(body)
        contains(agent.cli('operator', 'snapshot', 'inspect', path), 'Index', 'Job')
        expect(not bucket.refused, f'{bucket.refused}')
        process, log = snapshot_agent(agent, config, environment={**keys, 'AWS_SECRET_ACCESS_KEY': 'another'})
        expect(ended(process) == 1, 'a wrong key was taken')
        contains(read(log), 'answered 403 SignatureDoesNotMatch: the signature is wrong')
        expect(len([name for name in bucket.objects if name.startswith('nomad-snapshot/')]) == 3, 'something was written')
    finally:
        bucket.shutdown()
        bucket.server_close()


def test_a_large_snapshot_goes_to_a_store_in_parts(sandbox):
    agent = server(sandbox, 's1', [], 1).start(node=False)
    expect(register(agent, 'kept'), 'a write')
    bucket = store()
    try:
        config = f'{sandbox.directory}/agent.hcl'
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'''
aws_storage {{
  s3_bucket                 = "backups"
  s3_region                 = "eu-west-1"
  s3_endpoint               = "http://127.0.0.1:{bucket.server_port}"
  s3_server_side_encryption = true
  s3_part_size              = 300
}}
''')
        keys = {'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET}
        process, log = snapshot_agent(agent, '-interval', '0', config, environment=keys)
        expect(ended(process) == 0, read(log))
        (name, (body, headers)), = bucket.objects.items()
        expect(len(body) > 600 and headers.get('X-Amz-Server-Side-Encryption') == 'AES256' and not bucket.uploads, f'{len(body)} {headers} {bucket.uploads}')
        path = f'{sandbox.directory}/fetched.snap'
        with open(path, 'wb') as file:
            file.write(body)
        contains(agent.cli('operator', 'snapshot', 'inspect', path), 'Index', 'Job')
        # An upload that breaks off is given up, and nothing of it stays.
        bucket.fails_at = 2
        process, log = snapshot_agent(agent, '-interval', '0', config, environment=keys)
        expect(ended(process) == 1, 'a part that is missing was not missed')
        contains(read(log), 'part 2', 'answered 500 InternalError')
        expect(list(bucket.objects) == [name] and not bucket.uploads, f'{list(bucket.objects)} {bucket.uploads}')
        expect(not bucket.refused, f'{bucket.refused}')
    finally:
        bucket.shutdown()
        bucket.server_close()


def test_the_snapshot_agent_checks_the_certificate_of_a_store(sandbox):
    if not shutil.which('openssl'):
        raise harness.Skip('no openssl for a certificate')
    agent = server(sandbox, 's1', [], 1).start(node=False)
    certificate, key = f'{sandbox.directory}/store.pem', f'{sandbox.directory}/store.key'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=store', '-addext', 'subjectAltName=IP:127.0.0.1',
                    '-keyout', key, '-out', certificate], check=True, capture_output=True)
    bucket = store(certificate=(certificate, key))
    try:
        keys = {'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET, 'AWS_REGION': 'eu-west-1'}
        flags = ('-interval', '0', '-aws-s3-bucket', 'backups', '-aws-s3-endpoint', f'https://127.0.0.1:{bucket.server_port}', '-aws-s3-key-prefix', 'a b/c')
        process, log = snapshot_agent(agent, *flags, environment=keys)
        expect(ended(process) == 1 and not bucket.objects, 'an unknown certificate was taken')
        contains(read(log), 'certificate')
        config = f'{sandbox.directory}/agent.hcl'
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'aws_storage {{\n  ca_file = "{certificate}"\n}}\n')
        process, log = snapshot_agent(agent, *flags, config, environment=keys)
        expect(ended(process) == 0, read(log))
        expect(list(bucket.objects)[0].startswith('a b/c/nomad-'), f'{list(bucket.objects)}')
    finally:
        bucket.shutdown()
        bucket.server_close()


def test_a_state_and_a_log_are_shown_without_a_server(sandbox):
    agent = server(sandbox, 's1', [], 1).start(node=False)
    for name in ('one', 'two', 'three'):
        expect(register(agent, name), 'a write')
    path = f'{sandbox.directory}/state.snap'
    agent.cli('operator', 'snapshot', 'save', path)
    state = json.loads(agent.cli('operator', 'snapshot', 'state', path))
    expect(sorted(job['ID'] for job in state['Jobs']) == ['one', 'three', 'two'], f'{state["Jobs"]}')
    expect({'Allocs', 'Deployments', 'Evals', 'Indexes', 'JobVersions', 'Namespaces', 'Nodes', 'SchedulerConfig'} <= set(state), f'{list(state)}')
    some = json.loads(agent.cli('operator', 'snapshot', 'state', '-filter', 'ID == "two"', path))
    expect([job['ID'] for job in some['Jobs']] == ['two'] and not some['Namespaces'] and 'Indexes' not in some, f'{some["Jobs"]}')
    contains(agent.cli('operator', 'snapshot', 'state', '-filter', 'ID ==', path, status=1), 'Invalid filter expression')
    contains(agent.cli('operator', 'raft', 'logs', agent.data, status=1), 'Stop the agent first')
    contains(agent.cli('operator', 'raft', 'state', agent.data, status=1), 'Stop the agent first')
    nowhere = os.path.join(sandbox.directory, 'nowhere')
    for what in ('info', 'logs', 'state', 'recover'):
        contains(agent.cli('operator', 'raft', what, nowhere, status=1), f'no server has kept anything below "{nowhere}"')
    expect(not os.path.exists(nowhere), 'looking for a server has made a directory')
    last = int(agent.get('/v1/agent/self')['stats']['raft']['applied_index'])
    agent.kill9()
    lines = [json.loads(line) for line in agent.cli('operator', 'raft', 'logs', agent.data).splitlines()]
    expect([one['Index'] for one in lines] == list(range(1, last + 1)), f'{[one["Index"] for one in lines]}')
    expect(lines[0]['LogType'] == 'LogConfiguration' and lines[0]['Body']['Servers'][0]['Name'] == 's1', f'{lines[0]}')
    jobs = [one for one in lines if one.get('CommandType') == 'JobRegisterRequestType']
    expect([one['Body']['Job']['ID'] for one in jobs] == ['one', 'two', 'three'], f'{jobs}')
    contains(agent.cli('operator', 'raft', 'logs', '-pretty', agent.data), '\n  "LogType": "LogCommand"')
    replayed = json.loads(agent.cli('operator', 'raft', 'state', agent.data))
    expect(sorted(job['ID'] for job in replayed['Jobs']) == ['one', 'three', 'two'], f'{replayed["Jobs"]}')
    early = json.loads(agent.cli('operator', 'raft', 'state', '-last-index', str(jobs[1]['Index']), agent.data))
    expect(sorted(job['ID'] for job in early['Jobs']) == ['one', 'two'], f'{early["Jobs"]}')
    before = json.loads(agent.cli('operator', 'raft', 'state', f'-last-index={jobs[0]["Index"] - 1 - last}', agent.data))
    expect(not before['Jobs'], f'{before["Jobs"]}')


def test_F_66_a_state_goes_through_any_agent_and_what_is_cut_off_changes_nothing(sandbox):
    agents = servers(sandbox)
    node = client(sandbox, agents)
    leader, rest = followers(agents)
    # More than one part of the streams, and little that can be packed.
    filler = base64.b64encode(os.urandom(600_000)).decode()
    for i in range(6):
        body = {'Job': {'ID': f'job-{i}', 'Name': f'job-{i}', 'Type': 'batch', 'Datacenters': ['nowhere'], 'Meta': {'filler': filler[i:]},
                        'TaskGroups': [{'Name': 'g', 'Tasks': [{'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': '/bin/true'}}]}]}}
        expect(leader.request('PUT', '/v1/jobs', body)[0] == 200, f'write {i}')
    want = {f'job-{i}' for i in range(6)}
    path = f'{sandbox.directory}/state.snap'
    node.cli('operator', 'snapshot', 'save', path)
    status, headers, body = rest[0].request('GET', '/v1/operator/snapshot')
    digest = 'sha-256=' + base64.b64encode(hashlib.sha256(body).digest()).decode()
    expect(status == 200 and headers['digest'] == digest and len(body) > 3_000_000, f'{status} {headers} {len(body)} bytes')
    expect(register(leader, 'later'), 'a write')
    for agent in (node, rest[1], leader):
        status, _, text = agent.request('PUT', '/v1/operator/snapshot', body[:len(body) // 2])
        expect(status == 500 and b'failed to restore from snapshot' in text, f'{status} {text}')
    expect({one['ID'] for one in leader.get('/v1/jobs')} == want | {'later'}, 'a refused file changed something')
    contains(node.cli('operator', 'snapshot', 'restore', path), 'Snapshot Restored')
    until('every server to have the old state', lambda: all({one['ID'] for one in ask(agent, '/v1/jobs?stale') or []} == want for agent in agents))
    for agent in agents:
        left = [name for name in os.listdir(f'{agent.data}/server') if 'spool' in name]
        expect(not left, f'{left}')
    # All of them begin again from what they have stored.
    for agent in agents:
        agent.kill9()
    for agent in agents:
        agent.spawn()
    until('the state to be there after a restart', lambda: {one['ID'] for one in ask(rest[0], '/v1/jobs') or []} == want, 40)


if __name__ == '__main__':
    harness.main(globals())
