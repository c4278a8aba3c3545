"""Bootstrap model: the pretrained model that serves a host without a model of its own."""

from dataclasses import replace

import pytest

from model.forecast.serialization import loads
from monitor.config.loader import Config
from monitor.training.bootstrap_model import (
    configured_task,
    ensure_bootstrap_model,
    fitted_model_serves,
    pretrained_task,
    task_differences,
)
from monitor.training.records import read_active_model
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

CONFIG = Config()


def with_high_load(**changed):
    return replace(CONFIG, high_load=replace(CONFIG.high_load, **changed))


def report(**fields):
    return TrainingReport(NOW, NOW, 0, **fields)


def test_pretrained_task_adds_interval_and_precision_to_the_configured_task():
    task = pretrained_task(CONFIG)
    assert (task.step, task.precision) == (CONFIG.sampling.interval, CONFIG.warning.precision)
    assert replace(task, step=None, precision=None) == configured_task(CONFIG)


@pytest.mark.parametrize(
    ("made_for", "differences"),
    [
        (None, ()),
        (report(), ()),
        (report(task=configured_task(CONFIG)), ()),
        (report(task=configured_task(with_high_load(horizons=(60.0,)))), ("horizons",)),
        (report(pretrained=replace(pretrained_task(CONFIG), step=30.0, precision=0.5)), ("step", "precision")),
    ],
)
def test_task_differences_names_the_fields(made_for, differences):
    assert task_differences(made_for, CONFIG) == differences


def test_bootstrap_model_is_registered_once_and_serves(stores):
    for _ in range(2):
        ensure_bootstrap_model(stores, CONFIG, NOW)
    model = read_active_model(stores)
    assert (len(stores.registry.history()), model.pretrained, model.trained_until) == (1, True, NOW)
    assert not fitted_model_serves(stores)
    assert loads(stores.registry.blob(model.id)).horizons == CONFIG.high_load.horizons


def test_bootstrap_model_follows_the_configured_horizons(stores):
    ensure_bootstrap_model(stores, CONFIG, NOW)
    ensure_bootstrap_model(stores, with_high_load(horizons=(600.0,)), NOW + 1)
    assert loads(stores.registry.blob(stores.registry.active_id())).horizons == (600.0,)


def test_bootstrap_model_keeps_the_detector(stores):
    detector = DetectorReport(at=NOW, step=60.0)
    other = report(task=configured_task(with_high_load(horizons=(60.0,))), detector=detector)
    stores.registry.promote(stores.registry.register(b"x", other.to_json(), NOW, b"detector"), NOW)
    ensure_bootstrap_model(stores, CONFIG, NOW)
    model = read_active_model(stores)
    assert (model.pretrained, model.report.detector) == (True, detector)
    assert stores.registry.detector(model.id) == b"detector"


def test_no_bootstrap_model_with_percentile_bounds(stores):
    ensure_bootstrap_model(stores, with_high_load(rules=((("cpu_usage", "p95"),),)), NOW)
    assert stores.registry.active_id() is None


def test_model_that_cannot_be_loaded_is_replaced(stores, caplog):
    damaged = stores.registry.register(b"damaged", report().to_json(), NOW)
    stores.registry.promote(damaged, NOW)
    assert fitted_model_serves(stores)
    ensure_bootstrap_model(stores, CONFIG, NOW)
    assert read_active_model(stores).pretrained
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "model load failed"
    assert record.fields["model"] == damaged


def test_model_that_cannot_be_loaded_stays_if_an_earlier_one_can(stores):
    ensure_bootstrap_model(stores, CONFIG, NOW)
    damaged = stores.registry.register(b"damaged", report().to_json(), NOW)
    stores.registry.promote(damaged, NOW)
    ensure_bootstrap_model(stores, CONFIG, NOW)
    assert stores.registry.active_id() == damaged
