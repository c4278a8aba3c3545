"""Database follow-up: the pretrained model without a database, and another database."""

import pytest

from monitor.config.loader import Config
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.jobs.database_follow_up import UNREGISTERED_ID, DatabaseFollowUp
from monitor.jobs.status_refresh import StatusRefreshJob
from monitor.stores import open_stores
from monitor.training.coverage import HistoryCoverage
from storage import Sample

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


class Setting:
    """A follow-up with a database in memory whose generation can be set."""

    def __init__(self, stores):
        config = Config()
        self.generation = None
        self.overviews = []
        self.served = ServedModel(config.rules, config.sampling.interval)
        refresh = StatusRefreshJob(
            stores, config, HistoryCoverage(stores, config), self.overviews.append, lambda: NOW
        )
        follower = RegistryFollower(stores, self.served)
        self.follow_up = DatabaseFollowUp(
            config, stores, self.served, follower, refresh, lambda: self.generation, lambda: NOW
        )

    def run(self, at):
        self.follow_up.run()
        self.served.advance(Sample(at, cpu_usage=0.5, memory_usage=0.5, load_per_cpu=0.5))


@pytest.fixture
def setting():
    with open_stores("sqlite://") as stores:
        yield Setting(stores)


def test_pretrained_model_serves_while_the_database_is_unavailable(setting):
    setting.run(NOW)
    assert setting.served.model_id == UNREGISTERED_ID
    assert setting.served.forecast() is not None
    assert setting.overviews == []


def test_pretrained_model_is_tried_once_while_the_database_is_unavailable(setting, monkeypatch):
    tried = []
    monkeypatch.setattr("monitor.jobs.database_follow_up.pretrained_predictor", lambda *_: tried.append(1))
    for i in range(3):
        setting.run(NOW + 5 * i)
    assert len(tried) == 1
    assert setting.served.loaded is None


def test_registered_model_serves_once_the_database_is_open(setting):
    setting.run(NOW)
    setting.generation = 1
    setting.run(NOW + 5)
    assert setting.served.model_id == 1
    assert setting.overviews[0].model.id == 1


def test_overview_is_read_again_from_another_database_only(setting):
    setting.generation = 1
    for i in range(3):
        setting.run(NOW + 5 * i)
    count = len(setting.overviews)
    setting.run(NOW + 15)
    assert len(setting.overviews) == count
    setting.generation = 2
    setting.run(NOW + 20)
    assert len(setting.overviews) == count + 1
