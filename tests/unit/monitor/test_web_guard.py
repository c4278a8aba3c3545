"""Who may ask, by which name, how often; what every answer says of itself; a reload on request."""

import base64

import bcrypt
import pytest

from monitor.errors import ConfigError
from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.basic_auth import MAX_CACHED_LOGINS, MAX_PASSWORD_BYTES, BasicAuthenticator
from monitor.web.middleware import AccessMiddleware, RateLimiter
from monitor.web.reload import ReloadMiddleware
from monitor.web.responses import with_security_headers
from monitor.web.web_config.schema import RateSection

pytestmark = pytest.mark.unit

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4))


def ok(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def ask(application, path="/", method="GET", **headers):
    """Status, headers and body; what comes after the answer is done too."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.url_scheme": "http"}
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    started = []
    chunks = application(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return int(started[0][0][:3]), dict(started[0][1]), body


def login(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def hosts(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Web1")
    monkeypatch.setattr("socket.getfqdn", lambda: "web1.example.org")
    return AllowedHosts(["*.Internal", "monitor.example.com"])


@pytest.mark.parametrize(
    "name",
    [
        *("127.0.0.1:10190", "192.0.2.7", "[::1]:10190", "[2001:db8::1]", "localhost:10190", "LOCALHOST"),
        *("web1", "web1:10190", "web1.example.org", "web1.example.org.", "a.internal", "monitor.example.com:1", ""),
    ],
)
def test_a_page_is_shown_by_addresses_own_names_and_allowed_ones(hosts, name):
    assert ask(AccessMiddleware(ok, hosts), host=name)[0] == 200


@pytest.mark.parametrize(
    "name", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "internal", "web10", "1.2.3"]
)
@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/-/reload", "/x"])
def test_by_any_other_name_it_is_not(hosts, name, path):
    code, _, body = ask(AccessMiddleware(ok, hosts), path, host=name)
    assert code == 421
    assert b"web.allowed_hosts" in body


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy", "/-/ready"])
def test_metrics_and_probes_answer_to_any_name(hosts, path):
    assert ask(AccessMiddleware(ok, hosts), path, host="monitor.monitoring.svc")[0] == 200


def test_every_answer_has_the_headers_of_security_refusals_too(hosts):
    for code, headers, _ in (ask(AccessMiddleware(ok, hosts)), ask(AccessMiddleware(ok, hosts), host="evil.example")):
        assert code in (200, 421)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["Server"] == "monitor"
        assert "Strict-Transport-Security" not in headers


def test_a_header_is_sent_once_by_whom_it_matters_most_to():
    own = [("x-frame-options", "own"), ("Content-Type", "a")]
    assert [v for n, v in with_security_headers(own) if n.lower() == "x-frame-options"] == ["own"]
    configured = [("X-Frame-Options", "deny"), ("Strict-Transport-Security", "max-age=1")]
    found = with_security_headers(own, configured)
    assert [v for n, v in found if n.lower() == "x-frame-options"] == ["deny"]
    assert ("Strict-Transport-Security", "max-age=1") in found


def test_a_bucket_empties_and_fills():
    rate, section = RateLimiter(), RateSection(10.0, 2)
    assert [rate.allows(section, at) for at in (0, 0, 0, 9, 11, 12, 1000, 1000, 1000)] == [
        *(True, True, False, False, True, False),
        *(True, True, False),
    ]
    assert all(rate.allows(RateSection(), 1000) for _ in range(100))


@pytest.mark.parametrize(
    "header",
    [
        *("", "Basic", "Basic !!", "Bearer abc", "Basic " + base64.b64encode(b"alice").decode()),
        *(login("alice", ""), login("alice", "Secret"), login("bob", "secret"), login("", "secret")),
        *(login("alice", "s" * 100), login("alice", "secret\0x"), "Basic " + base64.b64encode(b"\xff:x").decode()),
    ],
)
def test_what_is_not_a_user_with_the_password_is_refused(header):
    assert BasicAuthenticator().verdict(header, {"alice": HASH}) == "refused"


def test_a_password_longer_than_bcrypt_reads_is_wrong_whatever_it_begins_with():
    hashed = bcrypt.hashpw(b"x" * MAX_PASSWORD_BYTES, bcrypt.gensalt(4))
    assert BasicAuthenticator().verdict(login("alice", "x" * MAX_PASSWORD_BYTES), {"alice": hashed}) == "admitted"
    assert (
        BasicAuthenticator().verdict(login("alice", "x" * (MAX_PASSWORD_BYTES + 1)), {"alice": hashed}) == "refused"
    )


def test_who_does_not_exist_costs_the_same_hash_as_the_costliest_user(monkeypatch):
    costs = []
    monkeypatch.setattr("bcrypt.checkpw", lambda password, hashed: costs.append(hashed[4:6]) or False)
    users = {"alice": HASH, "zoe": HASH.replace(b"$04$", b"$12$")}
    for name in ("zoe", "nobody"):
        assert BasicAuthenticator().verdict(login(name, "wrong"), users) == "refused"
    assert costs == [b"12", b"12"]


def test_a_hash_is_paid_once_by_who_is_right_and_always_by_who_is_wrong(monkeypatch):
    paid, real = [], bcrypt.checkpw
    monkeypatch.setattr("bcrypt.checkpw", lambda password, hashed: paid.append(1) or real(password, hashed))
    users, table = BasicAuthenticator(), {"alice": HASH}
    assert [users.verdict(login("alice", "secret"), table) for _ in range(5)] == ["admitted"] * 5
    assert len(paid) == 1
    assert [users.verdict(login("alice", "wrong"), table) for _ in range(5)] == ["refused"] * 5
    assert len(paid) == 6
    other = {"alice": bcrypt.hashpw(b"new", bcrypt.gensalt(4))}
    assert users.verdict(login("alice", "secret"), other) == "refused", "a password that was changed is forgotten"


def test_what_is_remembered_is_bounded_and_is_no_password():
    users = BasicAuthenticator()
    table = {f"user{i}": HASH for i in range(MAX_CACHED_LOGINS + 20)}
    assert {users.verdict(login(name, "secret"), table) for name in table} == {"admitted"}
    assert len(users._known) == MAX_CACHED_LOGINS
    assert all(b"secret" not in mark for mark in users._known)


def test_too_many_who_are_not_known_are_not_queued():
    users = BasicAuthenticator()
    while users._room.acquire(blocking=False):
        pass
    assert users.verdict(login("alice", "secret"), {"alice": HASH}) == "busy"


class Reloads:
    """Counts what was asked for, and refuses where it has a problem."""

    def __init__(self, problem=None):
        self.problem, self.count = problem, 0

    def check(self):
        if self.problem:
            raise ConfigError([self.problem])

    def reload(self):
        self.count += 1

    def application(self, *, enabled=True):
        return ReloadMiddleware(ok, self.check, self.reload, enabled=enabled)


def test_a_reload_answers_that_the_configuration_is_valid_and_happens_after_the_answer():
    reloads = Reloads()
    answer = reloads.application()(
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/-/reload", "wsgi.url_scheme": "http"}, lambda status, headers: None
    )
    assert (b"".join(answer), reloads.count) == (b"the configuration is valid and is being reloaded\n", 0)
    answer.close()
    assert reloads.count == 1


def test_a_configuration_that_cannot_be_used_is_named_and_not_reloaded():
    reloads = Reloads("config.toml: web.lisen: unknown key")
    code, _, body = ask(reloads.application(), "/-/reload", "POST")
    assert (code, reloads.count) == (500, 0)
    assert body == b"failed to reload the configuration: config.toml: web.lisen: unknown key\n"


def test_a_reload_has_to_be_enabled_and_posted():
    reloads = Reloads()
    code, _, body = ask(reloads.application(enabled=False), "/-/reload", "POST")
    assert (code, b"Lifecycle API is not enabled" in body) == (403, True)
    for enabled in (True, False):
        code, headers, _ = ask(reloads.application(enabled=enabled), "/-/reload")
        assert (code, headers["Allow"]) == (405, "POST")
    assert ask(reloads.application(), "/")[0] == 200
    assert reloads.count == 0


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"origin": "http://localhost:10190", "host": "localhost:10190"}, 200),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"origin": "http://evil.example", "host": "localhost:10190"}, 403),
        ({"origin": "https://localhost:10190", "host": "localhost:10190"}, 403),
        ({"origin": "null", "host": "localhost:10190"}, 403),
        ({"origin": "http://localhost:10190.evil.example", "host": "localhost:10190"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_another_site_cannot_have_it_reloaded(headers, code):
    assert ask(Reloads().application(), "/-/reload", "POST", **headers)[0] == code
