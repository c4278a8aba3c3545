"""Web configuration schema: sections and keys of web.config.yml, in the format of Prometheus.

A setting that this server cannot apply is rejected, so that an accepted file has the same effect as in Prometheus.
The only exception is `http2`, which has no effect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.config.options import boolean, option
from monitor.system.suggestions import suggestion

VERSIONS = ("TLS12", "TLS13")
CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1"}
CLIENT_AUTH_TYPES = ("NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
UNSUPPORTED_CLIENT_AUTH_TYPES = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
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
"""Cipher suites of TLS 1.2: OpenSSL name for each Go name."""

CIPHERS_13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""Cipher suites of TLS 1.3; all of them are always enabled, as in Go."""

CONFIGURABLE_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""Headers that may be configured, with their allowed values; empty for any value."""

MIN_BCRYPT_COST = 4
"""Lowest cost that bcrypt supports."""

MAX_BCRYPT_COST = 15
"""Highest cost that is accepted; with a higher cost a login takes seconds."""

BCRYPT_HASH = r"\$2[abxy]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]"
"""Pattern of a bcrypt hash: base64 of a 16-byte salt and a 23-byte digest, each padded with zero bits."""

DURATION_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def _parse_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type(value).__name__}")  # noqa: TRY004
    return value


def _parse_strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError("must be a list of strings")
    return tuple(value)


def _parse_client_auth_type(value: Any) -> str:
    if value in UNSUPPORTED_CLIENT_AUTH_TYPES:
        raise ValueError(
            f"{value} is not supported: client certificates are always verified; "
            "use VerifyClientCertIfGiven or RequireAndVerifyClientCert"
        )
    if value not in ("", *CLIENT_AUTH_TYPES):
        raise ValueError(f"{value!r} is not one of {', '.join(CLIENT_AUTH_TYPES)}")
    return value or "NoClientCert"


def _parse_version(value: Any) -> str:
    if value in ("TLS10", "TLS11"):
        raise ValueError(f"{value} is not supported: current OpenSSL disables it; use TLS12")
    if value not in VERSIONS:
        raise ValueError(f"{value!r} is not one of {', '.join(VERSIONS)}")
    return str(value)


def _parse_cipher_suites(value: Any) -> tuple[str, ...]:
    """Return the OpenSSL names of the TLS 1.2 cipher suites in a list; suites of TLS 1.3 are valid and left out."""
    names = _parse_strings(value)
    supported = (*CIPHERS, *CIPHERS_13)
    for name in names:
        if name not in supported:
            raise ValueError(f"unknown cipher suite {name!r}{suggestion(name, supported)}")
    return tuple(CIPHERS[name] for name in names if name in CIPHERS)


def _parse_curves(value: Any) -> str:
    """Return the OpenSSL name of the curve in a list of at most one curve; an empty string if the list is empty."""
    names = _parse_strings(value)
    for name in names:
        if name not in (*CURVES, "X25519"):
            raise ValueError(f"unknown curve {name!r}{suggestion(name, (*CURVES, 'X25519'))}")
    if len(names) > 1 or "X25519" in names:
        raise ValueError(f"not supported: Python can set only one curve, one of {', '.join(CURVES)}")
    return CURVES[names[0]] if names else ""


def _parse_headers(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping of header to value")  # noqa: TRY004
    return tuple(
        (str(name), _parse_header_value(str(name), text)) for name, text in value.items() if text not in (None, "")
    )


def _parse_header_value(name: str, value: Any) -> str:
    if name not in CONFIGURABLE_HEADERS:
        raise ValueError(f"{name!r} cannot be set{suggestion(name, tuple(CONFIGURABLE_HEADERS))}")
    if not isinstance(value, str) or not re.fullmatch(r"[\x20-\x7e]+", value):
        raise ValueError(f"{name} must be a line of printable ASCII")
    allowed = CONFIGURABLE_HEADERS[name]
    if allowed and value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _parse_interval(value: Any) -> float:
    """Parse a Go duration such as "1m30s"; return seconds."""
    if value in (0, "0"):
        return 0.0
    number = r"([0-9]+(?:\.[0-9]+)?)(h|ms|us|µs|ns|m|s)"
    if not isinstance(value, str) or not re.fullmatch(f"(?:{number})+", value):
        raise ValueError(f'must be a duration such as "1s", not {value!r}')
    return sum(float(count) * DURATION_UNITS[unit] for count, unit in re.findall(number, value))


def _parse_burst(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be a whole number of requests, not {value!r}")
    return value


@dataclass(frozen=True)
class TlsSection:
    """Section tls_server_config: certificates and TLS parameters."""

    cert: str = option("", _parse_string, "server certificate, PEM")
    key: str = option("", _parse_string, "key of the server certificate, PEM")
    client_ca: str = option("", _parse_string, "certificate authority of client certificates, PEM")
    cert_file: str = option("", _parse_string, "file with the server certificate")
    key_file: str = option("", _parse_string, "file with the key of the server certificate")
    client_ca_file: str = option("", _parse_string, "file with the certificate authority of client certificates")
    client_auth_type: str = option("NoClientCert", _parse_client_auth_type, "verification of client certificates")
    client_allowed_sans: tuple[str, ...] = option((), _parse_strings, "allowed names of client certificates")
    min_version: str = option("TLS12", _parse_version, "lowest TLS version")
    max_version: str = option("TLS13", _parse_version, "highest TLS version")
    cipher_suites: tuple[str, ...] = option((), _parse_cipher_suites, "cipher suites of TLS 1.2, named as in Go")
    prefer_server_cipher_suites: bool = boolean(True, "use the server's order of cipher_suites")
    curve_preferences: str = option("", _parse_curves, "curve of the key exchange")


@dataclass(frozen=True)
class HttpSection:
    """Section http_server_config: headers of all responses."""

    http2: bool = boolean(True, "has no effect: the server uses HTTP/1.1")
    headers: tuple[tuple[str, str], ...] = option((), _parse_headers, "headers of all responses")


@dataclass(frozen=True)
class RateLimitSection:
    """Section rate_limit: a token bucket for `burst` requests, with one token added per `interval` (seconds)."""

    interval: float = option(0.0, _parse_interval, "seconds per request; 0 for no limit")
    burst: int = option(0, _parse_burst, "size of the token bucket")


def parse_users(value: Any) -> tuple[dict[str, bytes], list[str]]:
    """Return the users in the section basic_auth_users, and the problems of the section.

    Args:
        value: parsed content of the section; None if it is missing.

    Returns:
        The bcrypt hash for each user name (empty if there is a problem), and one line per problem.
    """
    if value is None:
        return {}, []
    if not isinstance(value, Mapping):
        return {}, ["basic_auth_users: must be a mapping of user to bcrypt hash"]
    problems = [
        f"basic_auth_users: {name!r}: {problem}"
        for name, hashed in value.items()
        if (problem := _user_problem(name, hashed))
    ]
    if problems:
        return {}, problems
    return {name: hashed.encode() for name, hashed in value.items()}, []


def _user_problem(name: Any, hashed: Any) -> str:
    """Return the problem of one user entry; an empty string if there is none."""
    if not isinstance(name, str) or ":" in name:
        return "must be a string without a colon; quote a name that consists of digits"
    match = re.fullmatch(BCRYPT_HASH, hashed) if isinstance(hashed, str) else None
    if not match:
        return "not a bcrypt hash; create one with: htpasswd -nBC 10 USER"
    cost = int(match[1])
    if not MIN_BCRYPT_COST <= cost <= MAX_BCRYPT_COST:
        return f"bcrypt cost {cost} is not between {MIN_BCRYPT_COST} and {MAX_BCRYPT_COST}"
    return ""
