"""Hostile clients on loopback, bounded in number and time."""

import socket
import ssl
import struct
import threading
from contextlib import contextmanager, suppress


def connect(port, timeout=5):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def send(port, data, *, answer=True, timeout=5):
    """Send bytes on a new connection and return the answer; empty if the server closes without one."""
    with suppress(OSError), connect(port, timeout) as client:
        client.sendall(data)
        if answer:
            return client.recv(65536)
    return b""


@contextmanager
def held_open(port, count, first=b""):
    """Hold connections open for a `with` block, each with the first bytes of a request; yield the sockets."""
    clients = []
    try:
        for _ in range(count):
            with suppress(OSError):
                client = connect(port)
                clients.append(client)
                client.sendall(first)
        yield clients
    finally:
        for client in clients:
            client.close()


def in_parallel(function, count):
    """Call a function in threads at the same time, and return the results in the order of completion."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(function())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def tls_context():
    """Return a client context that accepts any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def reset(port, data):
    """Send bytes and reset the connection at once."""
    with suppress(OSError), connect(port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(data)
