"""HTTP: what is answered, and the sockets it is answered on."""

from monitor.web.api import Records
from monitor.web.application import Application
from monitor.web.server import WebServer

__all__ = ["Application", "Records", "WebServer"]
