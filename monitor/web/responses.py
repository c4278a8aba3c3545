"""What is said where the application is not asked, and the headers that every answer has."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

Headers = list[tuple[str, str]]

SECURITY_HEADERS = {
    # The page's own files and nothing else: no inline script, no foreign origin, no frame.
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


def status_line(code: int) -> str:
    """`404 Not Found`."""
    return f"{code} {HTTPStatus(code).phrase}"


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip (RFC 9110, 12.5.3)."""
    weights = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        key, _, weight = parameter.partition("=")
        weights[name.strip()] = weight.strip() if key.strip() == "q" else "1"
    return weights.get("gzip", weights.get("*", "0")).rstrip("0.") != ""


def plain(text: str) -> tuple[Headers, bytes]:
    """The headers and the body of a line for a person."""
    body = f"{text}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    return [*headers, ("Cache-Control", "no-store")], body


def with_security_headers(headers: Iterable[tuple[str, str]], configured: Iterable[tuple[str, str]] = ()) -> Headers:
    """An answer's headers with those of security; its own go before these, and the configured before both."""
    ours = {**SECURITY_HEADERS, **dict(configured)}
    own = list(headers)
    overridden = {name.lower() for name, _ in configured}
    kept = [(name, value) for name, value in own if name.lower() not in overridden]
    there = {name.lower() for name, _ in kept}
    return kept + [(name, value) for name, value in ours.items() if name.lower() not in there]
