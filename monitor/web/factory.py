"""Composition of the HTTP server: application, middleware and sockets according to the configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.middleware import AccessMiddleware
from monitor.web.reload import ReloadMiddleware
from monitor.web.server import WebServer
from monitor.web.web_config.loader import WebConfigFile
from monitor.web.web_config.watcher import WatchedWebConfigFile

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from monitor.config.loader import Config


def make_server(
    config: Config, application: WSGIApplication, check: Callable[[], object], reload: Callable[[], None]
) -> WebServer:
    """Build the HTTP server and bind its socket; `WebServer.start` begins to accept connections.

    Args:
        config: the effective configuration.
        application: the routes, as a WSGI application.
        check: validates the configuration files, see `ReloadMiddleware`.
        reload: triggers a reload of the configuration, see `ReloadMiddleware`.

    Raises:
        MonitorError: the address cannot be bound.
        ConfigError: web.config_file is invalid.
    """
    web_config = WatchedWebConfigFile(config.web_file).current if config.web_file else WebConfigFile
    with_reload = ReloadMiddleware(application, check, reload, enabled=config.web.lifecycle)
    with_access_control = AccessMiddleware(with_reload, AllowedHosts(config.web.allowed_hosts), web_config)
    return WebServer(config.web.address, with_access_control, web_config)
