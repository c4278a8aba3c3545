"""Helpers for tests of WSGI applications."""

from base64 import b64encode
from io import BytesIO

from monitor.queries.history import HistoryReader
from monitor.queries.scorecard import ScorecardReader
from monitor.web.api import StoredDocuments
from tests.unit.monitor.conftest import NOW


def stored_documents(stores, rules=lambda: None):
    """Return the reader of the documents of a database at NOW, by default without high-load rules."""
    history = HistoryReader(stores, rules, 5.0)
    return StoredDocuments(stores, history, ScorecardReader(stores, rules, 5.0), lambda: NOW)


def call(application, path="/", method="GET", query="", **headers):
    """Send one request; return status code, headers and body, after closing the body as a server does."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.url_scheme": "http"}
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return send(application, environ)


def post(application, path, body, content_type="application/x-www-form-urlencoded", user=None, **headers):
    """Send a POST request with a body; return status code, headers and body."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "REMOTE_ADDR": "192.0.2.7",
    }
    if user is not None:
        environ["REMOTE_USER"] = user
    return send(application, environ | {f"HTTP_{name.upper()}": value for name, value in headers.items()})


def send(application, environ):
    """Call an application; return status code, headers and body, after closing the body as a server does."""
    started = []
    chunks = application(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    status, sent_headers = started[0]
    return int(status[:3]), dict(sent_headers), body


def hello(environ, start_response):
    """Respond with 200 to every request."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def basic_auth(user, password):
    """Return an Authorization header."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
