"""Tests of monitor.web.web_config.watcher."""

import pytest

from monitor.web.web_config.watcher import WatchedWebConfigFile

pytestmark = pytest.mark.unit

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"


def users_file(*names):
    return "basic_auth_users:" + "".join(f"\n  {name}: {HASH}" for name in names) + "\n"


@pytest.fixture
def file(directory):
    path = directory / "web.config.yml"
    path.write_text(users_file("alice"))
    return path


def levels(caplog):
    return [record.levelname for record in caplog.records]


def test_watcher_loads_a_changed_file(file, caplog):
    caplog.set_level("INFO")
    watched = WatchedWebConfigFile(file)
    file.write_text(users_file("alice", "bob"))
    assert set(watched.current().users) == {"alice", "bob"}
    assert levels(caplog) == ["INFO"]


def test_watcher_keeps_the_last_valid_version_and_logs_an_invalid_version_once(file, caplog):
    watched = WatchedWebConfigFile(file)
    file.write_text("basic_auth_users: {alice: plain}\n")
    assert [set(watched.current().users) for _ in range(3)] == [{"alice"}] * 3
    assert levels(caplog) == ["ERROR"]
    file.write_text(users_file("bob"))
    assert set(watched.current().users) == {"bob"}


def test_watcher_tries_again_when_a_missing_file_appears(directory, caplog):
    file = directory / "web.config.yml"
    file.write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    watched = WatchedWebConfigFile(file)
    caplog.set_level("INFO")
    first = watched.current()
    file.write_text("tls_server_config: {cert_file: next.crt, key_file: next.key}\n")
    for suffix in ("crt", "key"):
        assert [watched.current() for _ in range(3)] == [first] * 3
        (directory / f"other.{suffix}").rename(directory / f"next.{suffix}")
    assert watched.current().tls_context is not first.tls_context
    assert levels(caplog) == ["ERROR", "ERROR", "INFO"]


def test_watcher_does_not_enable_tls_without_a_reload(file, caplog):
    watched = WatchedWebConfigFile(file)
    file.write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    assert watched.current().tls_context is None
    assert set(watched.current().users) == {"alice"}
    assert levels(caplog) == ["ERROR"]


def test_watcher_survives_unexpected_errors(file, caplog, monkeypatch):
    watched = WatchedWebConfigFile(file)
    monkeypatch.setattr("monitor.web.web_config.loader.parse_users", lambda _: {}["unexpected"])
    file.write_text("basic_auth_users: {}\n")
    assert [set(watched.current().users) for _ in range(3)] == [{"alice"}] * 3
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "KeyError" in str(record.fields["error"])
