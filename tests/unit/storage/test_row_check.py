"""Row check."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import (
    Compactor,
    Database,
    ModelRegistry,
    Prediction,
    PredictionRepository,
    Sample,
    SampleRepository,
    open_database,
)
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


@pytest.mark.parametrize(
    ("damage", "tables"),
    [
        ("UPDATE sample_blocks SET checksum = checksum + 1", {"sample_blocks": 1}),
        ("UPDATE sample_blocks SET data = 'text'", {"sample_blocks": 1}),
        ("UPDATE prediction_blocks SET data = zeroblob(9)", {"prediction_blocks": 1}),
        ("UPDATE samples SET at = at", {}),
    ],
)
def test_check_rows_counts_damaged_blocks(url: str, tmp_path: Path, damage: str, tables: dict[str, int]) -> None:
    with open_database(url) as database:
        SampleRepository(database).append(Sample(7200.0, cpu_usage=0.5))
        PredictionRepository(database).append([Prediction(7200.0, 300.0, 1, 0.5, 0.1, 0.6)])
        for name in ("samples", "predictions"):
            assert Compactor(database).compact_next(name, 0.0, 1e9) is not None
        with database.writing() as connection:
            connection.exec_driver_sql(damage)
    assert check_rows(tmp_path / "x.db", 60.0) == RowCheck(tables, completed=True)
