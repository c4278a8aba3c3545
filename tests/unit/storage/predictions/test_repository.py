"""Prediction repository."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from storage import Database, Prediction, PredictionRepository

pytestmark = pytest.mark.unit


@pytest.fixture
def repository(database: Database) -> PredictionRepository:
    return PredictionRepository(database)


def predictions_at(*times: float) -> list[Prediction]:
    return [Prediction(at, horizon, 3, 0.1, 0.02, 0.6) for at in times for horizon in (300.0, 900.0)]


def test_append_stores_predictions_exactly_and_in_order(repository: PredictionRepository) -> None:
    predictions = predictions_at(1.0, 2.5)
    repository.append(predictions[::-1])
    assert repository.between(0, 9) == predictions
    assert repository.count() == 4


def test_append_replaces_predictions_with_the_same_time_and_horizon(repository: PredictionRepository) -> None:
    repository.append(predictions_at(1.0, 2.0))
    newer = replace(predictions_at(2.0)[0], probability=0.9, model_id=4)
    repository.append([newer])
    assert repository.last() == [newer, predictions_at(2.0)[1]]
    assert repository.count() == 4


def test_append_keeps_warning_and_high_load(repository: PredictionRepository) -> None:
    warning = replace(predictions_at(1.0)[0], warning=True)
    high = replace(predictions_at(2.0)[0], high_load_since=1.5)
    repository.append([warning, high])
    assert repository.between(0, 9) == [warning, high]


def test_append_accepts_no_predictions(repository: PredictionRepository) -> None:
    repository.append([])
    assert repository.count() == 0


def test_between_excludes_start_and_includes_end(repository: PredictionRepository) -> None:
    repository.append(predictions_at(1.0, 2.0, 3.0, 4.0))
    assert repository.between(1.0, 3.0) == predictions_at(2.0, 3.0)


def test_between_selects_one_horizon(repository: PredictionRepository) -> None:
    repository.append(predictions_at(2.0, 3.0))
    assert repository.between(1.0, 3.0, 900.0) == predictions_at(2.0, 3.0)[1::2]


def test_last_returns_all_horizons_of_the_newest_time(repository: PredictionRepository) -> None:
    assert repository.last() == []
    repository.append(predictions_at(2.0, 1.0))
    assert repository.last() == predictions_at(2.0)


def test_next_time_is_after_a_time_and_of_one_horizon(repository: PredictionRepository) -> None:
    repository.append(predictions_at(1.0, 2.0))
    repository.append([Prediction(1.5, 900.0, 3, 0.1, 0.02, 0.6)])
    assert repository.next_time(1.0, 300.0) == 2.0
    assert repository.next_time(1.0, 900.0) == 1.5
    assert repository.next_time(2.0, 300.0) is None


def test_bucket_maxima_are_extremes_by_horizon(repository: PredictionRepository) -> None:
    repository.append(
        [
            Prediction(1.0, 300.0, 3, 0.2, 0.1, 0.6),
            Prediction(2.0, 300.0, 3, 0.5, 0.3, 0.4, warning=True),
            *predictions_at(25.0),
        ]
    )
    maxima = repository.bucket_maxima(0.0, 10.0, 3)
    assert list(maxima) == [300.0, 900.0]
    np.testing.assert_allclose(maxima[300.0], [[0.5, 0.2, 0.4, 1], [np.nan] * 4, [0.1, 0.02, 0.6, 0]], atol=1e-12)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_purge_deletes_older_predictions_in_batches_of_any_size(repository: PredictionRepository, batch: int) -> None:
    repository.append(predictions_at(1.0, 2.0, 3.0, 4.0))
    assert repository.purge(3.0, batch=batch) == 4
    assert repository.between(0, 9) == predictions_at(3.0, 4.0)


def test_repository_does_not_see_other_hosts(database: Database) -> None:
    first = PredictionRepository(database)
    second = PredictionRepository(database, host_id=2)
    first.append(predictions_at(1.0))
    assert (second.last(), second.purge(9.0), first.count()) == ([], 0, 2)


def test_purge_between_deletes_the_predictions_of_a_period(repository: PredictionRepository) -> None:
    repository.append(predictions_at(1.0, 2.0, 3.0, 4.0))
    assert repository.count_between(2.0, 3.0) == 4
    assert repository.purge_between(2.0, 3.0) == 4
    assert repository.between(0, 9) == predictions_at(1.0, 4.0)


def test_replayed_predictions_are_apart_from_live_ones(database: Database, repository: PredictionRepository) -> None:
    replayed = PredictionRepository(database, replayed=True)
    replayed.append(predictions_at(5.0))
    repository.append(predictions_at(1.0))
    assert [prediction.at for prediction in repository.last()] == [1.0, 1.0]
    assert repository.next_time(1.0, 300.0) is None
    assert replayed.between(0.0, 9.0) == predictions_at(5.0)
    assert (repository.purge_between(0.0, 9.0), replayed.count()) == (2, 2)


def test_occupied_buckets_are_those_with_a_prediction(repository: PredictionRepository) -> None:
    repository.append(predictions_at(10.0, 11.0, 39.9))
    assert repository.occupied_buckets(0.0, 10.0, 5).tolist() == [False, True, False, True, False]
