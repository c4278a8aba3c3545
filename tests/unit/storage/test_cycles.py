"""Samples and predictions of the sampling cycles."""

from __future__ import annotations

import pytest

from storage import (
    CycleRepository,
    Database,
    Prediction,
    PredictionRepository,
    Sample,
    SampleRepository,
    StorageError,
)
from tests.postgresql import ON_SQLITE

pytestmark = pytest.mark.unit


def prediction(at: float, probability: float = 0.5, horizon: float = 300.0) -> Prediction:
    return Prediction(at, horizon, 1, probability, 0.1, 0.9)


def stored(database: Database) -> tuple[list[float], list[tuple[float, float]]]:
    """Return the times of the samples, and time and probability of the predictions."""
    times = SampleRepository(database).between(0, 1e9, ())[:, 0].tolist()
    return times, [(p.at, p.probability) for p in PredictionRepository(database).between(0, 1e9)]


def test_append_stores_samples_and_predictions(database: Database) -> None:
    cycles = CycleRepository(database)
    assert cycles.append([Sample(1.0), Sample(2.0)], [prediction(1.0), prediction(1.0, horizon=900.0)]) == [1.0, 2.0]
    assert cycles.append([], [prediction(2.0)]) == []
    assert stored(database) == ([1.0, 2.0], [(1.0, 0.5), (1.0, 0.5), (2.0, 0.5)])


def test_append_moves_a_sample_whose_time_is_taken_with_its_prediction(database: Database) -> None:
    cycles = CycleRepository(database)
    cycles.append([Sample(1.0)], [prediction(1.0)])
    assert cycles.append([Sample(1.0), Sample(2.0)], [prediction(1.0, 0.7)]) == [1.001, 2.0]
    assert stored(database) == ([1.0, 1.001, 2.0], [(1.0, 0.5), (1.001, 0.7)])


def test_append_replaces_a_prediction_with_the_same_key(database: Database) -> None:
    cycles = CycleRepository(database)
    cycles.append([Sample(1.0)], [prediction(1.0)])
    cycles.append([Sample(2.0)], [prediction(1.0, 0.6), prediction(1.0, 0.7)])
    assert stored(database) == ([1.0, 2.0], [(1.0, 0.7)])


def test_append_stores_nothing_if_a_prediction_is_refused(database: Database) -> None:
    cycles = CycleRepository(database)
    with pytest.raises(StorageError):
        cycles.append([Sample(1.0)], [prediction(1.0, float("nan"))])
    assert stored(database) == ([], [])


@ON_SQLITE
@pytest.mark.parametrize("action", ["IGNORE", "FAIL, 'no'"])
def test_append_refuses_to_lose_a_sample_that_a_trigger_drops(database: Database, action: str) -> None:
    trigger = f"CREATE TRIGGER t BEFORE INSERT ON samples WHEN NEW.at > 2 BEGIN SELECT RAISE({action}); END"
    with database.writing() as connection:
        connection.exec_driver_sql(trigger)
    cycles = CycleRepository(database)
    assert cycles.append([Sample(1.0)], []) == [1.0]
    with pytest.raises(StorageError):
        cycles.append([Sample(2.0), Sample(3.0)], [prediction(3.0)])
    assert stored(database) == ([1.0], [])
