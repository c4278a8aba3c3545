"""HTTP response helpers: status lines, plain-text bodies and security headers."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

Headers = list[tuple[str, str]]
"""Names and values of HTTP headers, in the order in which they are sent."""

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"

SECURITY_HEADERS = {
    # Allow the page's own files only: no inline script, no other origin, no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "monitor",
}
"""Default headers of every response."""


def status_line(code: int) -> str:
    """Return the WSGI status of a code, such as `404 Not Found`."""
    return f"{code} {HTTPStatus(code).phrase}"


def accepts_gzip(accept_encoding: str) -> bool:
    """Return True if an Accept-Encoding header accepts gzip (RFC 9110, section 12.5.3)."""
    weights = {}
    for entry in accept_encoding.lower().split(","):
        coding, _, parameter = entry.partition(";")
        key, _, weight = parameter.partition("=")
        weights[coding.strip()] = weight.strip() if key.strip() == "q" else "1"
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.rstrip("0.") != ""


def text_response(text: str) -> tuple[Headers, bytes]:
    """Return the headers and the body of a response that consists of one line of text."""
    body = f"{text}\n".encode()
    headers = [
        ("Content-Type", TEXT),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return headers, body


def with_security_headers(headers: Iterable[tuple[str, str]], configured: Iterable[tuple[str, str]] = ()) -> Headers:
    """Return the headers of a response together with the security headers, each name once.

    Args:
        headers: the response's own headers; they take precedence over the default security headers.
        configured: headers of the configuration; they take precedence over both.
    """
    configured_headers = dict(configured)
    configured_names = {name.lower() for name in configured_headers}
    result = [(name, value) for name, value in headers if name.lower() not in configured_names]
    present = {name.lower() for name, _ in result}
    security = {**SECURITY_HEADERS, **configured_headers}
    return result + [(name, value) for name, value in security.items() if name.lower() not in present]
