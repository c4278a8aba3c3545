"""Tests of monitor.web.factory."""

import http.client
import threading
from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.config.web_section import WebSection
from monitor.errors import ConfigError
from monitor.web.factory import guard, make_server

from .wsgi import hello

pytestmark = pytest.mark.unit


class Endpoint:
    """Running endpoint of a configuration, with a client."""

    def __init__(self, tmp_path, **web):
        config = Config(path=tmp_path / "config.toml")
        config = replace(config, web=replace(config.web, listen="127.0.0.1:0", **web))
        self.reloaded = threading.Event()
        self._server = make_server(config, guard(config, hello, lambda: None, self.reloaded.set))
        self._server.start()

    def fetch(self, method, path, host="localhost"):
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=5)
        try:
            connection.request(method, path, headers={"Host": host})
            return connection.getresponse().status
        finally:
            connection.close()

    def close(self):
        self._server.close()


@pytest.fixture
def endpoint(tmp_path):
    """Return a factory of endpoints, which are closed after the test."""
    endpoints = []

    def start(**web):
        endpoints.append(Endpoint(tmp_path, **web))
        return endpoints[-1]

    yield start
    for started in endpoints:
        started.close()


def test_factory_serves_the_application(endpoint):
    assert endpoint().fetch("GET", "/") == 200


def test_factory_applies_allowed_hosts(endpoint):
    assert endpoint().fetch("GET", "/", host="monitor.example") == 421
    assert endpoint(allowed_hosts=("monitor.example",)).fetch("GET", "/", host="monitor.example") == 200


def test_factory_enables_the_reload_path(endpoint):
    started = endpoint(lifecycle=True)
    assert started.fetch("POST", "/-/reload") == 200
    assert started.reloaded.wait(5)


def test_factory_disables_the_reload_path_by_default(endpoint):
    started = endpoint()
    assert started.fetch("POST", "/-/reload") == 403
    assert not started.reloaded.is_set()


def test_factory_applies_the_web_config_file(endpoint, tmp_path):
    (tmp_path / "web.yml").write_text("rate_limit: {interval: 1h, burst: 1}\n")
    started = endpoint(config_file="web.yml")
    assert [started.fetch("GET", "/") for _ in range(2)] == [200, 429]


def test_factory_refuses_an_invalid_web_config_file(tmp_path):
    (tmp_path / "web.yml").write_text("unknown: 1\n")
    with pytest.raises(ConfigError):
        Endpoint(tmp_path, config_file="web.yml")


def test_actions_without_users_are_refused_where_other_hosts_can_connect():
    config = Config(web=WebSection(actions=True, listen="192.0.2.1:10190"))
    with pytest.raises(ConfigError) as raised:
        guard(config, hello, lambda: None, lambda: None)
    assert "basic_auth_users" in raised.value.problems[0]
