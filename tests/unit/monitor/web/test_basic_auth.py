"""Tests of monitor.web.basic_auth."""

from base64 import b64encode

import bcrypt
import pytest

from monitor.web.basic_auth import MAX_CACHED_LOGINS, MAX_PASSWORD_BYTES, BasicAuthenticator, LoginResult

from .wsgi import basic_auth

pytestmark = pytest.mark.unit

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4))
USERS = {"alice": HASH}


@pytest.fixture
def computed_costs(monkeypatch):
    """Record the cost of each hash that is computed."""
    costs = []
    checkpw = bcrypt.checkpw

    def record(password, hashed):
        costs.append(int(hashed[4:6]))
        return checkpw(password, hashed) if hashed.startswith(b"$2b$04$") else False

    monkeypatch.setattr("bcrypt.checkpw", record)
    return costs


def with_cost(cost):
    return HASH.replace(b"$04$", f"${cost:02}$".encode())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!",
        "Bearer abc",
        "Basic " + b64encode(b"alice").decode(),
        "Basic " + b64encode(b"\xff:x").decode(),
        basic_auth("alice", ""),
        basic_auth("alice", "Secret"),
        basic_auth("alice", "secret\0x"),
        basic_auth("alice", "s" * 100),
        basic_auth("bob", "secret"),
        basic_auth("", "secret"),
    ],
)
def test_authenticator_refuses_invalid_credentials(header):
    assert BasicAuthenticator().check(header, USERS) is LoginResult.REFUSED


def test_authenticator_admits_a_user_with_the_password():
    assert BasicAuthenticator().check(basic_auth("alice", "secret"), USERS) is LoginResult.ADMITTED


def test_authenticator_refuses_a_password_longer_than_bcrypt_supports():
    users = {"alice": bcrypt.hashpw(b"x" * MAX_PASSWORD_BYTES, bcrypt.gensalt(4))}
    longest = basic_auth("alice", "x" * MAX_PASSWORD_BYTES)
    too_long = basic_auth("alice", "x" * (MAX_PASSWORD_BYTES + 1))
    assert BasicAuthenticator().check(longest, users) is LoginResult.ADMITTED
    assert BasicAuthenticator().check(too_long, users) is LoginResult.REFUSED


def test_authenticator_computes_the_same_hash_for_an_unknown_user(computed_costs):
    users = {"alice": HASH, "zoe": with_cost(12)}
    for name in ("zoe", "unknown"):
        BasicAuthenticator().check(basic_auth(name, "wrong"), users)
    assert computed_costs == [12, 12]


@pytest.mark.parametrize("name", ["cost04", "cost05", "cost09", "cost10", "cost12", "unknown"])
def test_authenticator_spends_the_highest_cost_on_every_wrong_password(computed_costs, name):
    users = {f"cost{cost:02}": with_cost(cost) for cost in (4, 5, 9, 10, 12)}
    BasicAuthenticator().check(basic_auth(name, "wrong"), users)
    assert sum(2**cost for cost in computed_costs) == 2**12


def test_authenticator_caches_successful_logins_only(computed_costs):
    authenticator = BasicAuthenticator()
    for _ in range(5):
        authenticator.check(basic_auth("alice", "secret"), USERS)
    assert len(computed_costs) == 1
    for _ in range(5):
        authenticator.check(basic_auth("alice", "wrong"), USERS)
    assert len(computed_costs) == 6


def test_authenticator_forgets_a_login_when_the_hash_changes():
    authenticator = BasicAuthenticator()
    authenticator.check(basic_auth("alice", "secret"), USERS)
    changed = {"alice": bcrypt.hashpw(b"new", bcrypt.gensalt(4))}
    assert authenticator.check(basic_auth("alice", "secret"), changed) is LoginResult.REFUSED


def test_authenticator_bounds_its_cache_and_stores_no_password():
    authenticator = BasicAuthenticator()
    users = {f"user{i}": HASH for i in range(MAX_CACHED_LOGINS + 20)}
    results = {authenticator.check(basic_auth(name, "secret"), users) for name in users}
    assert results == {LoginResult.ADMITTED}
    assert len(authenticator._cache) == MAX_CACHED_LOGINS
    assert all(b"secret" not in key for key in authenticator._cache)


def test_authenticator_is_busy_when_all_hash_slots_are_taken():
    authenticator = BasicAuthenticator()
    while authenticator._hash_slots.acquire(blocking=False):
        pass
    assert authenticator.check(basic_auth("alice", "secret"), USERS) is LoginResult.BUSY


def test_authenticator_logs_a_hash_that_bcrypt_rejects(caplog):
    # The last character of the salt has bits that must be 0.
    stray = b"$2y$04$X0h1gDsPszWURQaxFh.zovbFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
    result = BasicAuthenticator().check(basic_auth("alice", "secret"), {"alice": stray})
    assert result is LoginResult.REFUSED
    assert [record.levelname for record in caplog.records] == ["ERROR"]
