"""A small database and a function that runs commands on it."""

import json
import logging
from dataclasses import dataclass

import pytest

from monitor.cli.main import main
from monitor.stores import open_stores
from storage import Sample

CONFIG = """
[sampling]
interval = "10s"
[storage]
url = "sqlite:///{database}"
[high_load]
rules = [{{ cpu_usage = 0.8 }}]
horizons = ["1m", "5m"]
"""


@dataclass(frozen=True)
class CommandResult:
    """Exit code and output of one command."""

    code: int
    output: str
    errors: str

    @property
    def document(self):
        return json.loads(self.output)


class CommandRunner:
    """Runs commands with a configuration in a temporary directory."""

    def __init__(self, directory, capsys, empty_database):
        self.directory = directory
        self.database = directory / "monitor.db"
        self.config = directory / "config.toml"
        self.config.write_text(CONFIG.format(database=self.database))
        self._capsys = capsys
        self._empty_database = empty_database

    def __call__(self, *arguments):
        code = main(["--config", str(self.config), *map(str, arguments)])
        output, errors = self._capsys.readouterr()
        return CommandResult(code, output, errors)

    def stores(self):
        """Open the database; create it if it is missing."""
        if not self.database.exists():
            self.database.write_bytes(self._empty_database)
        return open_stores(f"sqlite:///{self.database}")

    def add_samples(self, *times):
        """Store one sample at each time."""
        with self.stores() as stores:
            stores.samples.append_many(Sample(at, cpu_usage=0.5) for at in times)


@pytest.fixture(autouse=True)
def _restored_logging():
    """Restore the root logger that the commands set up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Return the content of a new database: running the migrations for each test would take most of the time."""
    path = tmp_path_factory.mktemp("database") / "monitor.db"
    with open_stores(f"sqlite:///{path}"):
        pass
    return path.read_bytes()


@pytest.fixture
def run(tmp_path, capsys, monkeypatch, empty_database):
    # The test process must keep its priority.
    monkeypatch.setattr("monitor.system.processes.lower_priority", lambda: None)
    return CommandRunner(tmp_path, capsys, empty_database)
