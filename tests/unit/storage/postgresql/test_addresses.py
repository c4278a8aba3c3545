"""Addresses of databases on a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from monitor.config import database_url
from storage import StorageError, StorageErrorKind, open_database
from storage.postgresql.addresses import driver_url, for_host, is_host_name, schema_of, shown_name

pytestmark = pytest.mark.unit

URL = "postgresql+psycopg://monitor:secret@db:5433/metrics?sslmode=require"


def test_url_of_a_host_names_its_schema() -> None:
    url = make_url(for_host(URL, "web-1.example"))
    assert schema_of(url) == "monitor_web-1.example"
    assert driver_url(url) == make_url(URL)


def test_url_of_sqlite_is_the_same_for_every_host() -> None:
    assert for_host("sqlite:////srv/m.db", "web-1") == "sqlite:////srv/m.db"


def test_shown_name_has_neither_password_nor_parameters() -> None:
    assert shown_name(make_url(for_host(URL, "web-1"))) == "postgresql://monitor@db:5433/metrics (host web-1)"


@pytest.mark.parametrize("url", [URL, for_host(URL, "Web"), for_host(URL, 'x"; DROP'), for_host(URL, "x" * 56)])
def test_url_without_a_valid_host_is_refused(url: str) -> None:
    with pytest.raises(StorageError) as caught:
        open_database(url)
    assert caught.value.kind is StorageErrorKind.INVALID_URL
    assert "secret" not in str(caught.value)


@given(st.from_regex(r"[a-z0-9A-Z._\-\"]{0,60}", fullmatch=True))
def test_configuration_accepts_the_same_host_names(name: str) -> None:
    assert database_url.is_host_name(name) == is_host_name(name)
