"""Sealed text: JSON text with a checksum.

SQLite's integrity checks do not detect a flipped bit.
"""

from __future__ import annotations

import hashlib

_START = '{"sha256": "'
_MIDDLE = '", "report": '
_END = "}"
_TEXT_FROM = len(_START) + 64 + len(_MIDDLE)


def seal(text: str) -> str:
    """Return a JSON object with a JSON text and its SHA-256 checksum."""
    return f"{_START}{_checksum(text)}{_MIDDLE}{text}{_END}"


def unseal(stored: object) -> str | None:
    """Return the JSON text of the result of `seal`; None if the value is damaged or not sealed."""
    if not isinstance(stored, str):
        return None
    text = stored[_TEXT_FROM : -len(_END)]
    # Compare the whole value: every bit of it is covered.
    return text if stored == seal(text) else None


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
