"""Job files for the tests, as text."""
import json


def shell_job(name, script, driver='raw_exec', kind='service', restart='attempts = 0\nmode = "fail"', extra=''):
    """One group, one task that runs `script` with /bin/sh."""
    return f'''
job "{name}" {{
  type = "{kind}"
  {extra}
  group "g" {{
    restart {{
      {restart}
    }}
    task "t" {{
      driver = "{driver}"
      config {{
        command = "/bin/sh"
        args    = ["-c", {json.dumps(script.replace("${", "$${"))}]
      }}
      resources {{
        cpu    = 20
        memory = 16
      }}
    }}
  }}
}}
'''


def counting_job(name, directory, driver='raw_exec'):
    """Counts lines into its log until `<directory>/stop` appears, then exits 7. Appends its pid to `<directory>/pids`."""
    return shell_job(name, f'echo $$ >>{directory}/pids; i=0; while [ ! -e {directory}/stop ]; do echo $i; i=$((i+1)); '
                     'sleep 0.01; done; exit 7', driver, 'batch', extra='reschedule {\n attempts = 0\n unlimited = false\n}')
