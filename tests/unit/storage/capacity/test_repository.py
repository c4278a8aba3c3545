"""Capacity repository: rows, outcomes, and deletion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from storage import OUTCOME_UNKNOWN, CapacityRepository, CapacityRow, Database
from tests.postgresql import ON_SQLITE

pytestmark = pytest.mark.unit

ROW = CapacityRow(
    resource_id=1,
    at=900.0,
    used=80.0,
    peak=80.0,
    size=100.0,
    inode_usage=0.5,
    limit_ratio=0.95,
    probability=0.25,
    model_probability=0.5,
    predict_linear=1.0,
    persistence=0.0,
    base_rate=0.01,
    warning=True,
)


@pytest.fixture
def repository(database: Database) -> CapacityRepository:
    return CapacityRepository(database)


def rows_every(repository: CapacityRepository, resource_id: int, count: int, **changes: float) -> None:
    repository.add([replace(ROW, resource_id=resource_id, at=900.0 * i, **changes) for i in range(1, count + 1)])


def test_resource_keeps_its_id_and_another_file_system_gets_one(repository: CapacityRepository) -> None:
    first = repository.resource_id("filesystem", "/data", "ext4:1", 100.0)
    assert repository.resource_id("filesystem", "/data", "ext4:1", 200.0) == first
    other = repository.resource_id("filesystem", "/data", "ext4:2", 300.0)
    assert other != first
    assert [(resource.id, resource.seen_at) for resource in repository.resources(0.0)] == [
        (first, 200.0),
        (other, 300.0),
    ]
    assert [resource.id for resource in repository.resources(250.0)] == [other]


def test_resource_name_of_any_length_and_script_is_kept(repository: CapacityRepository) -> None:
    name = "/срв/" + "x" * 5000
    repository.resource_id("filesystem", name, "", 1.0)
    assert repository.resources(0.0)[0].name == name


def test_added_rows_are_returned_and_not_replaced(repository: CapacityRepository) -> None:
    bare = CapacityRow(1, 1800.0, 81.0, 90.0, 100.0)
    repository.add([ROW, bare])
    repository.add([replace(ROW, used=1.0)])
    assert repository.last(1, 900.0) == ROW
    assert repository.last(1, 5000.0) == bare
    assert repository.last(2, 5000.0) is None
    assert repository.first_at(1, 901.0) == 1800.0
    assert repository.first_at(1, 1801.0) is None
    np.testing.assert_array_equal(
        repository.usage(1, 0.0, 2000.0), [[900.0, 80.0, 80.0, 100.0], [1800.0, 81.0, 90.0, 100.0]]
    )


def test_pending_predictions_end_with_their_outcome(repository: CapacityRepository) -> None:
    rows_every(repository, 1, 3)
    repository.add([CapacityRow(1, 100.0, 81.0, 90.0, 100.0)])
    np.testing.assert_array_equal(repository.pending(1, 1800.0), [[900.0, 95.0], [1800.0, 95.0]])
    repository.set_outcomes(1, {900.0: 1})
    repository.set_outcomes(1, {})
    np.testing.assert_array_equal(repository.pending(1, 1800.0), [[1800.0, 95.0]])


def test_predictions_have_outcomes_and_leave_out_full_resources(repository: CapacityRepository) -> None:
    disk = repository.resource_id("filesystem", "/", "", 1.0)
    memory = repository.resource_id("memory", "memory", "", 1.0)
    full = repository.resource_id("filesystem", "/full", "", 1.0)
    rows_every(repository, disk, 3)
    rows_every(repository, memory, 1)
    rows_every(repository, full, 1, used=96.0)
    repository.set_outcomes(disk, {900.0: 1, 1800.0: OUTCOME_UNKNOWN})
    repository.set_outcomes(full, {900.0: 1})
    repository.set_outcomes(memory, {900.0: 0})
    np.testing.assert_array_equal(
        repository.predictions("filesystem", 0.0, 900.0),
        [[disk, 900.0, 0.25, 0.5, 1.0, 0.0, 0.01, 1.0], [disk, 1800.0, 0.25, 0.5, 1.0, 0.0, 0.01, np.nan]],
    )
    assert repository.predictions("memory", 0.0, 900.0)[:, -1].tolist() == [0.0]
    assert len(repository.predictions("memory", 901.0, 900.0)) == 0


def test_predictions_are_thinned_by_time(repository: CapacityRepository) -> None:
    disk = repository.resource_id("filesystem", "/", "", 1.0)
    repository.add([replace(ROW, resource_id=disk, at=300.0 * i) for i in range(12)])
    repository.set_outcomes(disk, {300.0 * i: 0 for i in range(12)})
    assert repository.predictions("filesystem", 0.0, 900.0)[:, 1].tolist() == [0.0, 900.0, 1800.0, 2700.0]


def test_purge_deletes_old_rows_and_resources_without_rows(repository: CapacityRepository) -> None:
    gone = repository.resource_id("filesystem", "/old", "", 900.0)
    kept = repository.resource_id("filesystem", "/", "", 5000.0)
    rows_every(repository, gone, 1)
    rows_every(repository, kept, 3)
    assert repository.purge(1000.0) == 2
    assert [resource.id for resource in repository.resources(0.0)] == [kept]
    assert repository.first_at(kept, 0.0) == 1800.0
    assert repository.purge_between(2000.0, 6000.0) == 1
    assert repository.first_at(kept, 0.0) == 1800.0


@ON_SQLITE
def test_damaged_row_costs_itself_only(database: Database, repository: CapacityRepository) -> None:
    rows_every(repository, 1, 2)
    with database.writing() as connection:
        connection.execute(text("UPDATE capacity_rows SET used = 'x' WHERE at = 1800"))
    assert repository.last(1, 5000.0) == ROW
    assert repository.usage(1, 0.0, 5000.0)[:, 0].tolist() == [900.0]
    assert set(database.damaged_rows.counts()) == {"capacity_rows"}
