"""Migration of databases to the schema of this release."""

from __future__ import annotations

import functools
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

import storage.migrations
from storage import (
    AnomalyRepository,
    CapacityRepository,
    ChannelHealth,
    MaintenanceWindow,
    ModelPart,
    ModelRegistry,
    NotificationRepository,
    NotifiedIncident,
    Onset,
    PredictionRepository,
    ProcessSnapshotRepository,
    ProcessUsage,
    Sample,
    SampleRepository,
    ScoreRepository,
    StorageError,
    StorageErrorKind,
    TrainingOutcome,
    TrainingRunRepository,
    Verdict,
    open_database,
)
from storage.migrations.runner import EXIT_REFUSED, HEAD, REVISIONS
from storage.migrations.upgrade import main, upgrade
from storage.schema import metadata

from .conftest import create_database

pytestmark = pytest.mark.integration

SCHEMAS = Path(__file__).parents[1] / "schemas"
OPEN = "import sys; from storage import open_database; open_database(sys.argv[1]).close()"


def url_in(directory: Path) -> str:
    return f"sqlite:///{directory / 'x.db'}"


def execute(directory: Path, *scripts: str) -> None:
    connection = sqlite3.connect(directory / "x.db")
    with connection:
        for script in scripts:
            connection.executescript(script)
    connection.close()


def create_tables(directory: Path, revision: str) -> None:
    """Create the database of an earlier release."""
    execute(directory, (SCHEMAS / f"{revision}.sql").read_text())


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Return a function that returns the content of a migrated database of an earlier release."""

    @functools.cache
    def migrate(revision: str) -> bytes:
        directory = tmp_path_factory.mktemp(revision)
        create_tables(directory, revision)
        open_database(url_in(directory)).close()
        return (directory / "x.db").read_bytes()

    return migrate


@pytest.fixture
def migrated_url(migrated: Callable[[str], bytes], revision: str, tmp_path: Path) -> str:
    """Return the URL of a migrated database of the release with schema `revision`."""
    (tmp_path / "x.db").write_bytes(migrated(revision))
    return url_in(tmp_path)


def table_definitions(path: Path) -> dict[str, str]:
    """Return the SQL of each table without the white space and quotes in which Alembic and SQLAlchemy differ."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name: "".join(sql.replace('"', "").split()) for name, sql in rows}


def test_migrated_schema_equals_the_metadata(tmp_path: Path) -> None:
    upgrade(url_in(tmp_path))
    with open_database(url_in(tmp_path)) as database, database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_tables_equal_created_tables(tmp_path: Path) -> None:
    upgrade(url_in(tmp_path))
    with (
        open_database(f"sqlite:///{tmp_path / 'created.db'}", migrate=False) as created,
        created.writing() as connection,
    ):
        metadata.create_all(connection)
    migrated = table_definitions(tmp_path / "x.db")
    del migrated["alembic_version"]
    assert migrated == table_definitions(tmp_path / "created.db")
    assert "WITHOUTROWID" in migrated["samples"]


def test_current_database_is_not_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(url_in(tmp_path)).close()
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    open_database(url_in(tmp_path)).close()


def test_newer_schema_is_refused_with_both_revisions(tmp_path: Path) -> None:
    create_database(tmp_path / "x.db")
    execute(tmp_path, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StorageError, match=f"0999.*{HEAD}") as caught:
        open_database(url_in(tmp_path))
    assert caught.value.kind is StorageErrorKind.SCHEMA_TOO_NEW


def test_failed_migration_changes_nothing(tmp_path: Path) -> None:
    execute(tmp_path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    execute(tmp_path, "CREATE TABLE training_runs (other INTEGER)")
    with pytest.raises(StorageError, match=r"x\.db: .*training_runs") as caught:
        open_database(url_in(tmp_path))
    assert caught.value.kind is StorageErrorKind.MIGRATION_FAILED
    assert "\n" not in str(caught.value)
    assert set(table_definitions(tmp_path / "x.db")) == {"alembic_version", "training_runs"}


def test_concurrent_processes_can_open_a_new_database(tmp_path: Path) -> None:
    def open_in_process(_: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", OPEN, url_in(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(8) as pool:
        assert [process.stderr for process in pool.map(open_in_process, range(8))] == [""] * 8


def test_opening_imports_no_alembic_and_no_code_of_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "storage" / "migrations").mkdir(parents=True)
    (tmp_path / "storage" / "__init__.py").write_text("raise SystemExit('wrong package')")
    script = f"import os, storage; os.chdir({str(tmp_path)!r}); {OPEN}; print('alembic' in sys.modules)"
    command = [sys.executable, "-c", script, url_in(tmp_path)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.stdout, process.stderr) == ("False\n", "")


def test_upgrade_program_exits_with_the_status_of_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([url_in(tmp_path)]) == 0
    assert main([]) == 2
    assert main([f"sqlite:///{tmp_path}"]) == EXIT_REFUSED
    assert str(tmp_path) in capsys.readouterr().err


def test_database_in_a_directory_with_a_percent_sign_is_migrated(tmp_path: Path) -> None:
    (tmp_path / "50%s").mkdir()
    upgrade(url_in(tmp_path / "50%s"))


@pytest.mark.parametrize("revision", REVISIONS)
def test_database_of_every_release_keeps_samples_and_models(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        samples = SampleRepository(database)
        registry = ModelRegistry(database)
        assert samples.between(0, 2e9, ["cpu_usage"]).tolist() == [[1.7e9, 0.25], [1.7e9 + 5, 0.5]]
        assert samples.append(Sample(1.7e9)) == 1.7e9 + 0.001
        assert [prediction.horizon for prediction in PredictionRepository(database).last()] == [300.0, 900.0]
        assert registry.blob(2) == b"second model"
        assert [record.report_json for record in registry.history()] == ['{"skill": 0.5}', '{"skill": 0.25}']
        assert registry.rollback(None, 1.8e9) == 1
        assert TrainingRunRepository(database).counts()[TrainingOutcome.PROMOTED] == 1


def leads(repository: ScoreRepository, horizon: float, start: float) -> list[float | None]:
    return [onset.lead_time for onset in repository.onsets_since(horizon, start)]


@pytest.mark.parametrize("revision", REVISIONS[1:])
def test_database_of_a_release_with_scores_keeps_them(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        scores = ScoreRepository(database)
        assert scores.scored_until() == {300.0: 1_700_000_200.0}
        assert leads(scores, 300.0, 0.0) == [120.0]
        (row,) = scores.totals_since(300.0, 0.0)
        assert (row.high_load, row.decile, row.unknown, row.scored, row.events) == (False, 1, 2, 10, 3)
        assert (row.warnings, row.true_warnings) == (4, 2)
        assert (row.probability_sum, row.probability_squared_sum, row.probability_event_sum) == (1.5, 0.25, 0.5)
        assert (row.baseline_squared_sum, row.baseline_event_sum) == (0.4, 0.6)
        scores.add(300.0, 1_700_000_300.0, [row], [Onset(1_700_000_300.0, None)])
        assert leads(scores, 300.0, 0.0) == [120.0, None]


@pytest.mark.parametrize("revision", REVISIONS[3:])
def test_database_of_a_release_with_anomalies_keeps_them(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        anomalies = AnomalyRepository(database)
        anomaly = anomalies.get(1)
        assert (anomaly.started_at, anomaly.ended_at, anomaly.channel) == (1.7e9, 1.7e9 + 600, "joint")
        assert anomaly.contributions == {"cpu_usage": 0.5, "disk_busy": 0.5}
        assert (anomaly.verdict, anomaly.note, anomaly.verdict_at) == (Verdict.EXPECTED, "backup", 1.7e9 + 700)
        assert anomalies.maintenance_windows(0.0) == [MaintenanceWindow(1.7e9, 1.7e9 + 3600, "upgrade", 1)]
        assert len(anomalies.peaks("0123456789abcdef", 0.0)) == 2
        assert ModelRegistry(database).fallbacks() == {"900": {"calm": "Holt-Winters"}}


def test_migration_renames_the_channel_of_flatlines(tmp_path: Path) -> None:
    create_tables(tmp_path, "0004")
    execute(tmp_path, "UPDATE anomalies SET channel = 'stuck'")
    with open_database(url_in(tmp_path)) as database:
        assert AnomalyRepository(database).get(1).channel == "flatline"


def test_migration_marks_the_warnings_among_old_predictions(tmp_path: Path) -> None:
    create_tables(tmp_path, "0005")
    execute(tmp_path, "UPDATE predictions SET probability = 0.6 WHERE horizon = 300")
    with open_database(url_in(tmp_path)) as database:
        predictions = PredictionRepository(database).last()
    assert [(prediction.warning, prediction.high_load_since) for prediction in predictions] == [
        (True, None),
        (False, None),
    ]


@pytest.mark.parametrize("revision", ["0006"])
def test_migration_adds_the_inputs_out_of_range(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        assert ModelRegistry(database).inputs_out_of_range() == ()


@pytest.mark.parametrize("revision", ["0007"])
def test_database_keeps_the_inputs_out_of_range(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        assert ModelRegistry(database).inputs_out_of_range() == ("memory_usage",)


def test_migration_derives_the_serving_history_from_the_promotions(tmp_path: Path) -> None:
    create_tables(tmp_path, "0008")
    copy = "INSERT INTO models SELECT {}, host_id, created_at, sha256, size, {}, report, blob, detector FROM models"
    execute(tmp_path, *(f"{copy.format(*row)} WHERE id = 1;" for row in ((3, "NULL"), (4, "5.0"))))
    with open_database(url_in(tmp_path)) as database:
        registry = ModelRegistry(database)
        # Model 3 was refused, and model 4 rolled back.
        assert (registry.active_id(), registry.fallback_ids()) == (2, [1])
        assert registry.quarantined() == []


@pytest.mark.parametrize("revision", REVISIONS[8:])
def test_database_keeps_the_quarantined_models(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        (failed,) = ModelRegistry(database).quarantined()
        assert (failed.model_id, failed.part, failed.reason) == (1, ModelPart.DETECTOR, "unreadable")


@pytest.mark.parametrize("revision", ["0012"])
def test_database_keeps_the_processes_of_an_anomaly(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        snapshot = ProcessSnapshotRepository(database).of_anomaly(1)
        assert snapshot is not None
        assert (snapshot.at, snapshot.visited, snapshot.io_hidden) == (1.7e9 + 2, 135, 130)
        assert snapshot.processes == (ProcessUsage(7, "python3", 1.5, 1000),)


@pytest.mark.parametrize("revision", ["0004"])
def test_migration_drops_the_unused_column_of_predictions(migrated_url: str, tmp_path: Path) -> None:
    assert "outcome" not in table_definitions(tmp_path / "x.db")["predictions"]


def test_database_with_blocks_keeps_the_block(migrated: Callable[[str], bytes], tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(migrated("0010"))
    with sqlite3.connect(tmp_path / "x.db") as connection:
        assert connection.execute("SELECT count(*) FROM samples").fetchone() == (0,)
        assert connection.execute("SELECT row_count FROM sample_blocks").fetchone() == (2,)
    connection.close()


def test_downgrade_restores_the_rows_of_blocks(tmp_path: Path) -> None:
    create_tables(tmp_path, "0010")
    config = Config()
    config.set_main_option("script_location", str(Path(storage.migrations.__file__).parent))
    with open_database(url_in(tmp_path), migrate=False) as database, database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0009")
    with sqlite3.connect(tmp_path / "x.db") as connection:
        assert connection.execute("SELECT at, cpu_usage FROM samples").fetchall() == [(1.7e9, 0.25), (1.7e9 + 5, 0.5)]
        horizons = connection.execute("SELECT horizon, warning FROM predictions").fetchall()
    connection.close()
    assert [horizon for horizon, _ in horizons] == [300.0, 900.0]
    assert "sample_blocks" not in table_definitions(tmp_path / "x.db")


@pytest.mark.parametrize("revision", ["0014", "0015", "0016", "0017"])
def test_database_keeps_the_notifications(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        notifications = NotificationRepository(database)
        assert notifications.pending_counts() == {"ops": 1}
        assert notifications.incidents() == [NotifiedIncident("high_load", 1.7e9, 900.0, 300.0)]


@pytest.mark.parametrize("revision", ["0016"])
def test_database_keeps_the_use_of_file_systems(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        capacity = CapacityRepository(database)
        (resource,) = capacity.resources(0.0)
        assert (resource.kind, resource.name) == ("filesystem", "/var")
        row = capacity.last(resource.id, 1.8e9)
        assert row is not None
        assert (row.used, row.size, row.probability, row.warning) == (900.0, 1000.0, 0.8, True)
        assert capacity.pending(resource.id, 1.8e9).tolist() == [[1_700_000_100.0, 950.0]]


@pytest.mark.parametrize("revision", ["0017"])
def test_database_keeps_the_channel_health(migrated_url: str) -> None:
    with open_database(migrated_url) as database:
        health = NotificationRepository(database).channel_health()
        assert health == [ChannelHealth("ops", 1.7e9, 1.7e9 + 5, "status 503", 2)]
