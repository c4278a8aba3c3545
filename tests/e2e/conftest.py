"""Fixtures of the end-to-end tests: a real daemon on a real database, and real CPU load."""

import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

INTERVAL = 1.0
HORIZON = "4s"
BURST, CALM = 5.0, 8.0
BOUND = 0.6

CONFIG = """
[sampling]
interval = "1s"
[storage]
url = "sqlite:///{state}/monitor.db"
[high_load]
rules = [{{ cpu_usage = {bound} }}]
sustained = "2s"
horizons = ["{horizon}", "6s"]
[training]
min_history = "150s"
interval = "1h"
batch_size = 32
[web]
listen = "127.0.0.1:{port}"
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def need(*tools):
    """Return the paths of tools; skip the test if one is missing, but fail in CI."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        message = f"NOT TESTED: {', '.join(missing)} not installed (apt-get install prometheus)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return [shutil.which(tool) for tool in tools]


class Service:
    """A daemon, its configuration and its commands."""

    def __init__(self, directory):
        self.port = free_port()
        self.directory = directory
        self.database = directory / "monitor.db"
        self.config = directory / "config.toml"
        self.config.write_text(CONFIG.format(state=directory, port=self.port, bound=BOUND, horizon=HORIZON))
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "monitor", "--config", str(self.config), "run"]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(10)

    def command(self, *arguments):
        command = [sys.executable, "-m", "monitor", "--config", str(self.config), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def json(self, *arguments):
        completed = self.command(*arguments, "--json")
        assert completed.returncode == 0, completed.stderr
        return json.loads(completed.stdout)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
            return response.read().decode()

    def metrics(self):
        """Return the values of the metrics page by name with labels; empty while the daemon does not respond."""
        try:
            page = self.get("/metrics")
        except OSError:
            return {}
        lines = (line for line in page.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def metrics_with_sample(self):
        page = self.metrics()
        return page if "monitor_last_sample_timestamp_seconds" in page else None

    def log(self):
        return (self.directory / "log").read_text()

    def model_serving(self):
        names = [name for name in self.metrics() if name.startswith("monitor_model_info{")]
        return int(re.search(r'model_id="(\d+)"', names[0]).group(1)) if names else None

    def wait_for(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log()
            result = condition()
            if result:
                return result
            time.sleep(0.1)
        pytest.fail(f"no {what} within {seconds} s\n{self.log()}")


def _burn(stop, started):
    while not stop.is_set():
        burst_start = time.monotonic()
        started.append(time.time())
        while time.monotonic() < burst_start + BURST and not stop.is_set():
            sum(range(20_000))
        stop.wait(max(0.0, burst_start + BURST + CALM - time.monotonic()))


@pytest.fixture(scope="session")
def burner():
    """Alternate 5 s of load on all CPUs with 8 s of rest; yield the start times of the bursts."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        stop, started = context.Event(), manager.list()
        workers = [context.Process(target=_burn, args=(stop, started)) for _ in range(os.cpu_count())]
        for worker in workers:
            worker.start()
        yield started
        stop.set()
        for worker in workers:
            worker.join()


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    running = Service(tmp_path_factory.mktemp("state"))
    running.start()
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()
