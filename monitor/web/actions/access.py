"""Access to actions: configuration, users, origin and token of a request."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.documents.anomalies.actions import ACTIONS_OFF, ActionsDocument
from monitor.system.logging import get_logger
from monitor.web.api import ApiError
from monitor.web.middleware import RateLimiter
from monitor.web.reload import is_same_origin
from monitor.web.web_config.schema import RateLimitSection

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from monitor.config.loader import Config

log = get_logger(__name__)

USER_VARIABLE = "REMOTE_USER"
"""WSGI variable with the name of the authenticated user; absent without authentication."""

TOKEN_FIELD = "token"  # noqa: S105 - a name
"""Name of the form field with the token."""

TOKEN_HEADER = "HTTP_X_MONITOR_TOKEN"  # noqa: S105 - a name
"""WSGI variable of the header with the token, X-Monitor-Token."""

ACTION_LIMIT = RateLimitSection(interval=1.0, burst=10)
"""Rate limit of all actions together: ten at once, then one per second."""

REFUSAL_LIMIT = RateLimitSection(interval=60.0, burst=5)
"""Rate limit of the log events of refused actions."""


class ActionAccess:
    """Access control of actions; thread-safe.

    A token is the HMAC of the user name with a random key of this process (synchroniser token). It is in the pages,
    which no other site can read.
    """

    def __init__(self, config: Callable[[], Config], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Draw the key.

        Args:
            config: returns the configuration in effect.
            monotonic: monotonic clock; returns seconds.
        """
        self._config = config
        self._monotonic = monotonic
        self._key = os.urandom(32)
        self._actions = RateLimiter()
        self._refusals = RateLimiter()

    def state(self, environ: WSGIEnvironment) -> ActionsDocument:
        """Return the token of the user of a request, or the reason why actions are not permitted."""
        web = self._config().web
        user = user_name(environ)
        if not web.actions:
            return ACTIONS_OFF
        if not user and not web.listens_locally:
            return ActionsDocument(
                permitted=False,
                reason="actions need basic_auth_users in web.config_file where other hosts can connect",
            )
        token = hmac.new(self._key, user.encode(), hashlib.sha256).hexdigest()
        return ActionsDocument(permitted=True, token=token)

    def check(self, environ: WSGIEnvironment, form_token: str | None) -> None:
        """Admit a request that records something.

        Args:
            environ: request.
            form_token: token in the body; None to read it from the header.

        Raises:
            ApiError: the request is refused; 403 without permission, from another site or without a valid token, and
                429 above the rate limit.
        """
        state = self.state(environ)
        if not state.permitted:
            raise self._refusal(environ, state.reason)
        if not self._is_own_page(environ):
            raise self._refusal(environ, "cross-origin request rejected")
        given = environ.get(TOKEN_HEADER, "") if form_token is None else form_token
        if not hmac.compare_digest(given.encode(), state.token.encode()):
            raise self._refusal(environ, "the token is missing or out of date: load the page again")
        if not self._actions.allows(ACTION_LIMIT, self._monotonic()):
            raise ApiError(429, "too many actions: try again in a few seconds")

    def _is_own_page(self, environ: WSGIEnvironment) -> bool:
        """Return True if a request comes from a page of this server, also behind a proxy that ends TLS."""
        if is_same_origin(environ):
            return True
        external = urlsplit(self._config().notify.external_url)
        origin = environ.get("HTTP_ORIGIN", "").lower()
        is_external = bool(external.netloc) and origin == f"{external.scheme}://{external.netloc}".lower()
        return is_external and environ.get("HTTP_SEC_FETCH_SITE", "none") in ("none", "same-origin")

    def _refusal(self, environ: WSGIEnvironment, reason: str) -> ApiError:
        """Return the error of a refused request, and log it."""
        if self._refusals.allows(REFUSAL_LIMIT, self._monotonic()):
            log.warning("action refused", user=user_name(environ), client=client(environ), reason=reason)
        return ApiError(403, reason)


def user_name(environ: WSGIEnvironment) -> str:
    """Return the name of the authenticated user of a request; empty without authentication."""
    return str(environ.get(USER_VARIABLE, ""))


def client(environ: WSGIEnvironment) -> str:
    """Return the address that a request came from."""
    return str(environ.get("REMOTE_ADDR", ""))
