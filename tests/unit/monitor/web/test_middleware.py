"""Tests of monitor.web.middleware."""

import bcrypt
import pytest

from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.middleware import MACHINE_PATHS, AccessMiddleware, RateLimiter
from monitor.web.web_config.loader import WebConfigFile
from monitor.web.web_config.schema import RateLimitSection

from .wsgi import basic_auth, call, hello

pytestmark = pytest.mark.unit

FOREIGN_HOST = "attacker.example"


@pytest.fixture
def middleware():
    return AccessMiddleware(hello, AllowedHosts([]))


def configured(application=hello, **fields):
    web_config = WebConfigFile(**fields)
    return AccessMiddleware(application, AllowedHosts([]), lambda: web_config)


def test_middleware_passes_allowed_requests_on(middleware):
    code, _, body = call(middleware, host="localhost")
    assert (code, body) == (200, b"hello")


@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/-/reload", "/x"])
def test_middleware_rejects_foreign_host_names(middleware, path):
    assert call(middleware, path, host=FOREIGN_HOST)[0] == 421


@pytest.mark.parametrize("path", MACHINE_PATHS)
def test_middleware_serves_metrics_and_probes_under_any_host_name(middleware, path):
    assert call(middleware, path, host=FOREIGN_HOST)[0] == 200


@pytest.mark.parametrize(("host", "code"), [("localhost", 200), (FOREIGN_HOST, 421)])
def test_middleware_adds_security_headers_to_every_response(middleware, host, code):
    status, headers, _ = call(middleware, host=host)
    assert status == code
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["Server"] == "monitor"
    assert "Strict-Transport-Security" not in headers


def test_middleware_adds_configured_headers():
    middleware = configured(headers=(("X-Frame-Options", "sameorigin"),))
    assert call(middleware)[1]["X-Frame-Options"] == "sameorigin"


@pytest.mark.parametrize("path", ["/", *MACHINE_PATHS])
def test_middleware_demands_a_login_where_users_are_configured(path):
    middleware = configured(users={"alice": bcrypt.hashpw(b"secret", bcrypt.gensalt(4))})
    code, headers, _ = call(middleware, path)
    assert (code, headers["WWW-Authenticate"]) == (401, "Basic")
    assert call(middleware, path, authorization=basic_auth("alice", "secret"))[0] == 200


def test_middleware_names_the_user_of_a_request():
    users = []

    def application(environ, start_response):
        users.append(environ.get("REMOTE_USER"))
        return hello(environ, start_response)

    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4))
    middleware = configured(application, users={"alice": hashed})
    call(middleware, authorization=basic_auth("alice", "secret"))
    call(configured(application), authorization=basic_auth("mallory", "x"), remote_user="mallory")
    assert users == ["alice", None]


def test_middleware_rejects_requests_beyond_the_rate_limit():
    middleware = configured(rate_limit=RateLimitSection(interval=3600.0, burst=2))
    assert [call(middleware)[0] for _ in range(4)] == [200, 200, 429, 429]


def test_rate_limiter_empties_and_refills_its_bucket():
    limiter = RateLimiter()
    limit = RateLimitSection(interval=10.0, burst=2)
    times = (0, 0, 0, 9, 11, 12, 1000, 1000, 1000)
    allowed = [limiter.allows(limit, now) for now in times]
    assert allowed == [True, True, False, False, True, False, True, True, False]


def test_rate_limiter_allows_everything_without_a_limit():
    limiter = RateLimiter()
    assert all(limiter.allows(RateLimitSection(), 1000.0) for _ in range(100))
