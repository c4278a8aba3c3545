"""Tests of monitor.web.reload."""

import pytest

from monitor.errors import ConfigError
from monitor.web.reload import ReloadMiddleware

from .wsgi import call, hello

pytestmark = pytest.mark.unit


class Daemon:
    """Stand-in that raises a configured problem and counts reloads."""

    def __init__(self, problem=None):
        self.problem = problem
        self.reloads = 0

    def check(self):
        if self.problem:
            raise ConfigError([self.problem])

    def reload(self):
        self.reloads += 1

    def middleware(self, *, enabled=True):
        return ReloadMiddleware(hello, self.check, self.reload, enabled=enabled)


def test_reload_happens_after_the_response_was_sent():
    daemon = Daemon()
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/-/reload", "wsgi.url_scheme": "http"}
    codes = []
    body = daemon.middleware()(environ, lambda status, headers: codes.append(status))
    assert b"".join(body)
    assert codes == ["200 OK"]
    assert daemon.reloads == 0
    body.close()
    assert daemon.reloads == 1


def test_reload_names_the_problem_of_an_invalid_configuration():
    daemon = Daemon("config.toml: web.lisen: unknown key")
    code, _, body = call(daemon.middleware(), "/-/reload", "POST")
    assert code == 500
    assert b"config.toml: web.lisen: unknown key" in body
    assert daemon.reloads == 0


def test_reload_is_forbidden_unless_enabled():
    daemon = Daemon()
    assert call(daemon.middleware(enabled=False), "/-/reload", "POST")[0] == 403
    assert daemon.reloads == 0


@pytest.mark.parametrize("enabled", [True, False])
def test_reload_allows_post_only(enabled):
    daemon = Daemon()
    code, headers, _ = call(daemon.middleware(enabled=enabled), "/-/reload", "GET")
    assert (code, headers["Allow"]) == (405, "POST")
    assert daemon.reloads == 0


def test_reload_passes_other_paths_on():
    assert call(Daemon().middleware(), "/")[2] == b"hello"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:10190", "host": "localhost:10190"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_reload_accepts_same_origin_requests(headers):
    assert call(Daemon().middleware(), "/-/reload", "POST", **headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://attacker.example", "host": "localhost:10190"},
        {"origin": "https://localhost:10190", "host": "localhost:10190"},
        {"origin": "null", "host": "localhost:10190"},
        {"origin": "http://localhost:10190.attacker.example", "host": "localhost:10190"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_reload_rejects_cross_origin_requests(headers):
    daemon = Daemon()
    assert call(daemon.middleware(), "/-/reload", "POST", **headers)[0] == 403
    assert daemon.reloads == 0
