"""Row check."""

from __future__ import annotations

import pytest

from storage import Database, ModelRegistry, Sample, SampleRepository
from storage.row_check import RowCheck, check_rows

pytestmark = pytest.mark.unit


def test_rows_of_unexpected_types_are_counted_by_table(database_in_file: Database) -> None:
    assert database_in_file.path is not None
    SampleRepository(database_in_file).append_many([Sample(float(at), cpu_usage=0.5) for at in range(3)])
    registry = ModelRegistry(database_in_file)
    registry.promote(registry.register(b"bytes", "{}", 1.0), 2.0)
    assert check_rows(database_in_file.path, 10.0) == RowCheck({}, completed=True)
    with database_in_file.writing() as connection:
        connection.exec_driver_sql("UPDATE samples SET cpu_usage = 'high', disk_read = x'00' WHERE at > 0")
        connection.exec_driver_sql("UPDATE models SET report = x'00'")
        connection.exec_driver_sql("UPDATE activations SET at = 'now'")
    damaged = {"activations": 1, "models": 1, "samples": 2}
    assert check_rows(database_in_file.path, 10.0) == RowCheck(damaged, completed=True)
