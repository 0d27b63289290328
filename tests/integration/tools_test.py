#!/usr/bin/env python3
"""The scripts behind `make`: what they list, install, refuse and print. Nothing here changes this machine: where a script would call APT, it
finds programs of the test's own."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

import harness
from harness import contains, expect

ROOT, BUILD = harness.ROOT, harness.BUILD


def run(*arguments, cwd=ROOT, path=None, **environment):
    full = {**os.environ, **environment}
    full.pop('MAKEFLAGS', None)
    if path:
        full['PATH'] = f'{path}:{full["PATH"]}'
    return subprocess.run(arguments, cwd=cwd, env=full, capture_output=True, text=True, check=False, timeout=110)


def program(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write('#!/bin/bash\n' + text)
    os.chmod(path, 0o755)


def packages():
    with open(os.path.join(ROOT, 'tools/setup'), encoding='utf-8') as file:
        return re.search(r'^packages=\((.*?)\)', file.read(), flags=re.S | re.M).group(1).split()


class Apt:
    """A machine that lacks some packages, with an APT that writes down what it is asked for."""

    def __init__(self, sandbox, lacks, user=0, raft='0.15.0-1'):
        self.directory = tempfile.mkdtemp(dir=sandbox.directory)
        self.bin, self.etc = os.path.join(self.directory, 'bin'), os.path.join(self.directory, 'apt')
        self.calls = os.path.join(self.directory, 'calls')
        os.makedirs(os.path.join(self.etc, 'sources.list.d'))
        os.makedirs(self.bin)
        there = ''.join(f'ii {name}\\n' for name in packages() if name not in lacks)
        program(self.bin, 'dpkg-query', f"printf '{there}'\nexit {1 if lacks else 0}\n")
        program(self.bin, 'id', f'echo {user}\n')
        program(self.bin, 'apt-get', f'echo "$@" >>{self.calls}\n')
        program(self.bin, 'apt-cache', f'if ls {self.etc}/sources.list.d/drover-backports.* >/dev/null 2>&1; then '
                                       f'echo "  Candidate: 0.22.1-1~bpo12+1"; else echo "  Candidate: {raft}"; fi\n')

    def source(self, name, text):
        with open(os.path.join(self.etc, name), 'w', encoding='utf-8') as file:
            file.write(text)

    def setup(self):
        return run(os.path.join(ROOT, 'tools/setup'), path=self.bin, DROVER_APT_DIR=self.etc)

    def asked(self):
        if not os.path.exists(self.calls):
            return []
        with open(self.calls, encoding='utf-8') as file:
            return file.read().splitlines()

    def backports(self):
        found = glob.glob(os.path.join(self.etc, 'sources.list.d/drover-backports.*'))
        expect(len(found) == 1, f'one source of backports, not {found}')
        with open(found[0], encoding='utf-8') as file:
            return file.read()


def codename():
    with open('/etc/os-release', encoding='utf-8') as file:
        return re.search(r'^VERSION_CODENAME=(\w+)', file.read(), flags=re.M).group(1)


def test_make_alone_lists_the_targets(_):
    result = run('make')
    expect(result.returncode == 0 and not result.stderr, result.stderr)
    listed = set(re.findall(r'^  ([a-z-]+) +\S', result.stdout, flags=re.M))
    with open(os.path.join(ROOT, 'Makefile'), encoding='utf-8') as file:
        known = {name for line in re.findall(r'^\.PHONY: (.*)$', file.read(), flags=re.M) for name in line.split()}
    expect(listed == known, f'listed but unknown: {listed - known}; known but not listed: {known - listed}')
    expect({'setup', 'demo', 'test', 'test-fresh', 'lint', 'fmt', 'asan', 'bench', 'fuzz', 'install', 'build-stats'} <= listed, f'{listed}')


def test_setup_is_silent_when_nothing_is_missing(sandbox):
    apt = Apt(sandbox, lacks=[])
    result = apt.setup()
    expect(result.returncode == 0 and not result.stdout and not result.stderr and not apt.asked(), f'{result} {apt.asked()}')


def test_setup_says_the_line_to_run_to_who_is_not_root(sandbox):
    apt = Apt(sandbox, lacks=['meson', 'mold'], user=1000)
    result = apt.setup()
    expect(result.returncode == 1 and not apt.asked(), f'{result} {apt.asked()}')
    contains(result.stderr, 'as root, run:', f'  {ROOT}/tools/setup', 'installs meson mold')


def test_setup_installs_what_is_missing_and_no_more(sandbox):
    apt = Apt(sandbox, lacks=['meson', 'libboost1.81-dev'])
    result = apt.setup()
    expect(result.returncode == 0, result.stderr)
    expect(apt.asked() == ['-q update', '-q install -y --no-install-recommends libboost1.81-dev', '-q install -y --no-install-recommends meson'],
           f'{apt.asked()}')


def test_setup_derives_backports_from_the_machines_sources(sandbox):
    name = codename()
    apt = Apt(sandbox, lacks=['libraft-dev'])
    apt.source('sources.list.d/a.sources', 'Types: deb\nURIs: http://other.example/apt\nSuites: stable\nComponents: main\n')
    apt.source('sources.list.d/debian.sources', f'# a comment\nTypes: deb\n# http://old.example/x\nURIs: http://mirror.example/debian\n'
               f'Suites: {name} {name}-updates\nComponents: main\nSigned-By: /key.gpg\n\n'
               f'Types: deb\nURIs: http://mirror.example/security\nSuites: {name}-security\nComponents: main\n')
    result = apt.setup()
    expect(result.returncode == 0, result.stderr)
    expect(apt.backports() == f'Types: deb\nURIs: http://mirror.example/debian\nSuites: {name}-backports\nComponents: main\nSigned-By: /key.gpg\n',
           apt.backports())
    expect(apt.asked()[-1] == f'-q install -y --no-install-recommends libraft-dev/{name}-backports', f'{apt.asked()}')

    apt = Apt(sandbox, lacks=['libraft-dev'])
    apt.source('sources.list', f'# deb http://no.example/ {name} main\ndeb [signed-by=/k] http://mirror.example/debian {name} main contrib\n')
    expect(apt.setup().returncode == 0, 'the one-line form')
    expect(apt.backports() == f'deb [signed-by=/k] http://mirror.example/debian {name}-backports main contrib\n', apt.backports())

    apt = Apt(sandbox, lacks=['libraft-dev'], raft='0.22.1-1')  # a newer Debian has it
    expect(apt.setup().returncode == 0 and apt.asked()[-1].endswith(' libraft-dev'), f'{apt.asked()}')

    apt = Apt(sandbox, lacks=['libraft-dev'])
    result = apt.setup()
    expect(result.returncode == 1, 'no source at all')
    contains(result.stderr, 'libraft-dev 0.22', 'add the backports suite')


def test_an_old_gcc_is_refused_with_the_reason(_):
    compiler = shutil.which('g++')
    version = run(compiler, '-dumpversion').stdout.strip() if compiler else ''
    if not version or int(version.split('.')[0]) >= 13:
        raise harness.Skip(f'needs a g++ before 13; here: {version or "none"}')
    with tempfile.TemporaryDirectory(prefix='drover-tools-') as directory:
        result = run('tools/build', f'{directory}/build', 'release', CXX='g++', CC='gcc')
        expect(result.returncode == 1, f'{result}')
        contains(result.stderr, 'miscompiles C++20 coroutines', 'clang-19', 'g++ 13')


def test_unknown_build_types_are_refused(_):
    with tempfile.TemporaryDirectory(prefix='drover-tools-') as directory:
        result = run('tools/build', f'{directory}/build', 'fast')
        expect(result.returncode == 2 and not os.listdir(directory), f'{result}')
        contains(result.stderr, '"fast"', 'release', 'asan')


def test_build_stats(_):
    with tempfile.TemporaryDirectory(prefix='drover-tools-') as directory:
        result = run('tools/build-stats', directory)
        expect(result.returncode == 1, f'{result}')
        contains(result.stderr, 'make build')
        with open(os.path.join(directory, '.ninja_log'), 'w', encoding='utf-8') as file:
            file.write('# ninja log v5\n0\t9000\t1\tlib/http/a.p/old.cc.o\tx\n0\t2500\t1\tlib/http/a.p/old.cc.o\tx\n'
                       '100\t7100\t1\tserver/raft/b.p/slow.cc.o\ty\n7100\t7600\t1\tcli/drover\tz\n')
        result = run('tools/build-stats', directory)
        expect(result.returncode == 0, result.stderr)
        contains(result.stdout, '10 s of work in 3 steps', 'compiling 2 files', '7.0 s  server/raft/b.p/slow.cc.o', '2.5 s  lib/http', '0.5 s  cli/drover')


def test_fmt_touches_changed_lines_only(_):
    if not shutil.which('git-clang-format-19'):
        raise harness.Skip('needs clang-format-19')
    with tempfile.TemporaryDirectory(prefix='drover-tools-') as directory:
        for name in ('Makefile', '.clang-format'):
            shutil.copy(os.path.join(ROOT, name), directory)
        os.makedirs(os.path.join(directory, 'tools'))
        program(os.path.join(directory, 'tools'), 'setup', 'exit 0\n')
        source = os.path.join(directory, 'a.cc')
        with open(source, 'w', encoding='utf-8') as file:
            file.write('int  kept  = 1;\n\nint between = 0;\n\nint other = 2;\n')
        git = ['git', '-c', 'user.name=t', '-c', 'user.email=t@t', '-C', directory]
        for arguments in (['init', '-q'], ['add', '-A'], ['commit', '-qm', 'first']):
            result = run(*git, *arguments)
            expect(result.returncode == 0, result.stderr)
        with open(source, 'w', encoding='utf-8') as file:
            file.write('int  kept  = 1;\n\nint between = 0;\n\nint   other=3;\n')
        result = run('make', 'fmt', cwd=directory)
        expect(result.returncode == 0, result.stderr)
        with open(source, encoding='utf-8') as file:
            text = file.read()
        expect(text == 'int  kept  = 1;\n\nint between = 0;\n\nint other = 3;\n', text)


def test_install_below_destdir(_):
    if not os.path.exists(os.path.join(BUILD, 'cli/drover')):
        raise harness.Skip('needs a build')
    with tempfile.TemporaryDirectory(prefix='drover-tools-') as directory:
        result = run('meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', DESTDIR=directory)
        expect(result.returncode == 0, result.stderr)
        prefix = os.path.join(directory, 'usr/local')
        installed = sorted(os.path.relpath(os.path.join(base, name), prefix) for base, _, names in os.walk(prefix) for name in names)
        # plugin_new_test builds against what authors of plugins get.
        library = re.compile(r'include/drover/.*\.h|lib/.*/(libdrover-sdk\..*|pkgconfig/drover-sdk\.pc)|share/drover/proto/.*\.proto')
        installed = [path for path in installed if not library.fullmatch(path)]
        wanted = sorted([*harness.PROGRAMS.values(), 'bin/nomad', 'libexec/drover/drover-drivers', 'share/man/man1/drover.1', 'lib/systemd/system/drover.service'])
        expect(installed == wanted, f'installed {installed}, wanted {wanted}')
        for name in harness.PROGRAMS.values():
            expect(os.access(os.path.join(prefix, name), os.X_OK), f'{name} cannot be run')
        for name in ('drover', 'nomad'):
            result = run(os.path.join(prefix, 'bin', name), 'version')
            expect(result.returncode == 0 and result.stdout.startswith(f'{name.capitalize()} v'), f'{name} version: {result}')
        with open(os.path.join(prefix, 'lib/systemd/system/drover.service'), encoding='utf-8') as file:
            contains(file.read(), 'ExecStart=/usr/local/bin/drover agent', 'KillMode=process', 'Type=notify')


def test_fresh_needs_root(sandbox):
    apt = Apt(sandbox, lacks=[], user=1000)
    result = run('tools/test-fresh', path=apt.bin)
    expect(result.returncode == 1, f'{result}')
    contains(result.stderr, 'needs root')


if __name__ == '__main__':
    harness.main(globals())
