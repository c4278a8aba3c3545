"""Modules that a running daemon has loaded: each occupies memory for months."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

NOT_NEEDED = (
    "alembic",
    "apprise",
    "cramjam",
    "google.protobuf",
    "jinja2",
    "matplotlib",
    "model.nn.training",
    "model.training.pipeline",
    "monitor.fleet",
    "monitor.notifications.dispatcher",
    "monitor.notifications.job",
    "monitor.training.retrain",
    "numpy.ma",
    "numpy.polynomial",
    "numpy.random",
    "numpy.testing",
    "psycopg",
    "rich",
    "smtplib",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
    "storage.fleet.repository",
    "storage.salvage",
    "yaml",
)

SCRIPT = """
import io, sys, time
from pathlib import Path
import monitor.cli.main
from monitor.config.loader import load_config
from monitor.daemon.lifecycle import run
from monitor.daemon.object_cache import ObjectCache
from monitor.daemon.sd_notify import from_environment
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.storage import DaemonStorage
from monitor.daemon.wiring import build_services
from monitor.jobs.retraining import Trainer
from monitor.jobs.sampling_cycle import SamplingCycleJob
from monitor.sampling.sampler import Sampler
from monitor.sampling.write_buffer import WriteBuffer
from monitor.web.application import Application

config = load_config(Path(sys.argv[1]))
storage = DaemonStorage(config.storage.url)
storage.ensure_open()
holder = StateHolder(config, from_environment(), ReloadState(successful=True, at=time.time()))
services = build_services(config, storage, holder, Trainer(), ObjectCache())
buffer = WriteBuffer(storage.stores.cycles)
sampler = Sampler(services.sources, config.sampling.interval)
cycle = SamplingCycleJob(sampler, services.served, buffer, lambda _: None, (holder.publish_live,))
for _ in range(2):
    services.before_sample()
    cycle.run()
    buffer.write()
assert services.served.forecast() is not None
for job in services.jobs:
    job.function()
application = Application(holder.state, lambda: services.records)
for path in ("/metrics", "/api/v1/status", "/api/v1/history", "/api/v1/anomalies", "/api/v1/models"):
    status = []
    request = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": "", "wsgi.input": io.BytesIO()}
    list(application(request, lambda line, headers, exc_info=None: status.append(line)))
    assert status[0].startswith("200"), (path, status)
storage.close()
print(*sorted(set(sys.argv[2:]) & set(sys.modules)))
"""


NOTIFICATIONS = ("apprise", "monitor.notifications.mail", "monitor.notifications.webhook", "smtplib")
"""Modules of the sender processes: the daemon itself loads none of them, even with channels of every kind."""

CHANNELS = """
[notify.channels.hook]
url = "http://127.0.0.1:9/"
[notify.channels.mail]
kind = "email"
host = "127.0.0.1"
sender = "a@example.org"
recipients = ["b@example.org"]
[notify.channels.command]
kind = "command"
argv = ["true"]
[notify.channels.apprise]
kind = "apprise"
url = "json://127.0.0.1:9/"
"""


def test_daemon_with_channels_loads_no_library_of_theirs(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[storage]\nurl = "sqlite:///{tmp_path}/monitor.db"\n{CHANNELS}')
    command = [sys.executable, "-c", SCRIPT, str(config), *NOTIFICATIONS, "monitor.notifications.job"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.stdout, process.returncode) == ("monitor.notifications.job\n", 0), process.stderr


def test_serving_daemon_loads_nothing_that_it_does_not_need(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[storage]\nurl = "sqlite:///{tmp_path}/monitor.db"\n')
    command = [sys.executable, "-c", SCRIPT, str(config), *NOT_NEEDED]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.stdout, process.returncode) == ("\n", 0), process.stderr
