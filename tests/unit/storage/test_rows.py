"""Row decoding."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from storage import (
    AnomalyRecord,
    AnomalyRepository,
    Database,
    MaintenanceWindow,
    Onset,
    Prediction,
    PredictionRepository,
    ScoreRepository,
    ScoreRow,
    TrainingOutcome,
    Verdict,
)
from storage.rows import DamagedRows, cell_reader, raw_rows, tuple_decoder
from storage.schema import samples
from tests.postgresql import ON_SQLITE

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (float, 1.5, 1.5),
        (float, 2, 2.0),
        (float | None, None, None),
        (int, 3, 3),
        (int, 3.0, 3),
        (bool, 1, True),
        (str, "x", "x"),
        (bytes, b"x", b"x"),
        (TrainingOutcome, "failed", TrainingOutcome.FAILED),
        (Verdict | None, None, None),
        (dict[str, float], '{"a": 1}', {"a": 1.0}),
    ],
)
def test_cell_reader_returns_values_of_the_type(kind: Any, value: object, expected: object) -> None:
    read = cell_reader(kind)(value)
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (float, "1"),
        (float, None),
        (float, b"1"),
        (float, float("inf")),
        (float, True),
        (int, 1.5),
        (int, "1"),
        (bool, 2),
        (bool, "1"),
        (str, 1),
        (str, b"x"),
        (TrainingOutcome, "failee"),
        (Verdict | None, "expectee"),
        (dict[str, float], '{"a": "b"}'),
        (dict[str, float], "[1]"),
        (dict[str, float], "{"),
        (dict[str, float], "[" * 100_000),
        (dict[str, float], None),
    ],
)
def test_cell_reader_refuses_values_of_another_type(kind: Any, value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError counts as damage
        cell_reader(kind)(value)


def test_cell_reader_refuses_a_type_that_no_column_has() -> None:
    with pytest.raises(TypeError):
        cell_reader(complex)


def test_damaged_rows_counts_each_row_once() -> None:
    damaged = DamagedRows()
    for key in ((1.0,), (2.0,), (1.0,)):
        damaged.add("samples", key)
    damaged.add("models", (1,))
    assert damaged.counts() == {"models": 1, "samples": 2}


@ON_SQLITE
def test_damaged_text_costs_no_other_row(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO samples (host_id, at, cpu_usage) VALUES (1, 1, CAST(x'ff' AS TEXT))")
        connection.exec_driver_sql("INSERT INTO samples (host_id, at, cpu_usage) VALUES (1, 2, 0.5)")
    query = select(samples.c.at, samples.c.cpu_usage)
    with database.reading() as connection:
        assert list(raw_rows(connection, query)) == [(1.0, "�"), (2.0, 0.5)]
        decoder = tuple_decoder("samples", float, float)
        assert decoder.first(database.damaged_rows, connection, query) == (2.0, 0.5)
    assert database.damaged_rows.counts() == {"samples": 1}


ANOMALY = AnomalyRecord(
    started_at=1.0, ended_at=2.0, peak=0.5, peak_at=1.5, channel="joint", contributions={"a": 1.0}, model_id=1
)
SCORE = ScoreRow(
    hour=0.0,
    high_load=False,
    decile=1,
    unknown=0,
    scored=2,
    events=1,
    warnings=0,
    true_warnings=0,
    probability_sum=0.5,
    probability_squared_sum=0.25,
    probability_event_sum=0.25,
    baseline_squared_sum=0.1,
    baseline_event_sum=0.1,
)


def fill(database: Database) -> None:
    """Store two rows in each table of records."""
    predictions = PredictionRepository(database)
    predictions.append([Prediction(at, 300.0, 1, 0.5, 0.25, 0.75) for at in (1.0, 2.0)])
    scores = ScoreRepository(database)
    scores.add(300.0, 5.0, [SCORE], [Onset(1.0, None)])
    scores.add(900.0, 6.0, [SCORE], [Onset(1.0, 60.0)])
    anomalies = AnomalyRepository(database)
    for _ in range(2):
        anomalies.add(ANOMALY)
        anomalies.add_maintenance_window(MaintenanceWindow(1.0, 2.0))
    anomalies.replace_peaks(0.0, "key", {"a": 1.0, "b": 2.0})


@ON_SQLITE
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE predictions SET probability = 'x' WHERE at = 2",
        "UPDATE predictions SET at = 'x' WHERE at = 2",
        "UPDATE predictions SET horizon = x'00' WHERE at = 2",
        "UPDATE score_totals SET scored = 'x' WHERE horizon = 900",
        "UPDATE score_totals SET horizon = 'x' WHERE horizon = 900",
        "UPDATE score_totals SET high_load = 'x', decile = x'00' WHERE horizon = 900",
        "UPDATE onsets SET lead_time = 'x' WHERE horizon = 900",
        "UPDATE scoring_progress SET scored_until = 'x' WHERE horizon = 900",
        "UPDATE anomalies SET started_at = 'x' WHERE id = 2",
        "UPDATE anomalies SET ended_at = 'x' WHERE id = 2",
        "UPDATE anomalies SET contributions = '{' WHERE id = 2",
        "UPDATE anomalies SET contributions = x'ff' WHERE id = 2",
        "UPDATE anomalies SET verdict = 'x', verdict_at = 'y' WHERE id = 2",
        "UPDATE anomaly_peaks SET peak = 'x' WHERE channel = 'b'",
        "UPDATE maintenance_windows SET ends_at = 'x' WHERE id = 2",
    ],
)
def test_a_damaged_row_costs_that_row_only(database: Database, damage: str) -> None:
    fill(database)
    with database.writing() as connection:
        connection.exec_driver_sql(damage)
    predictions, scores, anomalies = (
        kind(database) for kind in (PredictionRepository, ScoreRepository, AnomalyRepository)
    )
    assert predictions.between(0.0, 9.0)[0].at == 1.0
    assert {prediction.at for prediction in predictions.last()} <= {1.0, 2.0}
    assert 300.0 in predictions.bucket_maxima(0.0, 1.0, 3)
    assert predictions.next_time(0.0, 300.0) == 1.0
    assert 300.0 in scores.horizons()
    assert scores.scored_until()[300.0] == 5.0
    assert scores.totals_since(300.0, 0.0) == [SCORE]
    scores.totals_since(900.0, 0.0)
    assert [onset.lead_time for onset in scores.onsets_since(300.0, 0.0)] == [None]
    scores.onsets_since(900.0, 0.0)
    assert anomalies.since(0.0)[-1].id == 1
    anomalies.ongoing()
    assert anomalies.last_verdict_at() is None
    assert anomalies.peaks("key", 0.0)[0].channel == "a"
    assert anomalies.maintenance_windows(0.0)[0].id == 1
    assert anomalies.replace_replayed(0.0, 0.5, []) == 0
    assert sum(database.damaged_rows.counts().values()) <= 2
