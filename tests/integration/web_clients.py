"""Clients of the endpoint over real sockets, good and bad, and certificates for them."""

import http.client
import io
import socket
import ssl
import time
from contextlib import contextmanager

import trustme

from monitor.state import Status
from monitor.web import Application, Limits, WebServer
from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.middleware import AccessMiddleware
from monitor.web.web_config.loader import WebConfigFile
from monitor.web.web_config.watcher import WatchedWebConfigFile

QUICK = Limits(request_seconds=0.5, response_seconds=0.5)
"""So that a test of patience needs little."""

ALICE = "$2b$04$m55bqaFeapegjRaozDNtQuXNf0Pt72iNmT979M4LH6b7vo5LAsLjW"
"""The hash of "secret" at the lowest cost."""


@contextmanager
def serving(application=None, limits=QUICK, web_file=None, allowed=()):
    """The endpoint as it is put together, and closed."""
    current = WatchedWebConfigFile(web_file).current if web_file else WebConfigFile
    guarded = AccessMiddleware(
        application or Application(lambda: Status("1.2.3", "3.11")), AllowedHosts(allowed), current
    )
    made = WebServer(("127.0.0.1", 0), guarded, current, limits)
    made.start()
    try:
        yield made
    finally:
        made.close()


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def rest(connection):
    """What comes until the server closes; a reset is an end too."""
    found = b""
    try:
        while piece := connection.recv(65_536):
            found += piece
    except ConnectionError:
        pass
    return found


def asked(server, request, context=None):
    """The status line's code, the headers and the body of an answer to some bytes; 0 where there is none."""
    with connect(server) as plain:
        connection = context.wrap_socket(plain, server_hostname="localhost") if context else plain
        with connection:
            connection.sendall(request)
            return parsed(rest(connection))


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    first, _, lines = head.partition(b"\r\n")
    headers = http.client.parse_headers(io.BytesIO(lines + b"\r\n\r\n"))
    return int(first.split()[1]) if first else 0, headers, body


def get(path="/metrics", host="localhost", method="GET", **headers):
    """The bytes of a request that asks for one answer."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n".encode()


@contextmanager
def many(server, count, first=b""):
    """Clients that hang, each after some bytes."""
    made = [connect(server) for _ in range(count)]
    try:
        for connection in made:
            connection.sendall(first)
        yield made
    finally:
        for connection in made:
            connection.close()


class Certificates:
    """An authority with a certificate for localhost, in files beside a web.config.yml."""

    def __init__(self, directory, authority=None):
        self.directory, self.authority = directory, authority or trustme.CA()
        self.file = directory / "web.config.yml"
        self.renew()
        self.authority.cert_pem.write_to_path(str(directory / "ca.pem"))

    def renew(self, authority=None):
        made = (authority or self.authority).issue_cert("localhost", "127.0.0.1")
        made.private_key_pem.write_to_path(str(self.directory / "server.key"))
        (self.directory / "server.crt").write_bytes(b"".join(pem.bytes() for pem in made.cert_chain_pems))

    def write(self, *lines, more=""):
        """A web.config.yml with TLS by these certificates and more lines of its section, and more sections."""
        section = ["tls_server_config:", "cert_file: server.crt", "key_file: server.key", *lines]
        self.file.write_text("\n  ".join(section) + f"\n{more}\n")
        return self.file

    def client(self, *names, authority=None, trusted=None):
        """A client's side that trusts the authority, with a certificate for some names where there are any."""
        context = ssl.create_default_context()
        (trusted or self.authority).configure_trust(context)
        if names:
            (authority or self.authority).issue_cert(*names).configure_cert(context)
        return context


def eventually(condition, seconds=10):
    """Waits for what must come to pass."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.02)
