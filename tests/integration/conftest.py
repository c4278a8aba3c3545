"""A database with half a day of a made-up host in it: bursts in a rhythm that can be learned."""

import functools
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from monitor.cli.main import main
from storage import Sample, SampleRepository, open_database

STEP = 10.0

CONFIG = """
[sampling]
interval = "10s"
[storage]
url = "sqlite:///{database}"
[high_load]
rules = [{{ cpu_usage = 0.8 }}]
sustained = "20s"
horizons = ["1m", "5m"]
[training]
layers = [16]
epochs = 12
min_history = "1h"
"""


def host(rows, end, seed=0):
    """Samples up to `end`: twelve bursts in two hours, memory that wanders, a rate."""
    rng = np.random.default_rng(seed)
    end = np.floor(end / STEP) * STEP
    for at in end - STEP * np.arange(rows)[::-1]:
        busy = (at % 600) < 150
        yield Sample(
            float(at),
            cpu_usage=float(np.clip(0.3 + 0.6 * busy + rng.normal(0, 0.03), 0, 1)),
            memory_usage=float(0.5 + 0.1 * np.sin(at / 5000)),
            network_receive=float(np.exp(rng.normal(8, 1))),
        )


@functools.cache
def empty_database():
    """Return the content of a new database. Creating one takes a process of its own, copying it does not."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.db"
        open_database(f"sqlite:///{path}").close()
        return path.read_bytes()


def create_database(path):
    """Create an empty database like that of the first start, and return its URL."""
    path.touch(mode=0o600)
    path.write_bytes(empty_database())
    return f"sqlite:///{path}"


@functools.cache
def trained_database():
    """Return (content, end) of a database with 2000 samples up to `end` and the model that `retrain` made of them."""
    with tempfile.TemporaryDirectory() as directory:
        host_admin = Admin(Path(directory), None)
        end = time.time()
        host_admin.fill(end=end)
        command = [sys.executable, "-m", "monitor", "--config", str(host_admin.config), "retrain"]
        subprocess.run(command, check=True, capture_output=True)
        return host_admin.database.read_bytes(), end


class Admin:
    """Commands over one database, in this process."""

    def __init__(self, directory, capsys):
        self.directory, self._capsys = directory, capsys
        self.database = directory / "monitor.db"
        self.config = directory / "config.toml"
        self.config.write_text(CONFIG.format(database=self.database))

    @property
    def url(self):
        return f"sqlite:///{self.database}"

    def fill(self, rows=2000, end=None, seed=0):
        if not self.database.exists():
            create_database(self.database)
        with open_database(self.url) as database:
            SampleRepository(database).append_many(host(rows, end or time.time(), seed))

    def fill_and_train(self):
        """Copy a database with a trained model, and add the samples since; the model is trained once per process."""
        content, end = trained_database()
        create_database(self.database)
        self.database.write_bytes(content)
        now = time.time()
        if rows := int(now // STEP - end // STEP):
            self.fill(rows, end=now)

    def __call__(self, *arguments):
        code = main(["--config", str(self.config), *arguments])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err


@pytest.fixture
def admin(tmp_path, capsys, monkeypatch):
    # The test process itself must not stay at the lowest priority.
    monkeypatch.setattr("monitor.system.processes.lower_priority", lambda: None)
    return Admin(tmp_path, capsys)


@pytest.fixture
def doctor(admin):
    """Return a function that runs `monitor doctor --json`: exit code, and results by check and subject."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    admin.config.write_text(f'{admin.config.read_text()}[web]\nlisten = "127.0.0.1:{port}"\n')

    def run():
        code, out, err = admin("doctor", "--json")
        assert err == ""
        return code, {
            f"{result['check']} {result['subject']}".strip(): result for result in json.loads(out)["checks"]
        }

    return run
