"""How a database comes to the schema of this release."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import storage.migrations
from storage import (
    AnomalyRepository,
    ModelRegistry,
    PredictionRepository,
    Sample,
    SampleRepository,
    SchemaTooNewError,
    StorageError,
    TrainingRunRepository,
    open_database,
)
from storage.migrations.runner import EXIT_REFUSED, HEAD, REVISIONS
from storage.migrations.upgrade import main
from storage.schema import metadata

pytestmark = pytest.mark.integration

SCHEMAS = Path(__file__).parents[1] / "schemas"
OPEN = "import sys; from storage import open_database; open_database(sys.argv[1]).close()"


def url(path: Path) -> str:
    return f"sqlite:///{path / 'x.db'}"


def tables(path: Path) -> dict[str, str]:
    """Return the SQL of each table without the white space and quotes that Alembic and SQLAlchemy set differently."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name: "".join(sql.replace('"', "").split()) for name, sql in rows}


def test_a_migrated_database_is_what_the_tables_say(tmp_path: Path) -> None:
    with open_database(url(tmp_path)) as database, database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_migrated_database_keeps_what_a_comparison_of_columns_does_not_see(tmp_path: Path) -> None:
    open_database(url(tmp_path)).close()
    with open_database(f"sqlite:///{tmp_path / 'made.db'}", migrate=False) as made, made.writing() as connection:
        metadata.create_all(connection)
    migrated = tables(tmp_path / "x.db")
    del migrated["alembic_version"]
    assert migrated == tables(tmp_path / "made.db")
    assert "WITHOUTROWID" in migrated["samples"]


def test_the_revisions_known_are_those_that_exist() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(storage.migrations.__file__).parent))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_a_current_database_is_not_migrated_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(url(tmp_path)).close()
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    open_database(url(tmp_path)).close()


def test_a_newer_schema_is_refused_with_both_revisions(tmp_path: Path) -> None:
    open_database(url(tmp_path)).close()
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()
    with pytest.raises(SchemaTooNewError, match=rf"x\.db: .*0999.*{HEAD}"):
        open_database(url(tmp_path))


def test_a_migration_that_fails_leaves_nothing_behind_and_says_why(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("CREATE TABLE training_runs (other INTEGER)")
    connection.close()
    with pytest.raises(StorageError, match=r"x\.db: .*training_runs already exists") as caught:
        open_database(url(tmp_path))
    assert "\n" not in str(caught.value)
    assert set(tables(tmp_path / "x.db")) == {"alembic_version", "training_runs"}


def test_processes_that_open_a_new_database_at_once_all_succeed(tmp_path: Path) -> None:
    def start(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", OPEN, url(tmp_path)], capture_output=True, text=True, check=False
        )

    with ThreadPoolExecutor(8) as pool:
        assert [done.stderr for done in pool.map(start, range(8))] == [""] * 8


def test_opening_brings_no_alembic_into_the_process_and_does_not_depend_on_the_directory(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "migrate.py").write_text("raise SystemExit('the wrong package')")
    script = f"import os, storage; os.chdir({str(tmp_path)!r}); {OPEN}; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, url(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_upgrade_program_exits_with_the_status_of_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([url(tmp_path)]) == 0
    assert main([]) == 2
    assert main([f"sqlite:///{tmp_path}"]) == EXIT_REFUSED
    assert str(tmp_path) in capsys.readouterr().err


def test_a_database_in_a_directory_with_a_percent_sign_is_migrated(tmp_path: Path) -> None:
    (tmp_path / "50%s").mkdir()
    open_database(url(tmp_path / "50%s")).close()


def test_migration_renames_the_flatline_channel(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.executescript((SCHEMAS / "0004.sql").read_text())
        connection.execute("UPDATE anomalies SET channel = 'stuck'")
    connection.close()
    with open_database(url(tmp_path)) as database:
        assert AnomalyRepository(database).get(1).channel == "flatline"


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_every_release_is_opened_and_usable(tmp_path: Path, revision: str) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.executescript((SCHEMAS / f"{revision}.sql").read_text())
    connection.close()
    with open_database(url(tmp_path)) as database:
        samples, registry, runs = SampleRepository(database), ModelRegistry(database), TrainingRunRepository(database)
        assert samples.between(0, 2e9, ["cpu_usage"]).tolist() == [[1.7e9, 0.25], [1.7e9 + 5, 0.5]]
        assert samples.append(Sample(1.7e9)) == 1.7e9 + 0.001
        assert [one.horizon for one in PredictionRepository(database).last()] == [300.0, 900.0]
        assert registry.blob(2) == b"second model"
        assert registry.rollback(None, 1.8e9) == 1
        assert runs.counts()["promoted"] == 1
