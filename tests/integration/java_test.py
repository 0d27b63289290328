#!/usr/bin/env python3
"""The java driver with the machine's own JVM and a jar that is built here with javac and jar."""
import hashlib
import json
import os
import shutil
import subprocess

import harness
from harness import contains, expect, until

PROGRAM = '''
import java.nio.file.*;

public class Main {
  public static void main(String[] args) throws Exception {
    System.out.println("args " + String.join(",", args));
    System.out.println("pid " + ProcessHandle.current().pid() + " user " + System.getProperty("user.name") + " in " + System.getProperty("user.dir"));
    System.out.println("heap " + Runtime.getRuntime().maxMemory() / (1 << 20) + " property " + System.getProperty("a"));
    System.out.println("task " + System.getenv("NOMAD_TASK_NAME") + " host visible " + Files.exists(Path.of(args[1])));
    Files.writeString(Path.of("/local/written"), "by the task");
    if (args[0].equals("exit")) System.exit(7);
    for (int i = 0; args[0].equals("stay"); ++i) {
      System.out.println("tick " + i);
      Thread.sleep(50);
    }
  }
}
'''


def program(text=PROGRAM):
    """The directory of Main.class and app.jar, made once for this text: a machine without a compiler gets it from one with."""
    final = os.path.join(harness.BUILD, f'vm/java-{hashlib.sha256(text.encode()).hexdigest()[:12]}')
    if os.path.isdir(final):
        return final
    for tool in ('java', 'javac', 'jar'):
        if not shutil.which(tool):
            raise harness.Skip(f'needs {tool}: apt-get install default-jdk-headless')
    place = f'{final}~{os.getpid()}'
    os.makedirs(place)
    with open(os.path.join(place, 'Main.java'), 'w', encoding='ascii') as file:
        file.write(text)
    subprocess.run(['javac', 'Main.java'], cwd=place, check=True)
    subprocess.run(['jar', '--create', '--file', 'app.jar', '--main-class', 'Main', 'Main.class'], cwd=place, check=True)
    os.rename(place, final)
    return final


def build(sandbox):
    place = os.path.join(sandbox.directory, 'java')
    shutil.copytree(program(), place)
    return place


def java_job(name, place, config, kind='batch'):
    """A task that brings the program in, then the JVM."""
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
    task "bring" {{
      driver = "raw_exec"
      lifecycle {{
        hook = "prestart"
      }}
      config {{
        command = "/bin/cp"
        args    = ["{place}/app.jar", "{place}/Main.class", "${{NOMAD_ALLOC_DIR}}"]
      }}
    }}
    task "main" {{
      driver = "java"
      config {{
        {config}
      }}
      resources {{
        cpu    = 100
        memory = 200
      }}
    }}
  }}
}}
'''


def start(sandbox, dev=True):
    place = build(sandbox)
    agent = sandbox.agent(dev=dev).start(drivers=())
    driver = agent.wait_drivers(('java',), 60)['Drivers']['java']
    if not driver.get('Healthy'):
        raise harness.Skip(f'java is not healthy here: {driver.get("HealthDescription")}')
    return agent, place


def test_attributes_are_those_of_the_jvm(sandbox):
    agent, _ = start(sandbox)
    attributes = agent.wait_node(('java',))['Attributes']
    said = subprocess.run(['java', '-version'], capture_output=True, text=True, check=True).stderr.splitlines()
    expect(f'"{attributes["driver.java.version"]}"' in said[0], f'driver.java.version {attributes["driver.java.version"]} of {said[0]}')
    expect(attributes['driver.java.runtime'] == said[1], f'driver.java.runtime: {attributes["driver.java.runtime"]}')
    expect(attributes['driver.java.vm'] == said[2], f'driver.java.vm: {attributes["driver.java.vm"]}')
    expect(attributes['driver.java'] in ('1', 'true'), f'driver.java: {attributes["driver.java"]}')


def test_a_jar_runs_isolated(sandbox):
    agent, place = start(sandbox)
    agent.run(java_job('jar', place, f'jar_path = "/alloc/app.jar"\njvm_options = ["-Xmx32m", "-Da=b c"]\nargs = ["end", "{place}"]'), '-detach')
    alloc = agent.wait_alloc('jar', 'complete', 60)
    log = agent.logs(alloc['ID'], 'main')
    contains(log, f'args end,{place}\n', 'pid 1 user nobody in /\n', ' property b c\n', 'task main host visible false\n')
    heap = int(log.split('heap ')[1].split()[0])
    expect(heap <= 32, f'-Xmx32m gave a heap of {heap} MiB')
    contains(agent.cli('alloc', 'fs', alloc['ID'], 'main/local/written'), 'by the task')


def test_a_class_runs_and_its_exit_code_is_the_tasks(sandbox):
    agent, place = start(sandbox)
    agent.run(java_job('class', place, f'class = "Main"\nclass_path = "/alloc"\nargs = ["exit", "{place}"]'), '-detach')
    alloc = agent.wait_alloc('class', 'failed', 60)
    codes = [event['ExitCode'] for event in alloc['TaskStates']['main']['Events'] if event['Type'] == 'Terminated']
    expect(codes == [7], f'exit codes: {codes}')


def test_what_is_wrong_with_a_task_is_said(sandbox):
    agent, place = start(sandbox)
    for name, config, said in (('none', 'args = ["x"]', 'jar_path or class must be specified'),
                               ('caps', 'class = "Main"\ncap_add = ["sys_admin"]', 'driver does not allow the following capabilities: sys_admin'),
                               ('mode', 'class = "Main"\npid_mode = "other"', 'pid_mode must be "private" or "host"'),
                               ('work', 'class = "Main"\nwork_dir = "local"', 'work_dir must be an absolute path')):
        agent.run(java_job(name, place, config), '-detach')
        alloc = agent.wait_alloc(name, 'failed')
        contains(json.dumps(alloc['TaskStates']['main']['Events']).replace('\\"', '"'), said)


def test_a_jvm_survives_agent_and_plugin(sandbox):
    agent, place = start(sandbox, dev=False)
    agent.run(java_job('stays', place, f'jar_path = "/alloc/app.jar"\njvm_options = ["-Xmx32m"]\nargs = ["stay", "{place}"]', 'service'), '-detach')
    alloc = agent.wait_alloc('stays', 'running', 60)['ID']
    until('the JVM to be started', lambda: agent.get(f'/v1/allocation/{alloc}')['TaskStates'].get('main', {}).get('State') == 'running')
    until('the first tick', lambda: 'tick 0\n' in agent.logs(alloc, 'main'), 60)
    jvms = [pid for pid, exe in harness.descendants().items() if exe == 'java']
    expect(len(jvms) == 1, f'processes of java: {jvms}')
    started = harness.start_time(jvms[0])
    for pid in agent.plugins('drover-driver-java'):
        os.kill(pid, 9)
    agent.kill9()
    agent.start(drivers=('java',))
    seen = agent.logs(alloc, 'main').count('tick')
    until('more ticks', lambda: agent.logs(alloc, 'main').count('tick') > seen)
    expect(harness.start_time(jvms[0]) == started, 'the JVM is not the one that was started')
    out = agent.cli('alloc', 'status', alloc)
    contains(out, 'running')
    # A JVM that is told to stop ends by itself, with its shutdown hooks run.
    agent.cli('job', 'stop', '-detach', 'stays')
    done = agent.wait_alloc('stays', 'complete')
    codes = [event['ExitCode'] for event in done['TaskStates']['main']['Events'] if event['Type'] == 'Terminated']
    expect(codes == [130], f'exit codes: {codes}')


if __name__ == '__main__':
    harness.main(globals())
