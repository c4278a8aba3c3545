"""The endpoint as it is configured: application, lifecycle, guard and sockets, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.web.allowed_hosts import Hosts
from monitor.web.middleware import Guard
from monitor.web.reload import Lifecycle
from monitor.web.server import WebServer
from monitor.web.web_config.loader import WatchedFile, WebFile

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from monitor.config.loader import Config


def make_server(
    config: Config, application: WSGIApplication, check: Callable[[], object], reload: Callable[[], None]
) -> WebServer:
    """Binds the endpoint, as `WebServer` does; `check` and `reload` are those of `Lifecycle`.

    Raises:
        MonitorError: the address cannot be bound.
        ConfigError: web.config_file cannot be used.
    """
    web_file = WatchedFile(config.web_file).current if config.web_file else WebFile
    routes = Lifecycle(application, check, reload, enabled=config.web.lifecycle)
    guarded = Guard(routes, Hosts(config.web.allowed_hosts), web_file)
    return WebServer(config.web.address, guarded, web_file)
