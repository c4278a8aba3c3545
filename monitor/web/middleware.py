"""Access control: WSGI middleware for authentication, host names and the rate limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.basic_auth import BasicAuthenticator, LoginResult, user_of
from monitor.web.responses import Headers, Response, text_response, with_security_headers
from monitor.web.web_config.loader import WebConfigFile
from monitor.web.web_config.schema import RateLimitSection

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MACHINE_PATHS = ("/metrics", "/-/healthy", "/-/ready")
"""Paths for Prometheus and probes, which are served under any host name."""


RATE_LIMITED = text_response(429, "rate limit exceeded")
LOGIN_BUSY = text_response(503, "too many concurrent logins", ("Retry-After", "1"))
LOGIN_REQUIRED = text_response(401, "authentication required", ("WWW-Authenticate", "Basic"))
HOST_NOT_ALLOWED = text_response(421, "host name not allowed; add it to web.allowed_hosts")


class AccessMiddleware:
    """WSGI middleware that checks rate limit, login and host name of each request, and adds the security headers.

    The variable REMOTE_USER of an admitted request is the name of its user.
    """

    def __init__(
        self,
        application: WSGIApplication,
        hosts: AllowedHosts,
        web_config: Callable[[], WebConfigFile] = WebConfigFile,
    ) -> None:
        """Wrap an application.

        Args:
            application: receives the requests that are allowed.
            hosts: host names under which the page and the API are served.
            web_config: returns the current contents of web.config.yml.
        """
        self._application = application
        self._hosts = hosts
        self._web_config = web_config
        self._authenticator = BasicAuthenticator()
        self._rate_limiter = RateLimiter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        web_config = self._web_config()

        def start_secured(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, with_security_headers(headers, web_config.headers), exc_info)

        rejection = self._check(environ, web_config)
        if rejection is None:
            return self._application(environ, start_secured)
        start_secured(rejection.status, rejection.headers)
        return [rejection.body]

    def _check(self, environ: WSGIEnvironment, web_config: WebConfigFile) -> Response | None:
        """Return the error response to a request that is not allowed; None if the request is allowed."""
        if not self._rate_limiter.allows(web_config.rate_limit, time.monotonic()):
            return RATE_LIMITED
        if web_config.users:
            authorization = environ.get("HTTP_AUTHORIZATION", "")
            result = self._authenticator.check(authorization, web_config.users)
            if result is LoginResult.BUSY:
                return LOGIN_BUSY
            if result is LoginResult.REFUSED:
                return LOGIN_REQUIRED
            environ["REMOTE_USER"] = user_of(authorization)
        for_machines = environ.get("PATH_INFO", "") in MACHINE_PATHS
        if not for_machines and not self._hosts.allows(environ.get("HTTP_HOST", "")):
            return HOST_NOT_ALLOWED
        return None


class RateLimiter:
    """Token bucket that limits the rate of all requests together; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = float("inf")
        self._updated_at = 0.0

    def allows(self, limit: RateLimitSection, now: float) -> bool:
        """Take one token from the bucket and return True; return False if the bucket has less than one token.

        Args:
            limit: size and refill interval of the bucket; without a refill interval, every request is allowed.
            now: seconds of the monotonic clock.
        """
        if not limit.interval:
            return True
        with self._lock:
            refilled = self._tokens + (now - self._updated_at) / limit.interval
            self._tokens = min(refilled, limit.burst)
            self._updated_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
