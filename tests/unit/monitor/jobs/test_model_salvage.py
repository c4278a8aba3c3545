"""Model salvage job: openings of the database, and the files moved aside."""

import logging
from dataclasses import replace

import pytest

from model.forecast.serialization import dumps
from monitor.config.loader import Config
from monitor.jobs.model_salvage import ModelSalvageJob
from monitor.stores import open_stores
from monitor.training.bootstrap_model import configured_task, ensure_bootstrap_model, pretrained_predictor
from monitor.training.report import TrainingReport
from storage.recovery.quarantine import quarantine

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
CONFIG = Config()


def register_fitted(stores):
    """Register a model that counts as fitted on this host, and activate it."""
    report = TrainingReport(NOW, NOW, 0, task=configured_task(CONFIG)).to_json()
    other = replace(CONFIG, high_load=replace(CONFIG.high_load, horizons=(300.0,)))
    blob = dumps(pretrained_predictor(other, CONFIG.sampling.interval))
    stores.registry.promote(stores.registry.register(blob, report, NOW), NOW)


class Setting:
    """A job with a database in a file, whose generation can be set."""

    def __init__(self, path):
        self.path = path
        self.generation = 1

    def move_aside(self, now=NOW, fill=register_fitted):
        with open_stores(f"sqlite:///{self.path}") as stores:
            fill(stores)
        return quarantine(self.path, now)

    def run(self, times=1):
        """Run the job on a new database with a bootstrap model; return whether another model serves afterwards."""
        with open_stores(f"sqlite:///{self.path}") as stores:
            ensure_bootstrap_model(stores, CONFIG, NOW)
            before = stores.registry.active_id()
            job = ModelSalvageJob(stores, CONFIG, lambda: self.generation, lambda: NOW)
            for _ in range(times):
                job.run()
            return stores.registry.active_id() != before


@pytest.fixture
def setting(tmp_path):
    return Setting(tmp_path / "x.db")


@pytest.fixture
def events(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [record.message for record in caplog.records if "salvage" in record.message]


def test_model_of_the_file_moved_aside_serves(setting, events):
    setting.move_aside()
    assert setting.run(times=3)
    assert events() == ["model salvaged"]


def test_newest_file_with_a_model_is_used(setting, events):
    setting.move_aside(NOW - 100)
    damaged = setting.move_aside(NOW - 50)
    damaged.write_bytes(bytes(damaged.stat().st_size))
    setting.move_aside(NOW - 10, fill=lambda _: None)
    assert setting.run()
    assert events() == ["model salvage failed", "model salvage failed", "model salvaged"]


def test_old_file_is_left_alone(setting, events):
    setting.move_aside(NOW - 2 * 86_400)
    assert not setting.run()
    assert events() == []


def test_unreadable_file_leaves_the_bootstrap_model(setting, events):
    setting.move_aside().write_bytes(b"x" * 9000)
    assert not setting.run(times=3)
    assert events() == ["model salvage failed"]


def test_fitted_model_that_serves_is_not_replaced(setting, events):
    setting.move_aside()
    with open_stores(f"sqlite:///{setting.path}") as stores:
        register_fitted(stores)
    assert not setting.run()
    assert events() == []


def test_nothing_happens_before_the_database_is_open(setting, events):
    setting.move_aside()
    setting.generation = None
    assert not setting.run()
    assert events() == []
