"""Tests of monitor.web.sockets."""

import errno
import socket

import pytest

from monitor.errors import MonitorError
from monitor.web.sockets import DescriptorReserve, bind, connection_capacity, page_url, reject_connection

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("host", "encrypted", "url"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:10190/"),
        ("0.0.0.0", True, "https://localhost:10190/"),
        ("::", False, "http://localhost:10190/"),
        ("::1", False, "http://[::1]:10190/"),
    ],
)
def test_page_url_names_the_address_as_seen_from_this_machine(host, encrypted, url):
    assert page_url(host, 10190, encrypted=encrypted) == url


def test_reserve_releases_and_refills_descriptors():
    reserve = DescriptorReserve(2)
    assert [reserve.release_one() for _ in range(3)] == [True, True, False]
    reserve.refill()
    assert reserve.release_one()
    reserve.close()
    assert not reserve.release_one()


@pytest.mark.parametrize(("allowed", "capacity"), [(1024, 600), (200, 136), (32, 8)])
def test_capacity_leaves_descriptors_to_the_other_parts(monkeypatch, allowed, capacity):
    monkeypatch.setattr("resource.getrlimit", lambda _: (allowed, allowed))
    assert connection_capacity(600) == capacity


def test_bind_returns_a_non_blocking_listening_socket():
    with bind(("127.0.0.1", 0)) as listening:
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        assert not listening.getblocking()


@pytest.mark.parametrize("host", ["host.invalid", "a..b", "x" * 300, "a\0b", "192.0.2.1"])
def test_bind_states_why_an_address_cannot_be_bound(host):
    with pytest.raises(MonitorError, match=r"web\.listen: .* cannot be bound: \w") as raised:
        bind((host, 0))
    assert "Unknown error" not in str(raised.value)
    assert "Errno" not in str(raised.value)


def test_bind_names_an_address_that_is_in_use():
    with bind(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with pytest.raises(MonitorError, match=f"web.listen: 127.0.0.1:{address[1]}") as raised:
            bind(address)
    assert raised.value.__cause__.errno == errno.EADDRINUSE


@pytest.mark.parametrize(("encrypted", "response"), [(False, b"HTTP/1.1 503"), (True, b"")])
def test_reject_connection_responds_to_plain_http_only(encrypted, response):
    server, client = socket.socketpair()
    with client:
        reject_connection(server, encrypted=encrypted)
        assert client.recv(12) == response
