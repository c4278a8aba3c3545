"""Samples outlive a database that is away."""

import pytest

from monitor.sampling.write_buffer import PredictionBuffer, SampleBuffer
from storage import Prediction, Sample, StorageError

pytestmark = pytest.mark.unit


class Store:
    away = False

    def __init__(self):
        self.rows = []

    def append(self, sample):
        self.append_many([sample])
        return sample.at + 0.001

    def append_many(self, samples):
        if self.away:
            raise StorageError("disk full")
        self.rows += [sample.at for sample in samples]


def test_a_sample_is_known_under_the_time_it_was_stored_at():
    assert SampleBuffer(Store()).append(Sample(1.0)) == 1.001


def test_samples_wait_and_are_written_in_order_when_storage_is_back(caplog):
    store = Store()
    buffer = SampleBuffer(store)
    buffer.append(Sample(1.0))
    store.away = True
    assert [buffer.append(Sample(at)) for at in (2.0, 3.0)] == [2.0, 3.0]
    assert (buffer.waiting, buffer.failures, store.rows) == (2, 2, [1.0])
    store.away = False
    buffer.append(Sample(4.0))
    assert (buffer.waiting, store.rows) == (0, [1.0, 2.0, 3.0, 4.0])
    assert caplog.text.count("storage write failed") == 1


def test_the_buffer_is_bounded_and_keeps_the_newest():
    store = Store()
    store.away = True
    buffer = SampleBuffer(store, capacity=2)
    for at in (1.0, 2.0, 3.0):
        buffer.append(Sample(at))
    store.away = False
    buffer.append(Sample(4.0))
    assert store.rows == [2.0, 3.0, 4.0]


class Predictions:
    away = False

    def __init__(self):
        self.commits = []

    def append(self, predictions):
        if self.away:
            raise StorageError("disk full")
        self.commits.append([p.at for p in predictions])


def prediction(at):
    return [Prediction(at, 300.0, 1, 0.5, 0.1, 0.9)]


def test_predictions_of_five_seconds_share_a_commit():
    store = Predictions()
    buffer = PredictionBuffer(store)
    for at in range(11):
        buffer.append(prediction(float(at)), interval=1.0)
    assert store.commits == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    buffer.flush()
    assert store.commits[-1] == [10]


def test_at_five_seconds_and_more_each_prediction_is_written_at_once():
    store = Predictions()
    buffer = PredictionBuffer(store)
    for at in (0.0, 5.0):
        buffer.append(prediction(at), interval=5.0)
    assert store.commits == [[0], [5]]


def test_predictions_wait_while_storage_is_away():
    store = Predictions()
    store.away = True
    buffer = PredictionBuffer(store)
    buffer.append(prediction(0.0), interval=5.0)
    store.away = False
    buffer.append(prediction(5.0), interval=5.0)
    assert (store.commits, buffer.failures) == ([[0, 5]], 1)
