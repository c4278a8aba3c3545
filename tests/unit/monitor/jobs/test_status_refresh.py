"""Tests of the status refresh job."""

import pytest

from monitor.config.loader import Config
from monitor.jobs.status_refresh import StatusRefreshJob
from monitor.stores import open_stores
from monitor.training.coverage import HistoryCoverage
from storage import Sample

pytestmark = pytest.mark.unit


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        opened.samples.append(Sample(1000.0, cpu_usage=0.5))
        yield opened


def test_status_refresh_publishes_the_records(stores):
    published = []
    StatusRefreshJob(stores, Config(), HistoryCoverage(stores, Config()), published.append, lambda: 1001.0).run()
    assert [(overview.at, overview.last_sample.at) for overview in published] == [(1001.0, 1000.0)]


def test_status_refresh_reads_again_when_another_model_serves(stores):
    published = []
    job = StatusRefreshJob(stores, Config(), HistoryCoverage(stores, Config()), published.append, lambda: 1001.0)
    job.run()
    job.refresh_changed_model(None)
    assert len(published) == 1
    job.refresh_changed_model(3)
    assert len(published) == 2
    job.refresh_changed_model(3)
    assert len(published) == 2, "the model has not changed since"
