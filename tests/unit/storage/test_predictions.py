"""What was predicted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import Database, Prediction, PredictionRepository

pytestmark = pytest.mark.unit


@pytest.fixture
def store(database: Database) -> PredictionRepository:
    return PredictionRepository(database)


def predictions(*moments: float) -> list[Prediction]:
    return [Prediction(at, horizon, 3, 0.1, 0.02, 0.6) for at in moments for horizon in (300.0, 900.0)]


def test_predictions_come_back_exactly_and_in_order(store: PredictionRepository) -> None:
    made = predictions(1.0, 2.5)
    store.append(made[::-1])
    assert store.between(0, 9) == made
    assert store.count() == 4


def test_a_second_prediction_of_the_same_thing_replaces_the_first(store: PredictionRepository) -> None:
    store.append(predictions(1.0, 2.0))
    newer = replace(predictions(2.0)[0], probability=0.9, model_id=4)
    store.append([newer])
    assert store.last() == [newer, predictions(2.0)[1]]
    assert store.count() == 4


def test_between_leaves_out_its_start_takes_in_its_end_and_may_ask_for_one_horizon(
    store: PredictionRepository,
) -> None:
    store.append(predictions(1.0, 2.0, 3.0, 4.0))
    assert store.between(1.0, 3.0) == predictions(2.0, 3.0)
    assert store.between(1.0, 3.0, 900.0) == predictions(2.0, 3.0)[1::2]


def test_the_last_prediction_has_all_its_horizons(store: PredictionRepository) -> None:
    assert store.last() == []
    store.append(predictions(2.0, 1.0))
    assert store.last() == predictions(2.0)


def test_appending_nothing_is_fine(store: PredictionRepository) -> None:
    store.append([])
    assert store.count() == 0


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_purge_deletes_what_is_older_whatever_the_batch(store: PredictionRepository, batch: int) -> None:
    store.append(predictions(1.0, 2.0, 3.0, 4.0))
    assert store.purge(3.0, batch=batch) == 4
    assert store.between(0, 9) == predictions(3.0, 4.0)


def test_hosts_do_not_see_each_other(database: Database) -> None:
    here, there = PredictionRepository(database), PredictionRepository(database, host_id=2)
    here.append(predictions(1.0))
    assert (there.last(), there.purge(9.0), here.count()) == ([], 0, 2)
