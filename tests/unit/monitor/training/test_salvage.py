"""Salvage of a damaged database."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from model.forecast.serialization import dumps
from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.stores import open_stores
from monitor.training.bootstrap_model import configured_task, ensure_bootstrap_model, pretrained_predictor
from monitor.training.report import TrainingReport
from monitor.training.salvage import salvage
from storage import ModelPart, QuarantinedModel, Sample
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

CONFIG = Config()
HORIZONS = ((300.0,), (600.0,), (900.0,))


def config_for(horizons):
    return replace(CONFIG, high_load=replace(CONFIG.high_load, horizons=horizons))


def register_fitted(stores, horizons, at, task=CONFIG):
    """Register a model that counts as fitted on this host, and return its ID."""
    predictor = pretrained_predictor(config_for(horizons), CONFIG.sampling.interval)
    report = TrainingReport(at, at, 0, task=configured_task(task)).to_json()
    return stores.registry.register(dumps(predictor), report, at)


@pytest.fixture
def file(tmp_path):
    """A database with three promoted models and ten samples, one of them in the future."""
    path = tmp_path / "old.db"
    with open_stores(f"sqlite:///{path}") as stores:
        for number, horizons in enumerate(HORIZONS):
            at = NOW - 100 + number
            stores.registry.promote(register_fitted(stores, horizons, at), at)
        stores.samples.append_many(Sample(NOW - 5 + second, cpu_usage=0.25) for second in range(5))
        stores.samples.append_many([Sample(NOW - 50, cpu_usage=7.0, memory_usage=0.5), Sample(NOW + 9e9)])
    return path


def execute(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_salvage_copies_everything_and_activates_the_model_that_served(stores, file):
    result = salvage(stores, CONFIG, file, NOW)
    assert result.recovered == {"models": 3, "activations": 3, "samples": 6}
    assert result.damaged == {"samples": 1}
    assert result.activated == stores.registry.active_id() == 3
    assert stores.registry.fallback_ids() == [2, 1]
    assert [record.promoted_at for record in stores.registry.history()] == [NOW - 98, NOW - 99, NOW - 100]
    invalid = stores.samples.last(until=NOW - 50)
    assert (invalid.cpu_usage, invalid.memory_usage) == (None, 0.5)


def test_salvage_again_skips_everything(stores, file):
    salvage(stores, CONFIG, file, NOW)
    result = salvage(stores, CONFIG, file, NOW)
    assert not +result.recovered
    assert result.skipped == {"models": 3, "activations": 3, "samples": 6}
    assert result.activated is None


def test_salvage_replaces_the_bootstrap_model(stores, file):
    ensure_bootstrap_model(stores, CONFIG, NOW)
    assert salvage(stores, CONFIG, file, NOW + 1).activated == stores.registry.active_id()
    assert stores.registry.active_id() != 1


def test_salvage_keeps_a_fitted_model_that_serves(stores, file):
    stores.registry.promote(register_fitted(stores, (1200.0,), NOW), NOW)
    result = salvage(stores, CONFIG, file, NOW + 1)
    assert (result.activated, stores.registry.active_id()) == (None, 1)
    assert result.recovered["models"] == 3


def test_salvage_activates_the_model_before_a_damaged_one(stores, file):
    execute(file, "UPDATE models SET blob = zeroblob(size) WHERE id = 3")
    execute(file, "UPDATE models SET report = '{}' WHERE id = 2")
    result = salvage(stores, CONFIG, file, NOW)
    assert result.damaged["models"] == 2
    assert result.activated == 1
    assert result.skipped["activations"] == 2


def test_salvage_does_not_activate_a_quarantined_model(stores, file):
    with open_stores(f"sqlite:///{file}") as old:
        old.registry.quarantine(QuarantinedModel(3, ModelPart.PREDICTOR, NOW, "failed", "it failed"))
    assert salvage(stores, CONFIG, file, NOW).activated == 2
    assert [entry.model_id for entry in stores.registry.quarantined()] == [3]


def test_salvage_does_not_activate_a_model_for_another_task(stores, file):
    result = salvage(stores, config_for((60.0,)), file, NOW)
    assert (result.activated, result.recovered["models"]) == (None, 3)


def test_salvage_without_samples_copies_the_models(stores, file):
    assert salvage(stores, CONFIG, file, NOW, samples=False).recovered == {"models": 3, "activations": 3}


def test_salvage_refuses_the_current_database(file):
    with open_stores(f"sqlite:///{file}") as stores, pytest.raises(MonitorError, match="is the current database"):
        salvage(stores, CONFIG, file, NOW)


@pytest.mark.parametrize("content", [b"", bytes(40_000), b"no database\n" * 1000])
def test_salvage_refuses_a_file_without_rows(stores, tmp_path, content):
    path: Path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(MonitorError, match="no readable row"):
        salvage(stores, CONFIG, path, NOW)
