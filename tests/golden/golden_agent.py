"""The agent that recorded sessions are replayed against: one server and client as the recordings' README files describe it.

Its ports are free ones; recorded texts that hold the recording's ports get them in their place. BUILD names the build directory."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'integration'))
import harness  # pylint: disable=wrong-import-position

CONFIG = '''
name = "golden-1"
datacenter = "dc1"
bind_addr = "127.0.0.1"
data_dir = "{data}"
plugin_dir = "{plugins}"
log_level = "DEBUG"
ports {{
  http = {http}
  rpc = {rpc}
  serf = {serf}
}}
client {{
  enabled = true
  node_class = "golden"
  cpu_total_compute = 8000
  memory_total_mb = 16000
  network_interface = "lo"
  meta {{
    rack = "r1"
    zone = "z1"
    owner = "team-a"
  }}
  host_volume "scratch" {{
    path = "{scratch}"
  }}
  options {{
    "driver.allowlist" = "raw_exec,mock_driver"
  }}
}}
telemetry {{
  prometheus_metrics = true
  disable_hostname = true
}}
plugin "raw_exec" {{ config {{ enabled = true }} }}
plugin "drover-driver-mock" {{}}
'''


def start_agent(sandbox, extra=''):
    plugins, scratch = (os.path.join(sandbox.directory, name) for name in ('plugins', 'vol'))
    os.mkdir(plugins)
    os.mkdir(scratch)
    shutil.copy2(os.path.join(harness.BUILD, 'tests/mock-driver/drover-driver-mock'), plugins)
    text = CONFIG.replace('{plugins}', plugins).replace('{scratch}', scratch)
    return sandbox.agent(name='golden', dev=True, base=text + extra).start(drivers=('raw_exec', 'mock_driver'))
