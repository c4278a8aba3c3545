"""The web.config.yml: read whole, checked whole, and read again when it or what it names has changed."""

from __future__ import annotations

import os
import ssl
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.config.fields import nearest, read_section
from monitor.errors import ConfigError
from monitor.system.logging import get_logger
from monitor.web.tls import Material, make_context
from monitor.web.web_config.schema import HttpSection, RateSection, TlsSection, read_users

log = get_logger(__name__)

LARGEST = 131_072
"""Bytes of a file at most: YAML of more takes seconds to read."""

SECTIONS = ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")

Version = tuple[int, ...]
"""What tells one version of a file from another."""


@dataclass(frozen=True)
class WebFile:
    """What a web.config.yml says. `files` are those it was made of, each in the version that was read."""

    context: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] = frozenset()
    headers: tuple[tuple[str, str], ...] = ()
    users: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    rate: RateSection = field(default_factory=RateSection)
    files: Mapping[Path, Version] = field(default_factory=dict)


def load_web_file(path: Path, files: Files | None = None) -> WebFile:
    """The file, its certificates loaded.

    Args:
        path: of the file.
        files: reads it and what it names, and knows afterwards what was looked at, also where that failed.

    Raises:
        ConfigError: with one line a problem, each naming the file and the key.
    """
    files = files or Files(path.parent)
    data = _parse(path, files)
    problems = [f"{name}: unknown key{nearest(str(name), SECTIONS)}" for name in data if name not in SECTIONS]
    tls, wrong_tls = _section(TlsSection, data, "tls_server_config")
    http, wrong_http = _section(HttpSection, data, "http_server_config")
    rate, wrong_rate = _section(RateSection, data, "rate_limit")
    users, wrong_users = read_users(data.get("basic_auth_users"))
    problems += [*wrong_tls, *wrong_http, *wrong_rate, *(f"basic_auth_users: {why}" for why in wrong_users)]
    if rate.interval and not rate.burst:
        problems.append("rate_limit.burst: 0 would refuse every request")
    context = None
    if data.get("tls_server_config") and not wrong_tls:
        try:
            context = _context(tls, files)
        except ValueError as error:
            problems.append(f"tls_server_config.{error}")
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return WebFile(context, frozenset(tls.client_allowed_sans), http.headers, users, rate, files.read)


class Files:
    """Reads files named relative to a directory, and keeps in mind which versions of them, missing ones too."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.read: dict[Path, Version] = {}

    def text(self, name: str) -> str:
        """The content of one.

        Raises:
            ValueError: why it cannot be had.
        """
        path = self._directory / name
        self.read[path] = _look(path)
        try:
            with open(path, "rb", opener=_at_once) as file:
                status = os.fstat(file.fileno())
                self.read[path] = _version(status)
                if not stat.S_ISREG(status.st_mode):
                    raise ValueError(f"{path}: cannot be read: it is not a regular file")
                found = file.read(LARGEST + 1)
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
        if len(found) > LARGEST:
            raise ValueError(f"{path}: cannot be read: it is larger than {LARGEST >> 10} KiB")
        try:
            return found.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: cannot be read: it is not text") from error


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting for the other end of a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _section(section: type[Any], data: Mapping[str, Any], name: str) -> tuple[Any, list[str]]:
    table = data.get(name)
    if table is not None and not isinstance(table, Mapping):
        return section(), [f"{name}: must be a mapping"]
    # a key without a value is not set
    return read_section(section, {str(key): value for key, value in (table or {}).items() if value is not None}, name)


def _context(tls: TlsSection, files: Files) -> ssl.SSLContext:
    """Raises ValueError with what is wrong, beginning with the key."""
    verifies = tls.client_auth_type != "NoClientCert"
    if tls.min_version > tls.max_version:
        raise ValueError(f"min_version: {tls.min_version} is above max_version")
    if verifies and not (tls.client_ca or tls.client_ca_file):
        raise ValueError(f"client_auth_type: {tls.client_auth_type} needs client_ca_file or client_ca")
    if not verifies and (tls.client_ca or tls.client_ca_file):
        raise ValueError("client_ca: is there to verify clients, and client_auth_type is NoClientCert")
    if tls.client_allowed_sans and tls.client_auth_type != "RequireAndVerifyClientCert":
        raise ValueError("client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert")
    material = Material(
        _either(files, "cert", tls.cert, tls.cert_file),
        _either(files, "key", tls.key, tls.key_file),
        _either(files, "client_ca", tls.client_ca, tls.client_ca_file) if verifies else "",
    )
    return make_context(tls, material)


def _either(files: Files, key: str, text: str, name: str) -> str:
    """What is given in the file itself, or in one that it names."""
    if bool(text) == bool(name):
        raise ValueError(f"{key}: {'only one' if text else 'one'} of {key}_file and {key} is needed")
    try:
        return text or files.text(name)
    except ValueError as error:
        raise ValueError(f"{key}_file: {error}") from error


def _parse(path: Path, files: Files) -> dict[Any, Any]:
    from monitor.web.web_config.yaml import parse  # noqa: PLC0415

    try:
        text = files.text(path.name)
    except ValueError as error:
        raise ConfigError([str(error)]) from error
    try:
        data = parse(text)
    except ValueError as error:
        raise ConfigError([f"{path}: not valid YAML: {error}"]) from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError([f"{path}: must be a mapping with {', '.join(SECTIONS)}"])
    return data or {}


class WatchedFile:
    """A web.config.yml that is followed: a new version counts from the next connection or request on.

    One that is broken changes nothing and is logged once; nor does one that would switch TLS on or off, which takes
    a reload: a slip in the file must not put passwords on the wire. It is tried again when one of the files changes
    that the attempt read or missed: what came of it followed from them alone.
    """

    def __init__(self, path: Path) -> None:
        """Reads it.

        Raises:
            ConfigError: it cannot be used.
        """
        self._path, self._lock = path, threading.Lock()
        self._good = load_web_file(path)
        self._seen = self._good.files

    def current(self) -> WebFile:
        """What holds now."""
        with self._lock:
            if any(_look(path) != version for path, version in self._seen.items()):
                files = Files(self._path.parent)
                self._renew(files)
                self._seen = files.read
            return self._good

    def _renew(self, files: Files) -> None:
        try:
            new = load_web_file(self._path, files)
            if (new.context is None) != (self._good.context is None):
                raise ConfigError([f"{self._path}: TLS is switched on or off by a reload (SIGHUP)"])
        except ConfigError as error:
            _log_unusable(str(error))
        except Exception as error:
            # whatever stands in a file, the endpoint goes on
            _log_unusable(f"{self._path}: cannot be used: {type(error).__name__}: {error}")
        else:
            log.info("web configuration reloaded", file=self._path)
            self._good = new


def _log_unusable(error: str) -> None:
    log.error("web configuration reload failed", error=error)


def _look(path: Path) -> Version:
    try:
        return _version(path.stat())
    except OSError:
        return ()


def _version(found: os.stat_result) -> Version:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
