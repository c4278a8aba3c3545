"""Command migrate-store."""

from __future__ import annotations

import pytest

from monitor.cli.exit_codes import ExitCode
from storage import Sample, SampleRepository, open_database

pytestmark = pytest.mark.unit


@pytest.fixture
def source(tmp_path):
    url = f"sqlite:///{tmp_path}/source.db"
    with open_database(url) as database:
        SampleRepository(database).append_many(Sample(float(at), cpu_usage=0.5) for at in range(100))
    return url


def count_of(url):
    with open_database(url, create=False) as database:
        return SampleRepository(database).count()


def test_migrate_store_copies_a_history_to_a_server_and_back(run, source, tmp_path, postgresql):
    target = postgresql.url()
    result = run("migrate-store", source, target, "--host", "migrated", "--json")
    assert result.code == ExitCode.DONE
    assert (result.document["rows"], result.document["damaged"]) == (100, 0)
    tables = {entry["table"]: entry["rows"] for entry in result.document["tables"]}
    assert tables["samples"] == 100
    assert count_of(postgresql.url("migrated")) == 100
    back = f"sqlite:///{tmp_path}/back.db"
    again = run("migrate-store", target, back, "--host", "migrated", "--json")
    assert again.document["tables"] == result.document["tables"]


def test_migrate_store_refuses_a_target_with_a_history(run, source, tmp_path):
    target = f"sqlite:///{tmp_path}/target.db"
    with open_database(target) as database:
        SampleRepository(database).append(Sample(5.0))
    assert run("migrate-store", source, target).code == ExitCode.FAILED
    assert count_of(target) == 1
    assert run("migrate-store", source, target, "--replace").code == ExitCode.DONE
    assert count_of(target) == 100


def test_migrate_store_refuses_a_database_that_a_daemon_uses(run, source, tmp_path):
    with open_database(source) as database, database.lock("daemon"):
        assert run("migrate-store", source, f"sqlite:///{tmp_path}/target.db").code == ExitCode.FAILED
    assert not (tmp_path / "target.db").exists()


def test_migrate_store_refuses_a_missing_source(run, tmp_path):
    arguments = (f"sqlite:///{tmp_path}/missing.db", f"sqlite:///{tmp_path}/target.db")
    assert run("migrate-store", *arguments).code == ExitCode.FAILED


@pytest.mark.parametrize(
    "arguments",
    [
        ("mysql://u:hunter2@h/db", "sqlite:///x.db"),
        ("sqlite:///x.db", "postgresql+psycopg://u:hunter2@h/db"),
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("sqlite:///x.db", "postgresql+psycopg://h/db", "--host", "Web 1"),
    ],
)
def test_migrate_store_refuses_an_invalid_url_or_host(run, arguments):
    result = run("migrate-store", *arguments)
    assert result.code == ExitCode.USAGE
    assert "hunter2" not in result.output + result.errors
