"""Process snapshot repository."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from storage import (
    AnomalyRecord,
    AnomalyRepository,
    Database,
    ProcessSnapshot,
    ProcessSnapshotRepository,
    ProcessUsage,
)
from storage.events import MAX_SNAPSHOTS
from tests.postgresql import ON_SQLITE

pytestmark = pytest.mark.unit

PROCESSES = (
    ProcessUsage(7, "python3", 1.5, 2**20, 0.0, 4096.0, "python3 -m http.server"),
    ProcessUsage(9, "kswapd0", 0.0, 0),
)
WARNING = ProcessSnapshot(
    at=1002.0,
    started_at=1000.0,
    anomaly_id=None,
    horizon=300.0,
    probability=0.75,
    seconds=1.0,
    visited=135,
    io_hidden=130,
    complete=True,
    processes=PROCESSES,
)
ANOMALY = replace(WARNING, anomaly_id=4, horizon=None, probability=None)


@pytest.fixture
def repository(database: Database) -> ProcessSnapshotRepository:
    return ProcessSnapshotRepository(database)


def test_snapshot_of_an_anomaly_is_read_by_its_id(repository: ProcessSnapshotRepository) -> None:
    repository.add([WARNING, ANOMALY])
    assert repository.of_anomaly(4) == replace(ANOMALY, id=2)
    assert repository.of_anomaly(5) is None


def test_snapshots_of_warnings_are_read_newest_first(repository: ProcessSnapshotRepository) -> None:
    later = replace(WARNING, started_at=2000.0, horizon=900.0)
    repository.add([WARNING, ANOMALY, later, replace(later, horizon=300.0)])
    read = repository.of_warnings(1000.0)
    assert [(snapshot.started_at, snapshot.horizon) for snapshot in read] == [(2000, 300), (2000, 900), (1000, 300)]
    assert read[-1] == replace(WARNING, id=1)
    assert [snapshot.started_at for snapshot in repository.of_warnings(1001.0, limit=1)] == [2000.0]


def test_oldest_snapshots_are_deleted_above_the_limit(repository: ProcessSnapshotRepository) -> None:
    repository.add([replace(WARNING, started_at=float(number)) for number in range(MAX_SNAPSHOTS)])
    repository.add([ANOMALY, ANOMALY])
    assert repository.count() == MAX_SNAPSHOTS
    assert min(snapshot.started_at for snapshot in repository.of_warnings(0.0, MAX_SNAPSHOTS)) == 2.0


def test_purge_deletes_the_snapshots_before_a_time(repository: ProcessSnapshotRepository) -> None:
    repository.add([WARNING, replace(WARNING, at=2000.0)])
    assert repository.purge(2000.0) == 1
    assert [snapshot.at for snapshot in repository.of_warnings(0.0)] == [2000.0]


def test_purge_of_a_period_deletes_the_snapshots_of_deleted_anomalies(
    repository: ProcessSnapshotRepository, database: Database
) -> None:
    anomalies = AnomalyRepository(database)
    kept = anomalies.add(AnomalyRecord(5000.0, None, 0.9, 5000.0, "joint", {"cpu_usage": 1.0}, 1))
    outside = replace(ANOMALY, at=5002.0)
    repository.add([WARNING, replace(outside, anomaly_id=kept + 1), replace(outside, anomaly_id=kept)])
    assert repository.purge_between(1000.0, 1500.0) == 2
    assert repository.count() == 1
    assert repository.of_anomaly(kept) is not None


def test_purge_of_a_period_keeps_other_warnings_if_no_anomaly_is_stored(
    repository: ProcessSnapshotRepository,
) -> None:
    repository.add([WARNING])
    assert repository.purge_between(2000.0, 3000.0) == 0
    assert repository.count() == 1


@ON_SQLITE
@pytest.mark.parametrize(
    "processes",
    ["", "null", "{}", "[1]", "[{}]", '[{"pid": "7", "name": "a", "cpu": 1, "memory": 1}]'],
)
def test_damaged_snapshot_is_left_out_and_counted(
    repository: ProcessSnapshotRepository, database: Database, processes: str
) -> None:
    repository.add([WARNING, replace(WARNING, at=2000.0)])
    with database.writing() as connection:
        connection.execute(text("UPDATE process_snapshots SET processes = :new WHERE at = 2000"), {"new": processes})
    assert [snapshot.at for snapshot in repository.of_warnings(0.0)] == [1002.0]
    assert database.damaged_rows.counts() == {"process_snapshots": 1}
