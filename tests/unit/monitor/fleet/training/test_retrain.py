"""Retraining of a fleet: saved models, reasons, and the document."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.config.loader import Config
from monitor.errors import ConfigError
from monitor.fleet.interfaces import FleetSample
from monitor.fleet.model_directory import ModelDirectory
from monitor.fleet.training import retrain
from monitor.fleet.training.retrain import retrain_fleet

from .fleets import START, STEP, ArraySource
from .test_trainer import InlineExecutor

pytestmark = pytest.mark.unit

NOW = START + 6 * 86400
HOSTS = ("empty", *(f"host-{number:03}" for number in range(5)))


class Source(ArraySource):
    def read(self, time):
        return FleetSample(time, HOSTS, np.full((len(HOSTS), 2), 0.5))


@pytest.fixture
def config(monkeypatch):
    monkeypatch.setattr(retrain, "create_executor", lambda *_: InlineExecutor())
    monkeypatch.setattr("monitor.fleet.training.trainer.POOLED_ROWS", 2000)
    config = Config()
    high_load = replace(config.high_load, rules=((("cpu_usage", 0.8),),), sustained=STEP, horizons=(900.0, 3600.0))
    return replace(config, high_load=high_load)


def test_named_hosts_are_trained_without_a_pooled_model(config, tmp_path):
    directory = ModelDirectory(tmp_path)
    document = retrain_fleet(config, Source(), directory, NOW, ["host-001", "empty"]).document
    assert (document.pooled, document.trained, document.refused) == (None, 1, {"missing_metric": 1})
    assert directory.own_version("host-001") > 0
    assert directory.pooled_bytes() is None


def test_whole_fleet_has_a_pooled_model_that_passes_the_gate_or_is_not_saved(config, tmp_path):
    directory = ModelDirectory(tmp_path)
    document = retrain_fleet(config, Source(), directory, NOW).document
    assert document.pooled_hosts == document.pooled.hosts == 5
    assert (directory.pooled_bytes() is not None) == document.pooled_promoted
    assert document.trained + sum(document.refused.values()) == len(HOSTS)


def test_quantile_bound_is_a_configuration_error(config, tmp_path):
    quantile = replace(config, high_load=replace(config.high_load, rules=((("cpu_usage", "p95"),),)))
    with pytest.raises(ConfigError, match=r"high_load\.rules"):
        retrain_fleet(quantile, Source(), ModelDirectory(tmp_path), NOW)
