"""HTTP endpoint: server, access control, metrics, probes, JSON API and HTML page."""

from monitor.web.api import StoredDocuments
from monitor.web.application import Application
from monitor.web.connection import Limits
from monitor.web.factory import Guarded, guard, make_server
from monitor.web.server import WebServer

__all__ = ["Application", "Guarded", "Limits", "StoredDocuments", "WebServer", "guard", "make_server"]
