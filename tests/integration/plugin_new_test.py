#!/usr/bin/env python3
"""`drover plugin new`: a project of every language and kind is written, built as its README says, and conforms. The C++ ones are built
against the SDK as it is installed, the driver with its static and the device plugin with its shared variant."""
import concurrent.futures
import glob
import json
import os
import pwd
import re
import shutil
import subprocess

from harness import BUILD, ROOT, Skip, contains, expect, main
from jobs import shell_job

PYTHON_NEEDS = 'import grpc, msgpack, google.protobuf'


def new(sandbox, *arguments):
    return subprocess.run([sandbox.drover, 'plugin', 'new', *arguments], cwd=sandbox.directory, capture_output=True, text=True, timeout=30, check=False)


def tutorial(language):
    """The commands that docs/plugin-author.md shows for a language."""
    with open(os.path.join(ROOT, 'docs/plugin-author.md'), encoding='utf-8') as file:
        blocks = re.findall(r'```bash\n(.*?)```', file.read(), flags=re.S)
    found = [block for block in blocks if f'-lang={language} ' in block]
    expect(len(found) == 1, f'docs/plugin-author.md shows {len(found)} ways to begin in {language}')
    return found[0]


def conforms(sandbox, language, device, environment):
    """Writes the project, builds it and runs its own test: a driver by the tutorial's commands, a device plugin by the same ones."""
    place = os.path.join(sandbox.directory, language)
    os.makedirs(place, exist_ok=True)
    commands = tutorial(language)
    if device:
        commands = commands.replace('drover plugin new', 'drover plugin new -device')
    result = subprocess.run(['sh', '-ec', commands], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=800, check=False,
                            env={**os.environ, 'GOFLAGS': '-mod=readonly', 'CONFORMANCE': '-idle 3s', 'TMPDIR': sandbox.directory,
                                 'PATH': f'{os.path.dirname(sandbox.drover)}:{os.environ["PATH"]}', **environment})
    text = result.stdout
    print(f'  {language}: {(text.strip().splitlines() or [""])[-1]}', flush=True)
    for finding in re.findall(r'^(?:FAIL|warn).*(?:\n  .*)*', text, flags=re.M):
        print('  ' + finding.replace('\n', '\n  '), flush=True)
    expect(result.returncode == 0, f'exit status {result.returncode}:\n{text[-4000:]}')
    passed = int(re.search(r'(\d+) passed', text).group(1))
    expect(passed >= (50 if device else 80), f'only {passed} items passed')


def go_is_here():
    if not shutil.which('go'):
        raise Skip('no go: `make setup` installs it')
    version = subprocess.run(['go', 'env', 'GOVERSION'], capture_output=True, text=True, check=True).stdout.strip()
    numbers = [int(part) for part in re.findall(r'\d+', version)[:2]]
    if numbers < [1, 23]:
        raise Skip(f'the projects need Go 1.23, this is {version}')
    if not shutil.which('protoc'):
        raise Skip('no protoc: `make setup` installs it')


def go_modules(sandbox, name):
    done = subprocess.run(['go', 'mod', 'download'], cwd=os.path.join(sandbox.directory, name), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Skip(f'neither a cache nor a proxy of Go modules: {done.stderr.strip().splitlines()[-1]}')
    shutil.rmtree(os.path.join(sandbox.directory, name))


def with_go(sandbox, device):
    go_is_here()
    new(sandbox, '-lang=go', 'probe')
    go_modules(sandbox, 'probe')
    conforms(sandbox, 'go', device, {})


def python():
    """A Python with what requirements.txt names: the machine's, since Debian packages it."""
    for candidate in ('/usr/bin/python3', 'python3'):
        if shutil.which(candidate) and subprocess.run([candidate, '-c', PYTHON_NEEDS], capture_output=True, check=False).returncode == 0:
            return candidate
    raise Skip('no python3 has grpcio, protobuf and msgpack: `make setup` installs them')


def installed_sdk(sandbox):
    """Installs libdrover-sdk below the sandbox, as a package would be moved to its place; returns the environment to find it."""
    if not os.path.exists(os.path.join(BUILD, 'sdk/library/libdrover-sdk.a')):
        raise Skip('the build has no libdrover-sdk')
    place = os.path.join(sandbox.directory, 'sdk')
    subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', place, '--tags', 'devel'], check=True, capture_output=True, timeout=120)
    found = glob.glob(f'{place}/**/pkgconfig/drover-sdk.pc', recursive=True)
    expect(len(found) == 1, f'pkg-config files: {found}')
    with open(found[0], encoding='utf-8') as file:
        text = file.read()
    prefix = re.search('^prefix=(.*)$', text, flags=re.M).group(1)
    with open(found[0], 'w', encoding='utf-8') as file:
        file.write(text.replace(f'prefix={prefix}\n', f'prefix={place}{prefix}\n', 1))
    return {'PKG_CONFIG_PATH': os.path.dirname(found[0]), 'LD_LIBRARY_PATH': os.path.dirname(os.path.dirname(found[0])), 'PREFIX': place + prefix}


def test_what_is_refused(sandbox):
    expect(new(sandbox, '-lang=go', 'taken').returncode == 0, 'a first project')
    for arguments, said in ((['-lang=go', 'taken'], '"taken" exists already: choose another name, or remove it'),
                            (['-lang=go', 'Bad/name'], 'is no name for a plugin: begin with a small letter'),
                            (['-lang=go', '../up'], 'is no name for a plugin'),
                            (['-lang=go', ''], 'is no name for a plugin'),
                            (['-lang=cobol', 'fine'], 'there are no templates for the language "cobol": -lang is cpp, go or python'),
                            (['fine'], 'Say in which language: -lang=cpp, -lang=go or -lang=python'),
                            (['-lang=go'], 'This command takes one argument: <name>')):
        result = new(sandbox, *arguments)
        expect(result.returncode == 1, f'{arguments}: exit status {result.returncode}')
        contains(result.stdout + result.stderr, said)
    expect(sorted(os.listdir(sandbox.directory)).count('fine') == 0, 'a refused project was written')


def test_json_names_the_files(sandbox):
    for language in ('cpp', 'go', 'python'):
        for device in (False, True):
            name = f'{language}-{device}'.lower()
            result = new(sandbox, '-json', f'-lang={language}', f'-device={str(device).lower()}', name)
            expect(result.returncode == 0, result.stderr)
            report = json.loads(result.stdout)
            expect(report['Name'] == name and report['Language'] == language and report['Type'] == ('device' if device else 'driver'), str(report))
            there = sorted(os.path.relpath(os.path.join(base, file), os.path.join(sandbox.directory, name))
                           for base, _, files in os.walk(os.path.join(sandbox.directory, name)) for file in files)
            expect(there == sorted(report['Files']), f'{there} are there, {report["Files"]} were named')
            for wanted in ('Makefile', 'README.md', 'conformance.hcl', '.github/workflows/ci.yml'):
                expect(wanted in there, f'{name} has no {wanted}')
            for file in there:
                with open(os.path.join(sandbox.directory, name, file), encoding='utf-8') as text:
                    left = re.findall(r'@(?:name|program|packages|conformance_flags)@', text.read())
                expect(not left, f'{name}/{file}: {left} is not filled in')


def in_every_language(sandbox, device, cpp):
    """Most of the suite waits, so the three run side by side."""
    environment = installed_sdk(sandbox)
    work = {'cpp': lambda: conforms(sandbox, 'cpp', device, {**environment, **cpp}),
            'go': lambda: with_go(sandbox, device),
            'python': lambda: conforms(sandbox, 'python', device, {'PYTHON': python()})}
    with concurrent.futures.ThreadPoolExecutor(len(work)) as pool:
        running = {language: pool.submit(one) for language, one in work.items()}
    problems = {language: one.exception() for language, one in running.items() if one.exception()}
    skipped = {language: problem for language, problem in problems.items() if isinstance(problem, Skip)}
    for language, problem in skipped.items():
        print(f'  {language} is not checked: {problem}', flush=True)
    failed = {language: str(problem) for language, problem in problems.items() if language not in skipped}
    expect(not failed, '\n'.join(f'{language}: {text}' for language, text in failed.items()))
    if len(skipped) == len(work):
        raise Skip('; '.join(str(problem) for problem in skipped.values()))
    return environment


def test_drivers_conform(sandbox):
    in_every_language(sandbox, False, {})
    shutil.rmtree('/run/hello', ignore_errors=True)


def test_devices_conform(sandbox):
    environment = in_every_language(sandbox, True, {'STATIC': 'false'})
    program = os.path.join(sandbox.directory, 'cpp/hello/build/drover-device-hello')
    needed = subprocess.run(['ldd', program], capture_output=True, text=True, check=True, env={**os.environ, **environment}).stdout
    contains(needed, f'libdrover-sdk.so.0 => {environment["PREFIX"]}')


def compiler():
    """One that is good with coroutines, as the projects' Makefile takes."""
    for candidate in ('clang++-19', 'g++-13', 'g++-14'):
        if shutil.which(candidate):
            return candidate
    raise Skip('neither clang 19 nor g++ 13')


def test_isolation_in_ten_lines(sandbox):
    """The tutorial's isolated driver, text and commands as they stand there, against the SDK as it is installed; then what one of its tasks sees."""
    with open(os.path.join(ROOT, 'docs/plugin-author.md'), encoding='utf-8') as file:
        section = re.search(r'## Isolation in ten lines\n(.*?)\n## ', file.read(), flags=re.S).group(1)
    source, commands = re.search(r'```cpp\n(.*?)```.*?```bash\n(.*?)```', section, flags=re.S).groups()
    with open(os.path.join(ROOT, 'sdk/examples/isolated-driver/main.cc'), encoding='utf-8') as file:
        expect(file.read() == source, 'docs/plugin-author.md shows another text than sdk/examples/isolated-driver/main.cc')
    environment = installed_sdk(sandbox)
    place, tools = os.path.join(sandbox.directory, 'boxed'), os.path.join(sandbox.directory, 'tools')
    os.mkdir(place)
    os.mkdir(tools)
    os.symlink(shutil.which(compiler()), os.path.join(tools, 'c++'))
    with open(os.path.join(place, 'main.cc'), 'w', encoding='utf-8') as file:
        file.write(source)
    # What a package installs, beside the SDK.
    variable = subprocess.run(['pkg-config', '--variable=executor', 'drover-sdk'], capture_output=True, text=True, check=True, env={**os.environ, **environment}).stdout.strip()
    expect(variable == environment['PREFIX'] + '/libexec/drover/drover-executor', f'the executor is said to be {variable}')
    os.makedirs(os.path.dirname(variable), exist_ok=True)
    shutil.copy2(os.path.join(os.path.dirname(os.path.dirname(sandbox.drover)), 'libexec/drover/drover-executor'), variable)
    result = subprocess.run(['sh', '-ec', commands.replace('drover plugin conformance', 'drover plugin conformance -idle 3s')], cwd=place, capture_output=True, text=True, timeout=800,
                            check=False, env={**os.environ, **environment, 'TMPDIR': sandbox.directory, 'DROVER_STATE_DIR': sandbox.directory + '/state',
                                              'PATH': f'{tools}:{os.path.dirname(sandbox.drover)}:{os.environ["PATH"]}'})
    text = result.stdout + result.stderr
    expect(result.returncode == 0, f'exit status {result.returncode}:\n{text[-4000:]}')
    passed = int(re.search(r'(\d+) passed', text).group(1))
    print(f'  {text.strip().splitlines()[-1]}', flush=True)
    expect(passed >= 80, f'only {passed} items passed')

    # Loaded by an agent that names its own executor.
    agent = sandbox.agent(extra=f'plugin_dir = "{place}"\nplugin "drover-driver-boxed" {{\n  config {{\n    allow_degraded = true\n  }}\n}}\n')
    agent.start(drivers=('boxed',))
    script = 'echo host $(hostname); echo pid $$; echo uid $(id -u); echo caps $(grep CapBnd /proc/self/status | cut -f2); echo root $(ls -d /home /root 2>/dev/null); exit 3'
    job = shell_job('seen', script, driver='boxed', kind='batch')
    agent.run(job, '-detach')
    alloc = agent.wait_alloc('seen', 'failed')
    seen = agent.logs(alloc['ID'], 't')
    contains(seen, 'host box\n', 'pid 1\n', f'uid {pwd.getpwnam("nobody").pw_uid}\n', 'caps 0000000000000000\n', 'root\n')


def test_the_shared_sdk_shows_nothing_of_what_it_is_made_of(sandbox):
    environment = installed_sdk(sandbox)
    library = os.path.join(environment['LD_LIBRARY_PATH'], 'libdrover-sdk.so')
    names = subprocess.run(['nm', '-DC', '--defined-only', library], capture_output=True, text=True, check=True).stdout.splitlines()
    ours = [name for name in names if 'drover::' in name]
    expect(len(ours) > 100, f'{len(ours)} symbols of ours')
    foreign = [name for name in names if re.search(r'\b(grpc|google::protobuf|absl|hashicorp)::', name) and 'drover::' not in name]
    expect(not foreign, f'symbols of others: {foreign[:5]}')


if __name__ == '__main__':
    main(globals())
