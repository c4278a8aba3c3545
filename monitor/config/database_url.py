"""Option storage.url: validation without ever quoting a credential."""

from __future__ import annotations

import platform
import re
from typing import Any
from urllib.parse import unquote

from monitor.config.options import abbreviate, option
from monitor.system.redaction import redact_url

EXAMPLE = "sqlite:////srv/monitor/monitor.db"

EXPECTED = "sqlite:/// and a path, or postgresql+psycopg:// and an address without a password"

MAX_LENGTH = 4096
"""Largest length of a URL in characters: the longest path that Linux accepts."""

SERVER_PARAMETERS = (
    "host",
    "port",
    "passfile",
    "target_session_attrs",
    "connect_timeout",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
)
"""Parameters of libpq that the URL of a server may have: none contains a credential."""

_HOST_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,54}")

_LOCAL_HOST = re.compile(r"|/.*|(?:localhost|127(?:\.\d+){3}|\[?::1\]?)(?::\d+)?")

_SQLITE_PATH = re.compile(r"sqlite:///[^\x00-\x1f\x7f\ud800-\udfff]+")

_PARAMETER = rf"(?:{'|'.join(SERVER_PARAMETERS)})=[\w.,:/%~-]{{1,512}}"
_SERVER = re.compile(
    rf"postgresql(?:\+psycopg)?://(?:[\w.-]{{1,63}}@)?(?:\[[0-9a-f:]+\]|[\w.-]*)(?::\d{{1,5}})?/[\w.-]{{1,63}}"
    rf"(?:\?{_PARAMETER}(?:&{_PARAMETER})*)?",
    re.ASCII,
)


def database_url(default: str, description: str, *, default_text: str) -> Any:
    """Return an option whose value is the URL of a SQLite file or of a PostgreSQL database, or empty.

    Args:
        default: the default value.
        description: see `Option`.
        default_text: see `Option`.
    """
    return option(default, read_url, description, takes="a string", example=f'"{EXAMPLE}"', default_text=default_text)


def read_url(value: Any) -> str:
    """Return the URL of a SQLite file or of a PostgreSQL database, or an empty text.

    A URL with a password or an unknown parameter is invalid: the URL is part of reports, logs and messages. The
    message quotes the URL as `redact_url` returns it.

    Raises:
        ValueError: the value is not such a URL.
    """
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} is not {EXPECTED}")  # noqa: TRY004
    if not value or (len(value) <= MAX_LENGTH and _SERVER.fullmatch(value)):
        return value
    shown = redact_url(value)
    if shown != value or len(value) > MAX_LENGTH or not _SQLITE_PATH.fullmatch(value):
        raise ValueError(f"{abbreviate(shown)} is not {EXPECTED}")
    return value


def read_host(value: Any) -> str:
    """Return the name of a host, or an empty text.

    Raises:
        ValueError: the value is no such name.
    """
    if not isinstance(value, str) or (value and not is_host_name(value)):
        raise ValueError(f"must be a name in lower case, at most 55 of a-z0-9._-, not {abbreviate(value)}")
    return value


def is_server_url(url: str) -> bool:
    """Return True for the URL of a PostgreSQL database."""
    return url.startswith("postgresql")


def is_local_url(url: str) -> bool:
    """Return True if the database is a file, or on a server of this host: a Unix socket or the loopback interface."""
    if not is_server_url(url):
        return True
    authority, _, query = url.partition("://")[2].partition("?")
    hosts = re.findall(r"(?:^|&)host=([^&]*)", query) or [authority.partition("/")[0].rpartition("@")[2]]
    return all(_LOCAL_HOST.fullmatch(unquote(host)) for host in hosts)


def local_host_name() -> str:
    """Return the name of this host, in lower case."""
    return platform.node().lower()


def is_host_name(name: str) -> bool:
    """Return True for a name that a host may have in a PostgreSQL database."""
    return _HOST_NAME.fullmatch(name) is not None


def url_of_host(url: str, host: str) -> str:
    """Return the URL of the rows of one host in a PostgreSQL database."""
    # Commands that open no database start without SQLAlchemy.
    from storage.postgresql.addresses import for_host  # noqa: PLC0415

    return for_host(url, host)
