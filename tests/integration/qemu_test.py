#!/usr/bin/env python3
"""The qemu driver with a real QEMU (TCG) and a small machine that is made here from packages."""
import http.client
import json
import os
import stat

import guest_image
import harness
from harness import contains, expect, until

CONFIG = '''
plugin "qemu" {{ config {{ image_paths = ["{place}"] }} }}
'''


def machine_job(name, config, kind='service'):
    return f'''
job "{name}" {{
  type = "{kind}"
  group "g" {{
    restart {{
      attempts = 0
      mode     = "fail"
    }}
    reschedule {{
      attempts  = 0
      unlimited = false
    }}
    network {{
      port "web" {{}}
    }}
    task "machine" {{
      driver       = "qemu"
      kill_timeout = "60s"
      config {{
        {config}
      }}
      resources {{
        cpu    = 100
        memory = 256
      }}
    }}
  }}
}}
'''


def start(sandbox, dev=True):
    guest_image.need('qemu-system-x86_64')
    agent = sandbox.agent(dev=dev, extra=CONFIG.format(place=sandbox.directory))
    return agent.start(drivers=('qemu',))


def ask(port):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=2)
    try:
        connection.request('GET', '/')
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ''
    finally:
        connection.close()


def test_attributes_are_those_of_the_emulator(sandbox):
    attributes = start(sandbox).wait_node(('qemu',))['Attributes']
    expect(attributes['driver.qemu'] in ('1', 'true'), f'driver.qemu: {attributes["driver.qemu"]}')
    contains(os.popen('qemu-system-x86_64 --version').read(), f'version {attributes["driver.qemu.version"]} ')
    expect('qemu-system-x86_64' in attributes['driver.qemu.emulators'].split(','), f'emulators: {attributes["driver.qemu.emulators"]}')


def test_a_machine_answers_survives_the_agent_and_powers_off(sandbox):
    image = guest_image.make(sandbox.directory, 'hello from the guest')
    agent = start(sandbox, dev=False)
    agent.run(machine_job('vm', f'image_path = "{image}"\ngraceful_shutdown = true\nguest_agent = true\nport_map {{\n web = 80\n}}'), '-detach')
    alloc = agent.wait_alloc('vm', 'running', 30)
    port = alloc['AllocatedResources']['Shared']['Ports'][0]['Value']
    until('the machine to answer on its forwarded port', lambda: ask(port) == 'hello from the guest', 120, 0.2)
    contains(agent.logs(alloc['ID'], 'machine'), 'guest is ready')
    socket = os.path.join(agent.data, 'alloc', alloc['ID'], 'machine', 'qa.sock')
    expect(stat.S_ISSOCK(os.stat(socket).st_mode), f'{socket} is not a socket')
    contains(agent.cli('alloc', 'signal', '-s', 'SIGHUP', alloc['ID'], 'machine', status=1), "can't signal")
    machines = [pid for pid, exe in harness.descendants().items() if exe.startswith('qemu-system')]
    expect(len(machines) == 1, f'processes of QEMU: {machines}')
    started = harness.start_time(machines[0])
    for pid in agent.plugins('drover-driver-qemu'):
        os.kill(pid, 9)
    agent.kill9()
    agent.start(drivers=('qemu',))
    expect(harness.start_time(machines[0]) == started, 'the machine is not the one that was started')
    expect(ask(port) == 'hello from the guest', 'the machine does not answer any more')
    # A new driver, which knows the machine from its handle, presses the button.
    agent.cli('job', 'stop', '-detach', 'vm')
    done = agent.wait_alloc('vm', 'complete', 60)
    contains(agent.logs(alloc['ID'], 'machine'), 'guest powers off')
    codes = [event['ExitCode'] for event in done['TaskStates']['machine']['Events'] if event['Type'] == 'Terminated']
    expect(codes == [0], f'exit codes of a machine that powered off: {codes}')


def test_a_machine_that_is_not_asked_is_ended(sandbox):
    image = os.path.join(sandbox.directory, 'empty.img')
    with open(image, 'wb') as file:
        file.truncate(1 << 20)
    agent = start(sandbox)
    agent.run(machine_job('blunt', f'image_path = "{image}"\nargs = ["-nodefaults"]'), '-detach')
    agent.wait_alloc('blunt', 'running', 30)
    agent.cli('job', 'stop', '-detach', 'blunt')
    agent.wait_alloc('blunt', 'complete', 30)


def test_n_021_what_a_machine_may_not_have_is_said(sandbox):
    agent = start(sandbox)
    inside = os.path.join(sandbox.directory, 'disk.img')
    with open(inside, 'wb') as file:
        file.truncate(4096)
    link = os.path.join(sandbox.directory, 'link.img')
    os.symlink('/etc/shadow', link)
    for name, config, said in (('outside', 'image_path = "/etc/shadow"', 'image_path is not in the allowed paths'),
                               ('link', f'image_path = "{link}"', 'image_path is not in the allowed paths'),
                               ('up', 'image_path = "../../../../../../etc/shadow"', 'image_path is not in the allowed paths'),
                               ('args', f'image_path = "{inside}"\nargs = ["-drive", "file=/etc/shadow"]', '"-drive" is not in args_allowlist'),
                               ('stray', f'image_path = "{inside}"\nargs = ["/etc/shadow"]', 'belongs to no option'),
                               ('shell', f'image_path = "{inside}"\nemulator = "sh"', 'is not the name of a QEMU system emulator'),
                               ('drive', f'image_path = "{inside}"\ndrive_interface = "nvme"', 'Unsupported drive_interface'),
                               ('port', f'image_path = "{inside}"\nport_map {{\n db = 1\n}}', 'Unknown port label "db"')):
        agent.run(machine_job(name, config, 'batch'), '-detach')
        alloc = agent.wait_alloc(name, 'failed')
        contains(json.dumps(alloc['TaskStates']['machine']['Events']).replace('\\"', '"'), said)


if __name__ == '__main__':
    harness.main(globals())
