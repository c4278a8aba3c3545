"""Databases for the tests of storage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage import Database, open_database


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database("sqlite://") as opened:
        yield opened
