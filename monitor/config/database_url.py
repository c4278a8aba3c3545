"""Option storage.url: validation without ever quoting a credential."""

from __future__ import annotations

import re
from typing import Any

from monitor.config.options import abbreviate, option
from monitor.system.redaction import redact_url

EXAMPLE = "sqlite:////srv/monitor/monitor.db"

EXPECTED = f'sqlite:/// and a path, without credentials, query or fragment, such as "{EXAMPLE}"'

MAX_LENGTH = 4096
"""Largest length of a URL in characters: the longest path that Linux accepts."""

_SQLITE_PATH = re.compile(r"sqlite:///[^\x00-\x1f\x7f\ud800-\udfff]+")


def database_url(default: str, description: str, *, default_text: str) -> Any:
    """Return an option whose value is the URL of a SQLite file, or empty.

    Args:
        default: the default value.
        description: see `Option`.
        default_text: see `Option`.
    """
    return option(default, read_url, description, takes="a string", example=f'"{EXAMPLE}"', default_text=default_text)


def read_url(value: Any) -> str:
    """Return a URL that consists of `sqlite:///` and a path, or an empty text.

    A URL with credentials, query or fragment is invalid: SQLite uses none of them, and the URL is part of reports,
    logs and messages. The message quotes the URL as `redact_url` returns it.

    Raises:
        ValueError: the value is not such a URL.
    """
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} is not {EXPECTED}")  # noqa: TRY004
    shown = redact_url(value)
    if value and (shown != value or len(value) > MAX_LENGTH or not _SQLITE_PATH.fullmatch(value)):
        raise ValueError(f"{abbreviate(shown)} is not {EXPECTED}")
    return value
