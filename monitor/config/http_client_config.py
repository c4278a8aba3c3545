"""HTTP client configuration: reader of a file in the format of Prometheus."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from monitor.config.options import boolean, option
from monitor.config.section_codec import read_section
from monitor.errors import ConfigError
from monitor.sampling.history_sources.http_settings import HttpSettings
from monitor.system.suggestions import suggestion
from monitor.system.text_files import read_text

TOKEN_VARIABLE = "MONITOR_PROMETHEUS_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable with a bearer token."""

PASSWORD_VARIABLE = "MONITOR_PROMETHEUS_PASSWORD"  # noqa: S105 - the name of a variable
"""Environment variable with the password of the user in the URL."""

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
HEADER_VALUE = re.compile(r"[\x20-\x7e]*", re.ASCII)

SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers with credentials, in lower case: command lines and configurations may be visible to others."""

SECTIONS = ("basic_auth", "authorization", "tls_config", "http_headers", "proxy_url")

Section = TypeVar("Section")


def _parse_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type(value).__name__}")  # noqa: TRY004
    return value


@dataclass(frozen=True)
class BasicAuthSection:
    """Section basic_auth: user and password."""

    username: str = option("", _parse_string, "user name")
    password: str = option("", _parse_string, "password")
    password_file: str = option("", _parse_string, "file with the password")


@dataclass(frozen=True)
class AuthorizationSection:
    """Section authorization: credentials of the header Authorization."""

    type: str = option("Bearer", _parse_string, "authentication type")
    credentials: str = option("", _parse_string, "credentials")
    credentials_file: str = option("", _parse_string, "file with the credentials")


@dataclass(frozen=True)
class TlsSection:
    """Section tls_config: certificates."""

    ca_file: str = option("", _parse_string, "file with the certificate authorities of the server")
    cert_file: str = option("", _parse_string, "file with the client certificate")
    key_file: str = option("", _parse_string, "file with the key of the client certificate")
    server_name: str = option("", _parse_string, "name that the certificate of the server must have")
    insecure_skip_verify: bool = boolean(False, "accept any certificate")


def load_http_settings(
    path: Path | None, headers: Mapping[str, str], environment: Mapping[str, str], user: str, timeout: float
) -> HttpSettings:
    """Return the settings of a client from its file, the command line and the environment.

    Args:
        path: configuration file; None for none.
        headers: additional headers, which replace those of the file.
        environment: environment variables.
        user: user name in the URL; empty for none.
        timeout: seconds to wait for an answer.

    Raises:
        ConfigError: the file is invalid, or credentials are missing or stated twice; no message contains a secret.
    """
    problems: list[str] = []
    data = _read_file(path) if path else {}
    directory = path.parent if path else Path()
    basic = _read_section(BasicAuthSection, data, "basic_auth", problems)
    authorization = _read_section(AuthorizationSection, data, "authorization", problems)
    tls = _read_section(TlsSection, data, "tls_config", problems)
    proxy_url = data.get("proxy_url") or ""
    if not str(proxy_url).startswith(("http://", "https://")) and proxy_url:
        problems.append("proxy_url: must be a URL of http or https")
    credentials = [_environment_credentials(environment, user, problems)]
    all_headers: dict[str, str] = {}
    try:
        credentials += [_basic_auth(basic, directory), _authorization(authorization, directory)]
        all_headers = {**_headers(data.get("http_headers"), directory), **headers}
    except ValueError as error:
        problems.append(str(error))
    problems += [f"{name}: unknown key{suggestion(str(name), SECTIONS)}" for name in data if name not in SECTIONS]
    if len([text for text in credentials if text]) > 1:
        problems.append("credentials are stated more than once, in the file, the URL or the environment")
    if problems:
        raise ConfigError([f"{path or 'environment'}: {problem}" for problem in problems])
    authorization_header = next(filter(None, credentials), "")
    if authorization_header:
        all_headers["Authorization"] = authorization_header
    return HttpSettings(
        headers=all_headers,
        proxy_url=str(proxy_url),
        ca_file=_resolved(tls.ca_file, directory),
        cert_file=_resolved(tls.cert_file, directory),
        key_file=_resolved(tls.key_file, directory),
        server_name=tls.server_name,
        insecure_skip_verify=tls.insecure_skip_verify,
        timeout=timeout,
    )


def parse_header(text: str) -> tuple[str, str]:
    """Return name and value of a header written as "Name: value".

    Raises:
        ValueError: the text is no header.
    """
    name, colon, value = text.partition(":")
    if not colon or not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value.strip()):
        raise ValueError("not a header such as 'X-Scope-OrgID: team'")
    return name, value.strip()


def _read_file(path: Path) -> dict[Any, Any]:
    from monitor.config.strict_yaml import parse  # noqa: PLC0415

    try:
        text, _ = read_text(path)
    except ValueError as error:
        raise ConfigError([str(error)]) from error
    try:
        data = parse(text)
    except ValueError as error:
        raise ConfigError([f"{path}: not valid YAML: {error}"]) from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError([f"{path}: must be a mapping with {', '.join(SECTIONS)}"])
    return data or {}


def _read_section(section: type[Section], data: Mapping[Any, Any], name: str, problems: list[str]) -> Section:
    """Return a section of the file, and append its problems; a key without a value counts as not set."""
    table = data.get(name) or {}
    if not isinstance(table, Mapping):
        problems.append(f"{name}: must be a mapping")
        return section()
    values = {str(key): value for key, value in table.items() if value is not None}
    content, section_problems = read_section(section, values, name)
    problems += section_problems
    return content


def _environment_credentials(environment: Mapping[str, str], user: str, problems: list[str]) -> str:
    """Return the header Authorization for the user of the URL or for TOKEN_VARIABLE; empty for none."""
    token = environment.get(TOKEN_VARIABLE, "").strip()
    if not HEADER_VALUE.fullmatch(token):
        problems.append(f"{TOKEN_VARIABLE} is not a line of printable ASCII")
        return ""
    if not user:
        return f"Bearer {token}" if token else ""
    if PASSWORD_VARIABLE not in environment:
        problems.append(
            f"the URL names a user: set the variable {PASSWORD_VARIABLE}, or use basic_auth of --http-config"
        )
        return ""
    if token:
        problems.append(f"the URL names a user, and {TOKEN_VARIABLE} is set as well: use one of them")
    return _basic(user, environment[PASSWORD_VARIABLE])


def _basic_auth(section: BasicAuthSection, directory: Path) -> str:
    password = _inline_or_file("basic_auth.password", section.password, section.password_file, directory)
    if not section.username and not password:
        return ""
    return _basic(section.username, password)


def _authorization(section: AuthorizationSection, directory: Path) -> str:
    credentials = _inline_or_file(
        "authorization.credentials", section.credentials, section.credentials_file, directory
    )
    return f"{section.type} {credentials}" if credentials else ""


def _headers(table: Any, directory: Path) -> dict[str, str]:
    """Return the headers of the section http_headers; raise ValueError if it is invalid."""
    if table is None:
        return {}
    if not isinstance(table, Mapping):
        raise ValueError("http_headers: must be a mapping of header to values, secrets or files")  # noqa: TRY004
    headers = {}
    for name, sources in table.items():
        if not HEADER_NAME.fullmatch(str(name)) or not isinstance(sources, Mapping):
            raise ValueError(f"http_headers.{name}: must be a header with a mapping of values, secrets or files")
        if not set(sources) <= {"values", "secrets", "files"}:
            raise ValueError(f"http_headers.{name}: unknown key; use values, secrets or files")
        texts = [str(text) for key in ("values", "secrets") for text in sources.get(key) or ()]
        texts += [_secret(str(file), directory, f"http_headers.{name}.files") for file in sources.get("files") or ()]
        if not all(HEADER_VALUE.fullmatch(text) for text in texts):
            raise ValueError(f"http_headers.{name}: a value is not a line of printable ASCII")
        headers[str(name)] = ", ".join(texts)
    return headers


def _inline_or_file(key: str, inline: str, file: str, directory: Path) -> str:
    if inline and file:
        raise ValueError(f"{key}: set either {key.rpartition('.')[2]} or {key.rpartition('.')[2]}_file, not both")
    return _secret(file, directory, f"{key}_file") if file else inline


def _secret(file: str, directory: Path, key: str) -> str:
    """Return the text of a file with a secret, without surrounding space; raise ValueError if it cannot be read."""
    try:
        text, _ = read_text(directory / file)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error
    secret = text.strip()
    if not secret or not HEADER_VALUE.fullmatch(secret):
        raise ValueError(f"{key}: {directory / file} is empty or not a line of printable ASCII")
    return secret


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _resolved(file: str, directory: Path) -> str:
    return str(directory / file) if file else ""
