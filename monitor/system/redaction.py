"""Credential redaction: URLs and texts that contain URLs, without their secrets."""

from __future__ import annotations

import re

REDACTED = "***"
"""Text in place of a secret."""

_URL = re.compile(r"([a-z][\w+.-]{0,31}://)([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_HOST = re.compile(r"(?:\[[0-9a-f:.%]+\]|[\w.%-]*)(?::\d{0,5})?", re.IGNORECASE | re.ASCII)
_CREDENTIALS = re.compile(r"://(?=[^/\n]|/[^\n]*:)[^\n]*@")
_PARAMETER = re.compile(r"[?&;#]([\w.-]{1,64})=")
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|auth|cred|sign", re.IGNORECASE)


def redact_url(url: str) -> str:
    """Return a URL with REDACTED in place of user and password, of the query and of the fragment.

    A password that is not percent-encoded may contain the separators of a URL. A URL whose parts are therefore
    ambiguous is reduced to its scheme, and a text that is no URL to REDACTED.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return REDACTED
    scheme, authority, path, query, fragment = match.groups(default="")
    _, at, host = authority.rpartition("@")
    if not _HOST.fullmatch(host) or _is_ambiguous(authority, path, query + fragment):
        return f"{scheme}{REDACTED}"
    user = f"{REDACTED}@" if at else ""
    shown_query = f"?{REDACTED}" if query else ""
    shown_fragment = f"#{REDACTED}" if fragment else ""
    return f"{scheme}{user}{host}{path}{shown_query}{shown_fragment}"


def redact_credentials(text: str) -> str:
    """Return a text without the credentials of the URLs in it.

    The end of a URL in a text is unknown, because a password may contain spaces. Everything from the start of the
    first URL of a line to its last "@" is therefore redacted, and so is the rest of a line after the name of a
    parameter with a secret. A text about one URL is made with `redact_url`.
    """
    if "://" not in text:
        return text
    return "\n".join(map(_redact_line, text.split("\n")))


def _is_ambiguous(authority: str, path: str, tail: str) -> bool:
    """Return True if a part after the authority may contain a piece of a password, or the path a parameter."""
    before_at, at, _ = (path + tail).rpartition("@")
    if at and (authority or ":" in before_at):
        return True
    return any(_SECRET_NAME.search(match[1]) for match in _PARAMETER.finditer(path))


def _redact_line(line: str) -> str:
    line = _CREDENTIALS.sub(f"://{REDACTED}@", line)
    for match in _PARAMETER.finditer(line, line.find("://") + 3):
        rest = line[match.end() :]
        if _SECRET_NAME.search(match[1]) and not re.match(r"\*{3}(?:[&'\"\s]|$)", rest):
            return f"{line[: match.end()]}{REDACTED}"
    return line
