"""Tests of monitor.web.allowed_hosts."""

import pytest

from monitor.web.allowed_hosts import AllowedHosts

pytestmark = pytest.mark.unit


@pytest.fixture
def hosts(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Web1")
    monkeypatch.setattr("socket.getfqdn", lambda: "web1.example.org")
    return AllowedHosts(["*.Internal", "monitor.example.com"])


@pytest.mark.parametrize("header", ["127.0.0.1:10190", "192.0.2.7", "[::1]:10190", "[2001:db8::1]"])
def test_allowed_hosts_accept_ip_addresses(hosts, header):
    assert hosts.allows(header)


@pytest.mark.parametrize("header", ["localhost:10190", "LOCALHOST", "web1", "web1:10190", "web1.example.org"])
def test_allowed_hosts_accept_names_of_this_machine(hosts, header):
    assert hosts.allows(header)


@pytest.mark.parametrize("header", ["a.internal", "monitor.example.com:1"])
def test_allowed_hosts_accept_configured_patterns(hosts, header):
    assert hosts.allows(header)


def test_allowed_hosts_ignore_a_trailing_dot(hosts):
    assert hosts.allows("web1.example.org.")


def test_allowed_hosts_accept_a_missing_header(hosts):
    assert hosts.allows("")


@pytest.mark.parametrize(
    "header",
    ["attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example", "internal", "web10", "1.2.3"],
)
def test_allowed_hosts_reject_other_names(hosts, header):
    assert not hosts.allows(header)
