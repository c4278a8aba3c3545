"""What stands before the application: who may ask, by which name, how often. WSGI, whatever server is under it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.basic_auth import BasicAuthenticator
from monitor.web.responses import plain, status_line, with_security_headers
from monitor.web.web_config.loader import WebConfigFile
from monitor.web.web_config.schema import RateSection

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MACHINE_PATHS = ("/metrics", "/-/healthy", "/-/ready")
"""Asked for by machines, under whatever name they know this one by; what they say a page could not read."""


@dataclass(frozen=True)
class Rejection:
    """Why a request goes no further."""

    code: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


class AccessMiddleware:
    """An application behind the guard."""

    def __init__(
        self, application: WSGIApplication, hosts: AllowedHosts, web_file: Callable[[], WebConfigFile] = WebConfigFile
    ) -> None:
        """`web_file` gives what the web.config.yml says now."""
        self._application, self._hosts, self._web_file = application, hosts, web_file
        self._users, self._rate = BasicAuthenticator(), RateLimiter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        web_file = self._web_file()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, with_security_headers(headers, web_file.headers), exc_info)

        refusal = self._refusal(environ, web_file)
        if refusal is None:
            return self._application(environ, start)
        headers, body = plain(refusal.text)
        start(status_line(refusal.code), [*headers, *refusal.headers])
        return [body]

    def _refusal(self, environ: WSGIEnvironment, web_file: WebConfigFile) -> Rejection | None:
        if not self._rate.allows(web_file.rate, time.monotonic()):
            return Rejection(429, "more requests than rate_limit allows")
        if web_file.users:
            verdict = self._users.verdict(environ.get("HTTP_AUTHORIZATION", ""), web_file.users)
            if verdict == "busy":
                return Rejection(503, "too many are logging in", (("Retry-After", "1"),))
            if verdict == "refused":
                return Rejection(401, "user and password are needed", (("WWW-Authenticate", "Basic"),))
        if environ.get("PATH_INFO", "") not in MACHINE_PATHS and not self._hosts.known(environ.get("HTTP_HOST", "")):
            return Rejection(421, "this machine is not known by that name; web.allowed_hosts can allow it")
        return None


class RateLimiter:
    """A bucket of requests, as rate_limit has it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left, self._at = float("inf"), 0.0

    def allows(self, rate: RateSection, now: float) -> bool:
        """Takes one, if there is one, at a moment in seconds of the monotonic clock."""
        if not rate.interval:
            return True
        with self._lock:
            filled = self._left + (now - self._at) / rate.interval
            self._left, self._at = min(filled, rate.burst), now
            if self._left < 1:
                return False
            self._left -= 1
            return True
