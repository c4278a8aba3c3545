"""HTTP endpoint: server, access control, metrics, probes, JSON API and HTML page."""

from monitor.web.api import Records
from monitor.web.application import Application
from monitor.web.connection import Limits
from monitor.web.factory import make_server
from monitor.web.server import WebServer

__all__ = ["Application", "Limits", "Records", "WebServer", "make_server"]
