"""HTTP responses: status line, headers, plain-text bodies and security headers."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from monitor.web.accept import parse_weight

Headers = list[tuple[str, str]]
"""Names and values of HTTP headers, in the order in which they are sent."""

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"

GZIP_FORMAT = 16
"""Added to the window bits of zlib to choose the gzip format."""

SECURITY_HEADERS = {
    # Allow the page's own files and forms only: no inline script, no other origin, no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With "no-referrer", browsers hide the origin of the page's own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "monitor",
}
"""Default headers of every response."""


@dataclass(frozen=True)
class Response:
    """Response of a route or of a middleware.

    Attributes:
        code: HTTP status code.
        content_type: media type of the body.
        body: content.
        cache_control: value of the header Cache-Control.
        additional_headers: headers other than Content-Type, Content-Length and Cache-Control.
    """

    code: int
    content_type: str
    body: bytes
    cache_control: str = "no-store"
    additional_headers: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> str:
        """Return the WSGI status, such as `404 Not Found`."""
        return f"{self.code} {HTTPStatus(self.code).phrase}"

    @property
    def headers(self) -> Headers:
        """Return the headers of this response; `with_security_headers` adds the security headers."""
        return [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", self.cache_control),
            *self.additional_headers,
        ]


def text_response(code: int, text: str, *additional_headers: tuple[str, str]) -> Response:
    """Return a response whose body is one line of plain text."""
    return Response(code, TEXT, f"{text}\n".encode(), additional_headers=additional_headers)


def accepts_gzip(accept_encoding: str) -> bool:
    """Return True if an Accept-Encoding header accepts gzip (RFC 9110, section 12.5.3); ignore malformed elements."""
    weights: dict[str, float] = {}
    for entry in accept_encoding.lower().split(","):
        coding, _, parameter = entry.partition(";")
        key, _, weight = parameter.partition("=")
        parsed = parse_weight(weight.strip()) if key.strip() == "q" else None if parameter else 1.0
        if parsed is not None:
            weights[coding.strip()] = parsed
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def compressed(body: bytes) -> bytes:
    """Return a body in the gzip format, compressed quickly.

    A window of 16 kB and a small hash table need a quarter of the memory of zlib's default, at the same size.
    """
    compressor = zlib.compressobj(level=1, wbits=GZIP_FORMAT + 14, memLevel=5)
    return compressor.compress(body) + compressor.flush()


def with_security_headers(headers: Iterable[tuple[str, str]], configured: Iterable[tuple[str, str]] = ()) -> Headers:
    """Return the headers of a response with the security headers; a header set by two sources occurs once.

    Args:
        headers: headers set by the application; they take precedence over SECURITY_HEADERS.
        configured: headers set in web.config.yml; they take precedence over `headers` and SECURITY_HEADERS.
    """
    configured_headers = dict(configured)
    configured_names = {name.lower() for name in configured_headers}
    result = [(name, value) for name, value in headers if name.lower() not in configured_names]
    present = {name.lower() for name, _ in result}
    security = {**SECURITY_HEADERS, **configured_headers}
    return result + [(name, value) for name, value in security.items() if name.lower() not in present]
