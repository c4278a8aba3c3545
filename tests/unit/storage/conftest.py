"""Fixtures of the storage tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from storage import Database, open_database
from tests.postgresql import PostgresServer

SCHEMAS = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new database, of each kind."""
    if request.param == "sqlite":
        return "sqlite://"
    postgresql: PostgresServer = request.getfixturevalue("postgresql")
    return postgresql.url(f"host-{next(SCHEMAS)}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file without rows. Creating one takes a process of its own, copying it does not."""
    path = tmp_path_factory.mktemp("empty") / "x.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def url(empty_file: Path, tmp_path: Path) -> str:
    """The URL of an empty database `x.db` in the temporary directory."""
    shutil.copy(empty_file, tmp_path / "x.db")
    return f"sqlite:///{tmp_path}/x.db"


@pytest.fixture
def database_in_file(url: str) -> Iterator[Database]:
    with open_database(url) as opened:
        yield opened
