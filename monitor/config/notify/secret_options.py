"""Options for secrets: URLs, files and environment variables that contain them.

No message of these options quotes a value, because a secret may be written in the wrong key.
"""

from __future__ import annotations

import json
import re
from typing import Any

from monitor.config.options import Option, Reader, option_field
from monitor.system.redaction import REDACTED

MAX_LENGTH = 4096
"""Largest length of a value in characters."""

_ORIGIN = re.compile(r"(https?://(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::\d{1,5})?)(/.*)?", re.ASCII | re.DOTALL)


def secret_url(description: str) -> Any:
    """Return an option for a URL whose path, user, query or fragment may be a secret."""
    return _option(r"[a-zA-Z][a-zA-Z0-9+.-]*://[!-~]+", "a URL", description, show=hide_path)


def file_name(description: str) -> Any:
    """Return an option for the path of a file that holds a secret."""
    return _option(r"(?!.*://)[^\x00-\x1f\x7f]+", "the path of a file", description)


def variable_name(description: str) -> Any:
    """Return an option for the name of an environment variable that holds a secret."""
    return _option(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable", description)


def hide_path(url: str) -> str:
    """Return an HTTP URL with REDACTED in place of its path, another URL as its scheme; an empty URL stays."""
    if not url:
        return url
    match = _ORIGIN.fullmatch(url)
    if match is None:
        return f"{url.partition('://')[0]}://{REDACTED}"
    origin, path = match.groups(default="")
    return f"{origin}/{REDACTED}" if path.strip("/") else url


def _option(pattern: str, expected: str, description: str, show: Any = lambda value: value) -> Any:
    details = Option(
        read=_reader(pattern, expected),
        write=json.dumps,
        description=description,
        takes=expected,
        default_text="none",
        show=show,
    )
    return option_field("", details)


def _reader(pattern: str, expected: str) -> Reader:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be {expected}, not a {type(value).__name__}")  # noqa: TRY004
        if value and (len(value) > MAX_LENGTH or not re.fullmatch(pattern, value, re.ASCII)):
            raise ValueError(f"not {expected}")
        return value

    return read
