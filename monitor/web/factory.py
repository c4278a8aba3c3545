"""The endpoint as it is configured: application, lifecycle, guard and sockets, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.middleware import AccessMiddleware
from monitor.web.reload import ReloadMiddleware
from monitor.web.server import WebServer
from monitor.web.web_config.loader import WatchedWebConfigFile, WebConfigFile

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from monitor.config.loader import Config


def make_server(
    config: Config, application: WSGIApplication, check: Callable[[], object], reload: Callable[[], None]
) -> WebServer:
    """Binds the endpoint, as `WebServer` does; `check` and `reload` are those of `ReloadMiddleware`.

    Raises:
        MonitorError: the address cannot be bound.
        ConfigError: web.config_file cannot be used.
    """
    web_file = WatchedWebConfigFile(config.web_file).current if config.web_file else WebConfigFile
    routes = ReloadMiddleware(application, check, reload, enabled=config.web.lifecycle)
    guarded = AccessMiddleware(routes, AllowedHosts(config.web.allowed_hosts), web_file)
    return WebServer(config.web.address, guarded, web_file)
