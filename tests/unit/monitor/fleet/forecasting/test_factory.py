"""Forecaster factory: errors of a task that the pretrained model does not support."""

from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.errors import ConfigError
from monitor.fleet.forecasting import create_forecaster

pytestmark = pytest.mark.unit


def test_factory_returns_a_forecaster_without_hosts():
    assert create_forecaster(Config(), ("cpu_usage", "memory_usage"), 60.0).hosts == ()


def test_factory_names_the_metric_that_the_source_lacks():
    with pytest.raises(ConfigError, match="memory_usage"):
        create_forecaster(Config(), ("cpu_usage",), 60.0)


def test_factory_rejects_a_bound_that_needs_a_history():
    config = Config()
    high_load = replace(config.high_load, rules=((("cpu_usage", "p95"),),))
    with pytest.raises(ConfigError, match="high_load"):
        create_forecaster(replace(config, high_load=high_load), ("cpu_usage",), 60.0)
