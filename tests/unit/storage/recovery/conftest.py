"""Fixtures of the recovery tests: a database kept open, with its reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage import Database, Sample, SampleRepository
from storage.database import closed_database
from storage.recovery.events import Recovery
from storage.recovery.keeper import DatabaseKeeper


class Kept:
    """A database with its keeper, the reported recoveries and a settable monotonic clock."""

    def __init__(self, url: str) -> None:
        self.database: Database = closed_database(url, busy_timeout=0.1)
        self.reports: list[Recovery] = []
        self.now = 0.0
        self.keeper = DatabaseKeeper(self.database, self.reports.append, monotonic=lambda: self.now)
        self.samples = SampleRepository(self.database)

    def write(self, *times: float) -> None:
        """Make sure that the database is open, and store one sample per time."""
        for at in times:
            self.keeper.ensure_open()
            self.samples.append(Sample(at, cpu_usage=0.5))

    def times(self) -> list[float]:
        return self.samples.between(0, 1e12, ())[:, 0].tolist()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def keep() -> Iterator[Callable[[str], Kept]]:
    """Return a function that keeps the database at a URL."""
    with ExitStack() as stack:

        def start(url: str) -> Kept:
            kept = Kept(url)
            stack.callback(kept.keeper.close)
            return kept

        yield start


@pytest.fixture
def kept(keep: Callable[[str], Kept], url: str) -> Kept:
    """A kept database in `path` with the samples 1 to 300."""
    opened = keep(url)
    opened.keeper.ensure_open()
    opened.samples.append_many(Sample(float(at), cpu_usage=0.5) for at in range(1, 301))
    return opened
