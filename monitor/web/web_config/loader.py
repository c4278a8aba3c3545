"""Loader of web.config.yml: parse, validate and load the certificates."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from monitor.config.loader import Config
from monitor.config.section_codec import read_section
from monitor.errors import ConfigError
from monitor.system.suggestions import suggestion
from monitor.web.tls import CertificateMaterial, make_context
from monitor.web.web_config.files import FileReader, FileVersion
from monitor.web.web_config.schema import HttpSection, RateLimitSection, TlsSection, parse_users

SECTIONS = ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")

Section = TypeVar("Section")


@dataclass(frozen=True)
class WebConfigFile:
    """Validated contents of a web.config.yml.

    Attributes:
        tls_context: the server's TLS context; None for plain HTTP.
        allowed_sans: subject alternative names, one of which a client certificate must have; empty to accept any.
        headers: headers to add to all responses.
        users: bcrypt hash for each user name; empty if authentication is disabled.
        rate_limit: rate limit of all requests together.
        files: version for the path of each file that was read.
    """

    tls_context: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] = frozenset()
    headers: tuple[tuple[str, str], ...] = ()
    users: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    rate_limit: RateLimitSection = field(default_factory=RateLimitSection)
    files: Mapping[Path, FileVersion] = field(default_factory=dict)


def web_file_problems(config: Config) -> Sequence[str]:
    """Return the problems of the file that web.config_file names, and of actions that need its users."""
    users: Mapping[str, bytes] = {}
    if config.web_file is not None:
        try:
            users = load_web_config_file(config.web_file).users
        except ConfigError as error:
            return error.problems
    if config.web.actions and not config.web.listens_locally and not users:
        place = f"{config.path}: " if config.path else ""
        return (f"{place}web.actions: needs web.config_file with basic_auth_users, as other hosts can connect",)
    return ()


def load_web_config_file(path: Path, reader: FileReader | None = None) -> WebConfigFile:
    """Load a web.config.yml and the files that it names.

    Args:
        path: the web.config.yml.
        reader: reads the files and records their versions, also if loading fails; None for a new reader.

    Raises:
        ConfigError: the file is invalid; one line per problem, each with the file and the key.
    """
    reader = reader or FileReader(path.parent)
    data = _parse(path, reader)
    tls, tls_problems = _read_section(TlsSection, data, "tls_server_config")
    http, http_problems = _read_section(HttpSection, data, "http_server_config")
    rate_limit, rate_limit_problems = _read_section(RateLimitSection, data, "rate_limit")
    users, user_problems = parse_users(data.get("basic_auth_users"))
    problems = [*_unknown_keys(data), *tls_problems, *http_problems, *rate_limit_problems, *user_problems]
    if rate_limit.interval and not rate_limit.burst:
        problems.append("rate_limit.burst: 0 would reject all requests")
    tls_context = None
    if data.get("tls_server_config") and not tls_problems:
        try:
            tls_context = _make_tls_context(tls, reader)
        except ValueError as error:
            problems.append(f"tls_server_config.{error}")
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return WebConfigFile(
        tls_context=tls_context,
        allowed_sans=frozenset(tls.client_allowed_sans),
        headers=http.headers,
        users=users,
        rate_limit=rate_limit,
        files=reader.versions,
    )


def _parse(path: Path, reader: FileReader) -> dict[Any, Any]:
    # PyYAML is needed only where a web.config.yml is configured.
    from monitor.config.strict_yaml import parse  # noqa: PLC0415

    try:
        text = reader.read_text(path.name)
    except ValueError as error:
        raise ConfigError([str(error)]) from error
    try:
        data = parse(text)
    except ValueError as error:
        raise ConfigError([f"{path}: not valid YAML: {error}"]) from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError([f"{path}: must be a mapping with {', '.join(SECTIONS)}"])
    return data or {}


def _unknown_keys(data: Mapping[Any, Any]) -> list[str]:
    """Return one problem per top-level key that is not a section."""
    return [f"{name}: unknown key{suggestion(str(name), SECTIONS)}" for name in data if name not in SECTIONS]


def _read_section(section: type[Section], data: Mapping[str, Any], name: str) -> tuple[Section, list[str]]:
    """Return a section and its problems; a key without a value counts as not set."""
    table = data.get(name)
    if table is not None and not isinstance(table, Mapping):
        return section(), [f"{name}: must be a mapping"]
    values = {str(key): value for key, value in (table or {}).items() if value is not None}
    return read_section(section, values, name)


def _make_tls_context(tls: TlsSection, reader: FileReader) -> ssl.SSLContext:
    """Build the TLS context; raise ValueError, with the key and the problem, if the settings are invalid."""
    verifies_clients = tls.client_auth_type != "NoClientCert"
    has_client_ca = bool(tls.client_ca or tls.client_ca_file)
    if tls.min_version > tls.max_version:
        raise ValueError(f"min_version: {tls.min_version} is above max_version")
    if verifies_clients and not has_client_ca:
        raise ValueError(f"client_auth_type: {tls.client_auth_type} needs client_ca_file or client_ca")
    if has_client_ca and not verifies_clients:
        raise ValueError("client_ca: has no effect because client_auth_type is NoClientCert")
    if tls.client_allowed_sans and tls.client_auth_type != "RequireAndVerifyClientCert":
        raise ValueError("client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert")
    material = CertificateMaterial(
        cert=_inline_or_file(reader, "cert", tls.cert, tls.cert_file),
        key=_inline_or_file(reader, "key", tls.key, tls.key_file),
        client_ca=_inline_or_file(reader, "client_ca", tls.client_ca, tls.client_ca_file) if verifies_clients else "",
    )
    return make_context(tls, material)


def _inline_or_file(reader: FileReader, key: str, inline: str, file_name: str) -> str:
    """Return a setting that is given inline or in a file; raise ValueError if both or neither are given."""
    if inline and file_name:
        raise ValueError(f"{key}: set either {key}_file or {key}, not both")
    if not inline and not file_name:
        raise ValueError(f"{key}: set {key}_file or {key}")
    if inline:
        return inline
    try:
        return reader.read_text(file_name)
    except ValueError as error:
        raise ValueError(f"{key}_file: {error}") from error
