"""HTTP: what is answered, what stands before it, and the sockets it is answered on."""

from monitor.web.api import Records
from monitor.web.application import Application
from monitor.web.connection import Limits
from monitor.web.factory import make_server
from monitor.web.server import WebServer

__all__ = ["Application", "Limits", "Records", "WebServer", "make_server"]
