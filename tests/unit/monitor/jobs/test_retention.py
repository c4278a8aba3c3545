"""Tests of the retention job."""

import pytest

from monitor.jobs.retention import RetentionJob
from monitor.stores import open_stores
from storage import Prediction, Sample

pytestmark = pytest.mark.unit


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        for at in range(0, 1000, 10):
            opened.samples.append(Sample(float(at), cpu_usage=0.5))
        opened.predictions.append([Prediction(float(at), 300.0, 1, 0.5, 0.1, 0.9) for at in range(0, 1000, 10)])
        yield opened


def test_retention_deletes_old_samples_and_their_predictions(stores):
    RetentionJob(stores, retention=200.0, interval=10.0, clock=lambda: 990.0).run()
    assert stores.samples.oldest_at() == 790.0
    assert stores.predictions.between(0.0, 1000.0)[0].at == 790.0


def test_retention_keeps_newest_samples_when_the_clock_has_jumped_ahead(stores):
    RetentionJob(stores, retention=200.0, interval=10.0, clock=lambda: 1e9).run()
    assert stores.samples.count() == 20


def test_retention_deletes_nothing_from_an_empty_database():
    with open_stores("sqlite://") as empty:
        RetentionJob(empty, retention=200.0, interval=10.0, clock=lambda: 1e9).run()
        assert empty.samples.count() == 0
