"""Write buffers during a storage outage."""

import pytest

from monitor.sampling.write_buffer import PredictionBuffer, SampleBuffer
from storage import Prediction, Sample, StorageError

pytestmark = pytest.mark.unit


class FakeSamples:
    """A sample repository that stores each sample a millisecond late, or fails."""

    def __init__(self):
        self.failing = False
        self.times = []

    def append(self, sample):
        self.append_many([sample])
        return sample.at + 0.001

    def append_many(self, samples):
        if self.failing:
            raise StorageError("disk full")
        self.times += [sample.at for sample in samples]


class FakePredictions:
    """A prediction repository that records the times of each commit, or fails."""

    def __init__(self):
        self.failing = False
        self.commits = []

    def append(self, predictions):
        if self.failing:
            raise StorageError("disk full")
        self.commits.append([prediction.at for prediction in predictions])


def predictions_at(at):
    return [Prediction(at, 300.0, 1, 0.5, 0.1, 0.9)]


def test_sample_buffer_returns_the_stored_time():
    assert SampleBuffer(FakeSamples()).append(Sample(1.0)) == 1.001


def test_sample_buffer_writes_waiting_samples_in_order_after_outage(caplog):
    repository = FakeSamples()
    buffer = SampleBuffer(repository)
    buffer.append(Sample(1.0))
    repository.failing = True
    assert [buffer.append(Sample(at)) for at in (2.0, 3.0)] == [2.0, 3.0]
    assert (buffer.waiting, buffer.failures, repository.times) == (2, 2, [1.0])
    repository.failing = False
    buffer.append(Sample(4.0))
    assert (buffer.waiting, repository.times) == (0, [1.0, 2.0, 3.0, 4.0])
    assert [record.message for record in caplog.records].count("storage write failed") == 1


def test_sample_buffer_drops_the_oldest_samples_over_capacity():
    repository = FakeSamples()
    repository.failing = True
    buffer = SampleBuffer(repository, capacity=2)
    for at in (1.0, 2.0, 3.0):
        buffer.append(Sample(at))
    repository.failing = False
    buffer.append(Sample(4.0))
    assert repository.times == [2.0, 3.0, 4.0]


def test_prediction_buffer_commits_five_seconds_together():
    repository = FakePredictions()
    buffer = PredictionBuffer(repository)
    for at in range(11):
        buffer.append(predictions_at(float(at)), interval=1.0)
    assert repository.commits == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    buffer.flush()
    assert repository.commits[-1] == [10]


def test_prediction_buffer_commits_every_cycle_at_long_intervals():
    repository = FakePredictions()
    buffer = PredictionBuffer(repository)
    for at in (0.0, 5.0):
        buffer.append(predictions_at(at), interval=5.0)
    assert repository.commits == [[0], [5]]


def test_prediction_buffer_keeps_predictions_during_outage():
    repository = FakePredictions()
    repository.failing = True
    buffer = PredictionBuffer(repository)
    buffer.append(predictions_at(0.0), interval=5.0)
    repository.failing = False
    buffer.append(predictions_at(5.0), interval=5.0)
    assert (repository.commits, buffer.failures) == ([[0, 5]], 1)


def test_prediction_buffer_commits_after_the_clock_was_set_back():
    repository = FakePredictions()
    buffer = PredictionBuffer(repository)
    for at in (100.0, 101.0, 40.0, 41.0, 42.0):
        buffer.append(predictions_at(at), interval=1.0)
    assert repository.commits == [[100, 101, 40]]
