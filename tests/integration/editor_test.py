#!/usr/bin/env python3
"""What people see before a job runs: `job validate`, `job plan` and `fmt` as a terminal, a CI system and a script call them, with a cluster
and without one; and `drover lsp`, driven as an editor drives it."""
import contextlib
import json
import os
import subprocess
import threading

import harness
from harness import contains, expect

NOBODY = '-address=http://127.0.0.1:1'

GOOD = '''job "good" {
  group "g" {
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/true"
        args    = ["${NOMAD_ALLOC_ID}"]
      }
    }
  }
}
'''
MISSPELT = GOOD.replace('command =', 'comand  =')


def write(sandbox, text, name='job.nomad.hcl'):
    path = os.path.join(sandbox.directory, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return path


def run(sandbox, *arguments, program=None, stdin=subprocess.DEVNULL, **environment):
    return subprocess.run([program or sandbox.drover, *arguments], capture_output=True, text=True, timeout=60, check=False, stdin=stdin,
                          env={**os.environ, **environment})


def findings(done):
    return json.loads(done.stdout)['diagnostics']


def as_nomad(sandbox):
    path = os.path.join(os.path.dirname(sandbox.drover), 'nomad')
    if not os.path.exists(path):
        os.symlink('drover', path)
    return path


def test_config_blocks_are_checked_by_the_plugins_here_without_a_cluster(sandbox):
    path = write(sandbox, MISSPELT)
    done = run(sandbox, 'job', 'validate', NOBODY, '-no-lint', path)
    expect(done.returncode == 1, f'{done}')
    contains(done.stderr, 'unknown argument in config.comand', f'{path} line 6, column 9', 'Did you mean "command"?', 'missing argument in config')
    done = run(sandbox, 'job', 'validate', NOBODY, '-no-lint', write(sandbox, GOOD))
    expect(done.returncode == 0 and done.stderr == '' and done.stdout == 'Job validation successful\n', f'{done}')
    done = run(sandbox, 'job', 'validate', NOBODY, '-no-lint', write(sandbox, GOOD.replace('raw_exec', 'other')))
    expect(done.returncode == 0, f'{done}')
    contains(done.stdout, 'Driver configuration not validated')
    left = [name for name in harness.descendants().values() if name.startswith('drover-driver')]
    expect(not left, f'plugins were left: {left}')


def test_plugins_of_another_directory_are_asked_too(sandbox):
    plugins = os.path.join(sandbox.directory, 'more')
    os.mkdir(plugins)
    os.link(os.path.realpath(os.path.join(os.path.dirname(sandbox.drover), '../libexec/drover/plugins/drover-driver-exec')), os.path.join(plugins, 'drover-driver-exec'))  # it is told by its name what it is
    write(sandbox, '#!/bin/sh\necho nonsense\n', 'more/broken')
    os.chmod(os.path.join(plugins, 'broken'), 0o755)
    path = write(sandbox, MISSPELT.replace('raw_exec', 'exec'))
    done = run(sandbox, 'job', 'validate', NOBODY, '-plugin-dir', plugins, path, DROVER_LIBEXEC='/nonexistent')
    expect(done.returncode == 1, f'{done}')
    contains(done.stderr, 'unknown argument in config.comand')


def test_config_blocks_are_checked_by_the_clusters_nodes(sandbox):
    agent = sandbox.agent(dev=True).start()
    published = {one['Name']: one for one in agent.get('/v1/client/drivers')}
    expect('attributes' in published['raw_exec']['TaskConfig']['object'], f'{published}')
    path = write(sandbox, MISSPELT)
    done = run(sandbox, 'job', 'validate', '-address', agent.url, '-format=json', path, DROVER_LIBEXEC='/nonexistent')
    expect(done.returncode == 1, f'{done}')
    found = [one for one in findings(done) if one['id'] == 'driver-config']
    expect([one['range']['start']['line'] for one in found] == [6, 5] and {one['severity'] for one in found} == {'error'}, f'{found}')
    done = run(sandbox, 'job', 'plan', '-address', agent.url, '-format=json', path)
    expect(done.returncode == 1, f'{done}')  # it can be planned: the nodes that are to run it may be yet to come
    expect({one['severity'] for one in findings(done)} == {'warning'}, f'{done.stdout}')
    contains(done.stderr, 'Scheduler dry-run')
    done = run(sandbox, 'job', 'validate', '-address', agent.url, write(sandbox, GOOD.replace('raw_exec', 'raw_exce')))
    contains(done.stderr, 'no ready node has the driver "raw_exce"', 'Did you mean "raw_exec"?')
    script = run(sandbox, 'job', 'validate', '-address', agent.url, path, program=as_nomad(sandbox))
    expect((script.returncode, script.stdout, script.stderr) == (0, 'Job validation successful\n', ''), f'{script}')


def test_formats_for_programs(sandbox):
    path = write(sandbox, GOOD.replace('driver =', 'drver =').replace('"g"', '"a,b: 100%"'), 'a b.hcl')
    done = run(sandbox, 'job', 'validate', NOBODY, '-format=sarif', path)
    log = json.loads(done.stdout)
    place = log['runs'][0]['results'][0]['locations'][0]['physicalLocation']
    expect(log['version'] == '2.1.0' and place['artifactLocation']['uri'].endswith('/a%20b.hcl') and place['region']['startLine'] == 4, f'{log}')
    done = run(sandbox, 'job', 'validate', NOBODY, '-format=github', path)
    contains(done.stdout, f'::error file={path},line=4,endLine=4,col=7,endColumn=12,title=Unsupported argument::')
    done = run(sandbox, 'fmt', '-check', '-format=json', write(sandbox, 'a=1\n'))
    expect(done.returncode == 1 and findings(done)[0]['id'] == 'format', f'{done}')
    done = run(sandbox, 'job', 'run', NOBODY, '-format=json', path)
    expect(done.returncode == 1 and findings(done)[0]['range']['start']['line'] == 4, f'{done}')
    for command, code in (('validate', 1), ('run', 1), ('plan', 255)):
        done = run(sandbox, 'job', command, '-format=xml', path)
        expect(done.returncode == code, f'{done}')
        contains(done.stderr, 'text, json, sarif or github')


def test_colour_is_for_terminals(sandbox):
    path = write(sandbox, GOOD.replace('driver =', 'drver ='))
    expect('\033' not in run(sandbox, 'job', 'validate', NOBODY, path).stderr, 'colour without a terminal')
    contains(run(sandbox, 'job', 'validate', NOBODY, '-force-color', path).stderr, '^^^^^\033[0m')
    expect('\033' not in run(sandbox, 'job', 'validate', NOBODY, '-no-color', path, NOMAD_CLI_FORCE_COLOR='1').stderr, '-no-color')


# --- the language server -----------------------------------------------------------------------------------------------

class Editor:
    """Speaks to `drover lsp` over pipes. A session that takes longer than a minute is ended."""

    def __init__(self, sandbox):
        self.process = subprocess.Popen([sandbox.drover, 'lsp'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.watchdog = threading.Timer(60, self.process.kill)  # what waits for it then sees the end of its output
        self.watchdog.start()
        self.id, self.waiting = 0, []
        self.uri = 'file:///jobs/web%20one.nomad.hcl'
        self.version = 0

    def raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message, pieces=1):
        body = json.dumps(message, ensure_ascii=False).encode()
        data = b'Content-Length: %d\r\n\r\n' % len(body) + body
        size = max(1, len(data) // pieces)
        for at in range(0, len(data), size):
            self.raw(data[at:at + size])

    def receive(self):
        length = None
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise harness.Failure(f'the server has gone: {self.process.stderr.read().decode()}')
            if line == b'\r\n':
                break
            name, value = line.decode().split(':')
            if name == 'Content-Length':
                length = int(value)
        return json.loads(self.process.stdout.read(length))

    def until(self, matches):
        for message in self.waiting:
            if matches(message):
                self.waiting.remove(message)
                return message
        while True:
            message = self.receive()
            if matches(message):
                return message
            self.waiting.append(message)

    def call(self, method, params, pieces=1):
        self.id += 1
        self.send({'jsonrpc': '2.0', 'id': self.id, 'method': method, 'params': params}, pieces)
        return self.until(lambda message: message.get('id') == self.id)

    def tell(self, method, params):
        self.send({'jsonrpc': '2.0', 'method': method, 'params': params})

    def begin(self):
        answer = self.call('initialize', {'processId': None, 'rootUri': None, 'capabilities': {'textDocument': {'completion': {'completionItem': {'snippetSupport': True}}}}})
        self.tell('initialized', {})
        return answer['result']

    def open(self, text):
        self.version += 1
        self.tell('textDocument/didOpen', {'textDocument': {'uri': self.uri, 'languageId': 'hcl', 'version': self.version, 'text': text}})
        return self.published()

    def change(self, *edits):
        """Edits are (line, character, line, character, text), or a text for the whole file."""
        self.version += 1
        changes = [{'text': edit} if isinstance(edit, str) else
                   {'range': {'start': {'line': edit[0], 'character': edit[1]}, 'end': {'line': edit[2], 'character': edit[3]}}, 'text': edit[4]} for edit in edits]
        self.tell('textDocument/didChange', {'textDocument': {'uri': self.uri, 'version': self.version}, 'contentChanges': changes})
        return self.published()

    def published(self):
        message = self.until(lambda one: one.get('method') == 'textDocument/publishDiagnostics' and one['params'].get('version') == self.version)
        return message['params']['diagnostics']

    def at(self, method, line, character):
        return self.call(method, {'textDocument': {'uri': self.uri}, 'position': {'line': line, 'character': character}})['result']

    def end(self):
        expect(self.call('shutdown', None)['result'] is None, 'shutdown')
        self.tell('exit', None)
        return self.gone()

    def gone(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=30)
        self.close()
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.watchdog.cancel()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def codes(diagnostics):
    return sorted((one['range']['start']['line'], one['code']) for one in diagnostics)


def test_an_editor_opens_a_file_mends_it_and_leaves(sandbox):
    with Editor(sandbox) as editor:
        result = editor.begin()
        expect(result['serverInfo']['name'] == 'drover' and result['capabilities']['documentFormattingProvider'], f'{result}')
        found = editor.open(MISSPELT.replace('"t"', '"\U0001f402t"'))
        expect((5, 'driver-config') in codes(found) and (2, 'DL001') in codes(found) and (3, 'DL002') in codes(found), f'{found}')
        task = next(one for one in found if one['code'] == 'DL001')
        # The ox is two UTF-16 units: task "<ox>t" ends at 4 + 6 + 4 of them.
        expect(task['range'] == {'start': {'line': 2, 'character': 4}, 'end': {'line': 2, 'character': 14}}, f'{task}')
        expect(all(one['source'] == 'drover' for one in found), f'{found}')
        found = editor.change((5, 8, 5, 15, 'command'))
        expect(codes(found) == [(2, 'DL001'), (3, 'DL002')], f'{found}')
        found = editor.change((2, 10, 2, 12, ''), (2, 10, 2, 11, 'x'), (3, 16, 3, 24, 'exec'), (9, 2, 9, 3, '  # }'))
        expect([one['severity'] for one in found] == [1] and found[0]['code'] == 'parse', f'{found}')
        found = editor.change((9, 0, 9, 5, '  '), (4, 0, 4, 0, '      resources {\n        cpu = 1\n        memory = 64\n      }\n'))
        expect(found == [], f'{found}')
        edits = editor.call('textDocument/formatting', {'textDocument': {'uri': editor.uri}, 'options': {'tabSize': 2, 'insertSpaces': True}})['result']
        contains(edits[0]['newText'], '        cpu    = 1\n', 'task "x" {')
        expect(editor.change(edits[0]['newText']) == [], 'the formatted file')
        expect(editor.call('textDocument/formatting', {'textDocument': {'uri': editor.uri}, 'options': {}})['result'] == [], 'formatted twice')
        editor.tell('textDocument/didClose', {'textDocument': {'uri': editor.uri}})
        expect(editor.until(lambda one: one.get('method') == 'textDocument/publishDiagnostics')['params']['diagnostics'] == [], 'closed')
        expect(editor.end() == 0, 'exit status')


def test_the_servers_rules_hold_in_the_editor(sandbox):
    with Editor(sandbox) as editor:
        editor.begin()
        found = editor.open('job "j" {\n  type     = "servce"\n  priority = 9000\n  group "g" {\n    task "t" {\n    }\n  }\n}\n')
        expect({(1, 'validate'), (2, 'validate'), (4, 'validate')} <= set(codes(found)), f'{found}')
        expect(any('Did you mean "service"?' in one['message'] for one in found), f'{found}')
        expect(editor.open('variable "n" {}\n' + GOOD.replace('"raw_exec"', 'var.n')) != [], 'lint of a job with variables')
        expect(all(one['code'].startswith('DL') for one in editor.change('variable "n" {}\n' + GOOD.replace('"raw_exec"', 'var.n'))), 'no errors')
        expect(editor.end() == 0, 'exit status')


def test_completion_and_hover(sandbox):
    with Editor(sandbox) as editor:
        editor.begin()
        labels = lambda line, character: [item['label'] for item in editor.at('textDocument/completion', line, character)['items']]
        editor.open('variable "zone" {\n  description = "where"\n}\n' + GOOD.replace('command = "/bin/true"', 'c').replace('driver = "raw_exec"', 'driver = "raw_exec"\n      user = var.'))
        expect('command' in labels(9, 9) and 'oom_score_adj' in labels(9, 9), f'{labels(9, 9)}')
        expect('var.zone' in labels(7, 17), f'{labels(7, 17)}')
        expect('raw_exec' in labels(6, 16), f'{labels(6, 16)}')
        items = editor.at('textDocument/completion', 6, 0)['items']
        network = next(item for item in items if item['label'] == 'template')
        expect(network['insertTextFormat'] == 2 and network['textEdit']['newText'].startswith('template {'), f'{network}')
        contains(editor.at('textDocument/hover', 6, 8)['contents']['value'], '**driver**', 'In the API: `Driver`')
        contains(editor.at('textDocument/hover', 10, 9)['contents']['value'], '**args**', 'list of string')
        expect(editor.at('textDocument/hover', 6, 5) is None, 'hover over blanks')
        expect(editor.end() == 0, 'exit status')


def test_messages_in_pieces_and_in_a_burst(sandbox):
    with Editor(sandbox) as editor:
        editor.begin()
        editor.open(GOOD)
        expect(editor.call('textDocument/hover', {'textDocument': {'uri': editor.uri}, 'position': {'line': 0, 'character': 1}}, pieces=40)['result'], 'a message in pieces')
        burst = b''
        for version in range(2, 202):
            body = json.dumps({'jsonrpc': '2.0', 'method': 'textDocument/didChange', 'params': {
                'textDocument': {'uri': editor.uri, 'version': version}, 'contentChanges': [{'range': {'start': {'line': 0, 'character': 0}, 'end': {'line': 0, 'character': 0}}, 'text': '#\n'}]}}).encode()
            burst += b'Content-Length: %d\r\n\r\n' % len(body) + body
        editor.raw(burst)
        editor.version = 201
        found = editor.published()
        expect(codes(found) == [(202, 'DL001'), (203, 'DL002')], f'{found}')
        expect(editor.end() == 0, 'exit status')


def test_hostile_frames_and_messages(sandbox):
    with Editor(sandbox) as editor:
        editor.begin()
        for body in (b'{', b'[]', b'\xff\xfe', b'{"jsonrpc":"2.0","id":[1],"method":"x"}', b'[' * 100000):
            editor.raw(b'Content-Length: %d\r\n\r\n' % len(body) + body)
            answer = editor.receive()
            expect(answer['id'] is None and answer['error']['code'] in (-32700, -32600), f'{answer}')
        expect(editor.call('no/such', {})['error']['code'] == -32601, 'an unknown method')
        expect(editor.end() == 0, 'it goes on all the same')
    for data in (b'Content-Length: -5\r\n\r\n', b'Content-Length: 999999999999\r\n\r\n', b'Nothing: here\r\n\r\n', b'x' * 100000):
        with Editor(sandbox) as editor:
            with contextlib.suppress(BrokenPipeError):
                editor.raw(data)
            expect(editor.process.wait(timeout=30) == 1, f'{data[:40]}')
            contains(editor.process.stderr.read().decode(), 'reading from the editor')
    with Editor(sandbox) as editor:
        editor.begin()
        expect(editor.gone() == 1, 'an editor that has died')


if __name__ == '__main__':
    harness.main(globals())
