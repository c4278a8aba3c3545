"""Addresses of databases on a PostgreSQL server: schema of a host, URL for the driver."""

from __future__ import annotations

import re
from urllib.parse import quote

from sqlalchemy import URL

BACKEND = "postgresql"

DRIVER = "postgresql+psycopg"

HOST_PARAMETER = "monitor_host"
"""Parameter of the query of a URL with the name of the host whose rows are read and written."""

SCHEMA_PREFIX = "monitor_"

MAX_HOST_LENGTH = 55
"""Largest length of the name of a host: PostgreSQL cuts names at 63 bytes."""

_HOST = re.compile(r"[a-z0-9][a-z0-9._-]*")


def is_server(url: URL) -> bool:
    """Return True for the URL of a database on a PostgreSQL server."""
    return url.get_backend_name() == BACKEND


def for_host(url: str, host: str) -> str:
    """Return the URL of the rows of one host; a URL of another database is returned as it is.

    Args:
        url: URL of the database.
        host: name of the host, see `is_host_name`.
    """
    if not url.startswith(BACKEND):
        return url
    return f"{url}{'&' if '?' in url else '?'}{HOST_PARAMETER}={quote(host)}"


def is_host_name(name: str) -> bool:
    """Return True if a name can be that of a host: lower-case letters, digits, dots, hyphens and underscores."""
    return len(name) <= MAX_HOST_LENGTH and _HOST.fullmatch(name) is not None


def host_of(url: URL) -> str:
    """Return the name of the host in a URL of `for_host`.

    Raises:
        ValueError: the URL names no host.
    """
    name = url.query.get(HOST_PARAMETER, "")
    if not isinstance(name, str) or not is_host_name(name):
        raise ValueError(f"the name of the host is not one of at most {MAX_HOST_LENGTH} characters in a-z0-9._-")
    return name


def schema_of(url: URL) -> str:
    """Return the name of the schema with the tables of the host in a URL.

    Raises:
        ValueError: the URL names no host.
    """
    return SCHEMA_PREFIX + host_of(url)


def driver_url(url: URL) -> URL:
    """Return the URL for the driver: psycopg, without the parameter of the host."""
    return url.set(drivername=DRIVER).difference_update_query([HOST_PARAMETER])


def shown_name(url: URL) -> str:
    """Return a name of the database for messages: without password and without the parameters of the connection."""
    shown = without_password(url).set(drivername=BACKEND, query={}).render_as_string()
    return f"{shown} (host {host_of(url)})"


def without_password(url: URL) -> URL:
    """Return a URL without its password."""
    return URL.create(
        drivername=url.drivername,
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=url.query,
    )
