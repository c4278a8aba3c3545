"""The real daemon on a directory: start, observe, stop."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path

from storage.blocks.format import decode_block
from storage.blocks.series import SAMPLES
from tests.integration.conftest import create_database

LAUNCHER = Path(__file__).with_name("launcher.py")
INTERVAL = 0.2

CONFIG = """
[sampling]
interval = "{interval}s"
[storage]
url = "sqlite:///{database}"
[high_load]
rules = [{{ cpu_usage = 0.85 }}]
sustained = "1s"
horizons = ["5s", "10s"]
{training}
[web]
listen = "127.0.0.1:{port}"
"""


TRAINING = """
[training]
interval = "365d"
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Daemon:
    """A daemon with its configuration; counts the samples that it acknowledged over all its starts.

    Attributes:
        state: directory of the database.
        database: path of the database.
        config: path of the configuration file.
        log_path: file that receives stdout and stderr.
        process: the running or last process; None before the first start.
    """

    def __init__(self, directory, state=None, interval=INTERVAL, extra=""):
        """Write the configuration; `state` is the directory of the database, `extra` more TOML."""
        self.directory = directory
        self.state = state or directory
        self.database = self.state / "monitor.db"
        self.config = directory / "config.toml"
        self.log_path = directory / "log"
        self.port = free_port()
        self.interval = interval
        self._training = TRAINING
        self.configure(extra)
        self.process = None
        self._acknowledged = []
        self._tls = None

    def set_training(self, section):
        """Write the configuration with another section [training]."""
        self._training = section
        self.configure()

    def use_tls(self, context):
        """Use HTTPS with an SSL context for every request."""
        self._tls = context

    def configure(self, extra=""):
        """Write the configuration file again, with more TOML at its end."""
        text = CONFIG.format(database=self.database, port=self.port, interval=self.interval, training=self._training)
        self.config.write_text(text + extra)

    def start(self, *, fault="", env=None, wait=True, real=False, prefix=(), stderr=None, new=False):
        """Start the daemon, and wait until it has stored samples.

        Args:
            fault: Python code that the process runs before `monitor`.
            env: more environment variables.
            wait: False to return at once.
            real: True to start `python -m monitor`; intervals must be at least one second then.
            prefix: command and arguments to run the daemon with, for example setpriv, or a shell with redirections.
            stderr: file object or descriptor for stdout and stderr; None for `log_path`.
            new: True to let the daemon create a missing database; False to copy an empty one, which takes less time.
        """
        if not new and self.process is None and self.state.exists() and not self.database.exists():
            create_database(self.database)
        program = ["-m", "monitor"] if real else [str(LAUNCHER)]
        command = [*prefix, sys.executable, "-P", *program, "--config", str(self.config), "run"]
        environment = {**os.environ, "MONITOR_FAULT": fault, **(env or {})}
        environment.pop("NOTIFY_SOCKET", None)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=stderr or log, stderr=stderr or log, env=environment)
        self._acknowledged.append(0)
        if wait:
            self.wait_stored(2)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, number=signal.SIGTERM, seconds=90):
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill(self):
        """End the process without a chance to clean up."""
        return self.stop(signal.SIGKILL)

    def command(self, *arguments, timeout=240, prefix=(), fault=""):
        """Run a command of `monitor` on the same configuration; return the completed process."""
        command = [*prefix, *self.command_line(*arguments)]
        environment = {**os.environ, "MONITOR_FAULT": fault}
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=environment)

    def commands(self, *commands):
        """Run commands one after the other in one process; return their exit codes and all messages."""
        code = (
            "import json, sys; from monitor.cli.main import main; "
            "codes = [main(['--config', sys.argv[1], *words]) for words in json.loads(sys.argv[2])]; "
            "print(json.dumps(codes), file=sys.stderr)"
        )
        command = [sys.executable, "-c", code, str(self.config), json.dumps(commands)]
        completed = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        assert completed.returncode == 0, completed.stderr
        *messages, codes = completed.stderr.splitlines()
        return json.loads(codes), "\n".join(messages)

    def command_line(self, *arguments):
        """Return the command line of a command of `monitor` on the same configuration."""
        return [sys.executable, "-P", str(LAUNCHER), "--config", str(self.config), *arguments]

    def get(self, path, timeout=5):
        """Return (status code, body) of a page; (0, "") if the daemon does not answer."""
        try:
            address = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(address, timeout=timeout, context=self._tls) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def healthy(self):
        """Return True if /-/healthy answers 200."""
        return self.get("/-/healthy")[0] == 200

    def status(self):
        """Return the status document; an empty one if the daemon does not answer."""
        code, body = self.get("/api/v1/status")
        return json.loads(body) if code == 200 else {}

    def metrics(self):
        """Return the values of /metrics by name, labels included; remember the acknowledged samples."""
        code, body = self.get("/metrics")
        if code != 200:
            return {}
        lines = (line for line in body.splitlines() if line and not line.startswith("#"))
        page = {name.removeprefix("monitor_"): float(value) for name, _, value in (x.rpartition(" ") for x in lines)}
        if self.running():
            self._acknowledged[-1] = max(self._acknowledged[-1], stored_of(page))
        return page

    def metric(self, name, default=0.0):
        return self.metrics().get(name, default)

    def forget_acknowledged(self):
        """Forget the samples so far: a fault has destroyed the file that had them."""
        self._acknowledged = []

    def acknowledged(self):
        """Return the number of samples that all processes so far reported as stored."""
        return sum(self._acknowledged)

    def stored(self):
        """Return the number of samples that the running process reports as stored."""
        return stored_of(self.metrics())

    def files(self):
        """Return the database and every file next to it that was moved aside."""
        pattern = re.compile(re.escape(self.database.name) + r".*(?<!-wal)(?<!-shm)(?<!\.lock)(?<!-journal)")
        return sorted(path for path in self.state.iterdir() if pattern.fullmatch(path.name))

    def quarantined(self):
        """Return the files that were moved aside."""
        return [path for path in self.files() if path != self.database]

    def quarantined_databases(self):
        """Return the files that were moved aside, without write-ahead logs and reports."""
        return [path for path in self.quarantined() if path.suffix not in (".json", ".jsonl", ".spool")]

    @property
    def wal(self):
        return Path(f"{self.database}-wal")

    def sample_times_or_none(self):
        """Return the times of the stored samples; an empty list if the file cannot be read or does not exist."""
        with suppress(sqlite3.Error):
            return self.sample_times()
        return []

    def sample_times(self, path=None):
        """Return the times of the stored samples, in ascending order."""
        with closing(sqlite3.connect(f"file:{path or self.database}?mode=ro", uri=True, timeout=5)) as connection:
            times = [at for (at,) in connection.execute("SELECT at FROM samples")]
            # A clock that is set ahead makes samples old enough for compression.
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sample_blocks'").fetchone():
                names = [column.name for column in SAMPLES.blocks.columns]
                for row in connection.execute(f"SELECT {', '.join(names)} FROM sample_blocks"):
                    block = decode_block(SAMPLES, ("at",), dict(zip(names, row, strict=True)))
                    times += block.values[:, 0].tolist()
            # A damaged time may be text.
            return sorted(times, key=lambda at: (isinstance(at, str), at))

    def rows(self):
        """Return the number of samples in the database and in all readable files that were moved aside."""
        count = 0
        for path in self.files():
            with suppress(sqlite3.Error):
                count += len(self.sample_times(path))
        return count

    def integrity(self):
        """Return the result of SQLite's integrity check: "ok" for a good file."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)) as connection:
            return connection.execute("PRAGMA integrity_check").fetchone()[0]

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait(self, condition, seconds=120, alive=True):
        """Wait until a condition holds; return the elapsed seconds."""
        started = time.monotonic()
        while time.monotonic() < started + seconds:
            if condition():
                return time.monotonic() - started
            assert not alive or self.running(), f"the daemon exited with {self.process.returncode}\n{self.log()}"
            time.sleep(0.1)
        raise AssertionError(f"condition not met within {seconds} s\n{self.tail()}")

    def wait_stored(self, more, seconds=120):
        """Wait until the process has stored `more` samples from now on and none is waiting; return the seconds."""
        target = self.stored() + more
        return self.wait(lambda: self._stored_at_least(target), seconds)

    def _stored_at_least(self, target):
        page = self.metrics()
        return stored_of(page) >= target and page["storage_buffered_samples"] <= 1

    def wait_sampled(self, more, seconds=120):
        """Wait until the process has taken `more` samples from now on; return the seconds."""
        target = self.metric("samples_total") + more
        return self.wait(lambda: self.metric("samples_total") >= target, seconds)

    def tail(self):
        return "\n".join(self.log().splitlines()[-30:])

    def assert_no_sample_lost(self):
        """Assert that every acknowledged sample is in the database or in a file that was moved aside."""
        assert self.rows() >= self.acknowledged(), self.tail()

    def assert_stops(self, code=0):
        """Assert that SIGTERM ends the daemon with an exit code, and that no sample is lost."""
        self.metrics()
        assert self.stop() == code, self.tail()
        self.assert_no_sample_lost()


def stored_of(page):
    """Return the number of samples that a metrics page reports as stored."""
    waiting = page.get("storage_buffered_samples", 0) + page.get("samples_dropped_total", 0)
    # The number of buffered samples leaves out the one that is being stored.
    return int(max(page.get("samples_total", 0) - waiting - 1, 0))
