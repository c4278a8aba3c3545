"""Clients and certificates for tests of the HTTP endpoint over real sockets."""

import http.client
import io
import socket
import ssl
import time
from contextlib import contextmanager

import trustme

from monitor.state import DaemonState
from monitor.web import Application, Limits, WebServer
from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.middleware import AccessMiddleware
from monitor.web.web_config.loader import WebConfigFile
from monitor.web.web_config.watcher import WatchedWebConfigFile

SHORT_TIMEOUTS = Limits(request_seconds=0.5, response_seconds=0.5)

SECRET_HASH = "$2b$04$m55bqaFeapegjRaozDNtQuXNf0Pt72iNmT979M4LH6b7vo5LAsLjW"
"""Hash of the password "secret" at the lowest cost."""


@contextmanager
def serving(application=None, limits=SHORT_TIMEOUTS, web_config_file=None, allowed_hosts=()):
    """Run the endpoint with its access control."""
    web_config = WatchedWebConfigFile(web_config_file).current if web_config_file else WebConfigFile
    application = application or Application(lambda: DaemonState("1.2.3", "3.11"))
    guarded = AccessMiddleware(application, AllowedHosts(allowed_hosts), web_config)
    server = WebServer(("127.0.0.1", 0), guarded, web_config, limits)
    server.start()
    try:
        yield server
    finally:
        server.close()


def ok(environ, start_response):
    """Respond with 200 and two bytes to every request."""
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def read_until_closed(connection):
    """Return all bytes until the server closes or resets the connection."""
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionError:
        pass
    return received


def request(path="/metrics", host="localhost", method="GET", **headers):
    """Return the bytes of a request after whose response the server closes the connection."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n".encode()


def send(server, data, context=None):
    """Send bytes on a new connection; return status code, headers and body, code 0 without a response."""
    with connect(server) as plain:
        connection = context.wrap_socket(plain, server_hostname="localhost") if context else plain
        with connection:
            connection.sendall(data)
            return parse_response(read_until_closed(connection))


def send_for_code(server, data, context=None):
    return send(server, data, context)[0]


def parse_response(data):
    head, _, body = data.partition(b"\r\n\r\n")
    status_line, _, lines = head.partition(b"\r\n")
    headers = http.client.parse_headers(io.BytesIO(lines + b"\r\n\r\n"))
    code = int(status_line.split()[1]) if status_line else 0
    return code, headers, body


@contextmanager
def open_connections(server, count, data=b""):
    """Open connections that send some bytes and then wait."""
    connections = [connect(server) for _ in range(count)]
    try:
        for connection in connections:
            connection.sendall(data)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "condition not met in time"
        time.sleep(0.02)


class Certificates:
    """Certificate authority with a certificate for localhost, in the directory of a web.config.yml."""

    def __init__(self, directory, authority=None):
        self.directory = directory
        self.authority = authority or trustme.CA()
        self.file = directory / "web.config.yml"
        self.renew()
        self.authority.cert_pem.write_to_path(str(directory / "ca.pem"))

    def renew(self):
        """Replace the certificate and its key."""
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        issued.private_key_pem.write_to_path(str(self.directory / "server.key"))
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        (self.directory / "server.crt").write_bytes(chain)

    def write(self, *lines, other_sections=""):
        """Write a web.config.yml that uses the certificate; `lines` are added to tls_server_config."""
        section = ["tls_server_config:", "cert_file: server.crt", "key_file: server.key", *lines]
        self.file.write_text("\n  ".join(section) + f"\n{other_sections}\n")
        return self.file

    def client_context(self, *names, authority=None):
        """Return a client context that trusts the server, with a client certificate if names are given.

        Args:
            names: subject alternative names of the client certificate.
            authority: issues the client certificate; by default the authority of the server.
        """
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if names:
            (authority or self.authority).issue_cert(*names).configure_cert(context)
        return context
