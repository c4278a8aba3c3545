"""The sections of a web.config.yml, the file by which Prometheus' own servers are given TLS and users.

What cannot be honoured here is refused in a sentence: a file that is accepted means what it means to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.config.fields import nearest, option, switch

VERSIONS = ("TLS12", "TLS13")
CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1"}
CLIENT_AUTH = ("NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
CIPHERS = {
    f"TLS_ECDHE_{key}_WITH_{go}": f"ECDHE-{key}-{openssl}"
    for key in ("ECDSA", "RSA")
    for go, openssl in (
        ("AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
        ("AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
        ("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
        ("AES_128_CBC_SHA", "AES128-SHA"),
        ("AES_256_CBC_SHA", "AES256-SHA"),
    )
}
"""Go's name of each cipher suite of TLS 1.2, and OpenSSL's."""

CIPHERS_13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""Of TLS 1.3: known, and always all there, as with Go."""

HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""What may be set, and to what where that is limited."""

COSTLIEST = 15
"""The highest cost of a hash: above it a login takes seconds."""

HASH = r"\$2[abxy]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]"
"""A bcrypt hash: 16 bytes of salt and 23 of digest, so the last character of each has bits that must be 0."""

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type(value).__name__}")  # noqa: TRY004
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError("must be a list of strings")
    return tuple(value)


def _client_auth(value: Any) -> str:
    if value in UNVERIFIED:
        raise ValueError(
            f"{value} cannot be honoured here: a certificate that is asked for is verified; "
            "use VerifyClientCertIfGiven or RequireAndVerifyClientCert"
        )
    if value not in ("", *CLIENT_AUTH):
        raise ValueError(f"{value!r} is not one of {', '.join(CLIENT_AUTH)}")
    return value or "NoClientCert"


def _version(value: Any) -> str:
    if value in ("TLS10", "TLS11"):
        raise ValueError(f"{value} cannot be honoured here: it is switched off in today's OpenSSL; use TLS12")
    if value not in VERSIONS:
        raise ValueError(f"{value!r} is not one of {', '.join(VERSIONS)}")
    return str(value)


def _ciphers(value: Any) -> tuple[str, ...]:
    """OpenSSL's names of those of TLS 1.2."""
    names = _strings(value)
    for name in names:
        if name not in (*CIPHERS, *CIPHERS_13):
            raise ValueError(f"unknown cipher suite {name!r}{nearest(name, (*CIPHERS, *CIPHERS_13))}")
    return tuple(CIPHERS[name] for name in names if name in CIPHERS)


def _curve(value: Any) -> str:
    """OpenSSL's name of the curve, or nothing."""
    names = _strings(value)
    for name in names:
        if name not in (*CURVES, "X25519"):
            raise ValueError(f"unknown curve {name!r}{nearest(name, (*CURVES, 'X25519'))}")
    if len(names) > 1 or "X25519" in names:
        raise ValueError(
            f"cannot be honoured here: Python sets one curve, of {', '.join(CURVES)}, or leaves them all"
        )
    return CURVES[names[0]] if names else ""


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping of header to value")  # noqa: TRY004
    return tuple((str(name), _header(str(name), text)) for name, text in value.items() if text not in (None, ""))


def _header(name: str, value: Any) -> str:
    if name not in HEADERS:
        raise ValueError(f"{name!r} cannot be set{nearest(name, tuple(HEADERS))}")
    if not isinstance(value, str) or not re.fullmatch(r"[\x20-\x7e]+", value):
        raise ValueError(f"{name} must be a line of printable ASCII")
    if HEADERS[name] and value not in HEADERS[name]:
        raise ValueError(f"{name} must be one of {', '.join(HEADERS[name])}, not {value!r}")
    return value


def _interval(value: Any) -> float:
    """Seconds of a duration as Go writes it."""
    if value in (0, "0"):
        return 0.0
    number = r"([0-9]+(?:\.[0-9]+)?)(h|ms|us|µs|ns|m|s)"
    if not isinstance(value, str) or not re.fullmatch(f"(?:{number})+", value):
        raise ValueError(f'must be a duration such as "1s", not {value!r}')
    return sum(float(count) * UNITS[unit] for count, unit in re.findall(number, value))


def _burst(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be a whole number of requests, not {value!r}")
    return value


@dataclass(frozen=True)
class TlsSection:
    """tls_server_config."""

    cert: str = option("", _text, "the certificate, PEM")
    key: str = option("", _text, "its key, PEM")
    client_ca: str = option("", _text, "what signs the certificates of clients, PEM")
    cert_file: str = option("", _text, "the certificate in a file")
    key_file: str = option("", _text, "its key in a file")
    client_ca_file: str = option("", _text, "what signs the certificates of clients, in a file")
    client_auth_type: str = option("NoClientCert", _client_auth, "whether clients must show a certificate")
    client_allowed_sans: tuple[str, ...] = option((), _strings, "names of which a client's certificate has one")
    min_version: str = option("TLS12", _version, "lowest version of TLS")
    max_version: str = option("TLS13", _version, "highest version of TLS")
    cipher_suites: tuple[str, ...] = option((), _ciphers, "for TLS 1.2, in Go's names")
    prefer_server_cipher_suites: bool = switch(True, "whether the order of cipher_suites is the server's")
    curve_preferences: str = option("", _curve, "the curve of the key exchange")


@dataclass(frozen=True)
class HttpSection:
    """http_server_config."""

    http2: bool = switch(True, "accepted either way: HTTP/1.1 is spoken")
    headers: tuple[tuple[str, str], ...] = option((), _headers, "headers of every answer")


@dataclass(frozen=True)
class RateSection:
    """rate_limit: a bucket of `burst` requests, filled by one each `interval` seconds; 0 for no limit."""

    interval: float = option(0.0, _interval, "time for one request")
    burst: int = option(0, _burst, "requests at once")


def read_users(value: Any) -> tuple[dict[str, bytes], list[str]]:
    """basic_auth_users: the hash of each, and what is wrong. None is nobody; what is no mapping is a slip."""
    if value is None:
        return {}, []
    if not isinstance(value, Mapping):
        return {}, ["must be a mapping of user to bcrypt hash"]
    wrong = [f"{name!r}: {why}" for name, hashed in value.items() if (why := _user_problem(name, hashed))]
    return ({} if wrong else {name: hashed.encode() for name, hashed in value.items()}), wrong


def _user_problem(name: Any, hashed: Any) -> str:
    if not isinstance(name, str) or ":" in name:
        return "a user name is a string without a colon; quote one that is all digits"
    found = re.fullmatch(HASH, hashed) if isinstance(hashed, str) else None
    if not found:
        return "not a bcrypt hash; make one with: htpasswd -nBC 10 USER"
    if not 4 <= int(found[1]) <= COSTLIEST:
        return f"a bcrypt cost of {int(found[1])} is not between 4 and {COSTLIEST}"
    return ""
