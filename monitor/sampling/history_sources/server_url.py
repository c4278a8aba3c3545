"""Server URL: base URL and user of a server with the Prometheus API."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit


@dataclass(frozen=True)
class ServerUrl:
    """URL of a server.

    Attributes:
        base: URL without user.
        user: user name; empty for none.
    """

    base: str
    user: str


def parse_server_url(text: str) -> ServerUrl:
    """Return the parts of a URL; `/api/v1` at its end is left out.

    Raises:
        ValueError: the text is no URL of http or https, or has a password, a query or a fragment; the message does
            not contain the text.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError("is not a URL such as http://127.0.0.1:9090") from error
    if parts.password is not None:
        raise ValueError(
            "must not contain a password, which other users of this host could see: leave it out, and set "
            "MONITOR_PROMETHEUS_PASSWORD"
        )
    is_plain = text.isascii() and text.isprintable() and " " not in text
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise ValueError("is not a URL such as http://127.0.0.1:9090")
    if parts.query or parts.fragment:
        raise ValueError("must end with the path prefix of the server, without ? and #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return ServerUrl(urlunsplit((parts.scheme, netloc, path, "", "")), unquote(parts.username or ""))
