"""Static files of the page: scripts, style sheets and the icon."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

CONTENT_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}
"""Media type for each suffix of a file name; files with other suffixes are not served."""

DIRECTORY = files("monitor.web") / "static"


@dataclass(frozen=True)
class StaticFile:
    """Content and media type of a static file."""

    content_type: str
    content: bytes


def read_static_file(name: str) -> StaticFile | None:
    """Return a static file; None if the file does not exist, or its suffix is not in CONTENT_TYPES.

    Args:
        name: file name; names with a path separator match no file.
    """
    file = next((entry for entry in DIRECTORY.iterdir() if entry.name == name), None)
    content_type = next((kind for suffix, kind in CONTENT_TYPES.items() if name.endswith(suffix)), None)
    if file is None or content_type is None:
        return None
    return StaticFile(content_type, file.read_bytes())


@cache
def static_url(name: str) -> str:
    """Return the URL of a static file; it changes with the content, so that browsers may cache the file.

    Raises:
        FileNotFoundError: `read_static_file` returns None for the name.
    """
    file = read_static_file(name)
    if file is None:
        raise FileNotFoundError(name)
    return f"/static/{name}?v={hashlib.sha256(file.content).hexdigest()[:12]}"
