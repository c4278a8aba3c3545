"""Composition of the HTTP server: application, middleware and sockets according to the configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import ConfigError
from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.middleware import AccessMiddleware
from monitor.web.reload import ReloadMiddleware
from monitor.web.server import WebServer
from monitor.web.web_config.loader import WebConfigFile, web_file_problems
from monitor.web.web_config.watcher import WatchedWebConfigFile

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from monitor.config.loader import Config


@dataclass(frozen=True)
class Guarded:
    """Application behind its access control.

    Attributes:
        application: WSGI application.
        web_config: returns the current contents of web.config.yml.
    """

    application: WSGIApplication
    web_config: Callable[[], WebConfigFile]


def guard(
    config: Config, application: WSGIApplication, check: Callable[[], object], reload: Callable[[], None]
) -> Guarded:
    """Add the reload path and the access control of a configuration to an application.

    Args:
        config: configuration.
        application: the routes, as a WSGI application.
        check: validates the configuration files, see `ReloadMiddleware`.
        reload: triggers a reload of the configuration, see `ReloadMiddleware`.

    Raises:
        ConfigError: web.config_file is invalid, or actions need users that it does not have.
    """
    problems = web_file_problems(config)
    if problems:
        raise ConfigError(problems)
    web_config = WatchedWebConfigFile(config.web_file).current if config.web_file else WebConfigFile
    with_reload = ReloadMiddleware(application, check, reload, enabled=config.web.lifecycle)
    return Guarded(AccessMiddleware(with_reload, AllowedHosts(config.web.allowed_hosts), web_config), web_config)


def make_server(config: Config, guarded: Guarded) -> WebServer:
    """Build the HTTP server and bind its socket; `WebServer.start` begins to accept connections.

    Raises:
        MonitorError: the address cannot be bound.
    """
    return WebServer(config.web.address, guarded.application, guarded.web_config)
