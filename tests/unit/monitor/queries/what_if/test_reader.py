"""Tests of monitor.queries.what_if.reader."""

from dataclasses import replace

import pytest

from model.features.labels import Rules
from monitor.config.schema import HighLoadSection
from monitor.queries.what_if import WhatIfChange, WhatIfError, WhatIfReader
from monitor.queries.what_if.reader import CACHE_SECONDS
from monitor.web.api.what_if_query import DEFAULT_RANGE
from storage import Prediction
from tests.unit.monitor.conftest import NOW

from .conftest import HORIZON

pytestmark = pytest.mark.unit

PRESENT = WhatIfChange(DEFAULT_RANGE)


@pytest.fixture
def reader(history, config):
    return WhatIfReader(history, config, lambda: config.rules)


def test_present_setting_is_next_to_the_changed_one(reader):
    result = reader.read(WhatIfChange(DEFAULT_RANGE, 0.6, {}), NOW)
    assert result.present.setting.precision == 0.8
    assert result.changed.setting.precision == 0.6
    assert result.present.any_horizon.announced < result.changed.any_horizon.announced
    assert result.predictions > 500
    assert result.since < NOW - 19_000


def test_unchanged_setting_has_the_present_result(reader):
    result = reader.read(PRESENT, NOW)
    assert result.changed is result.present


def test_bounds_are_changed_by_rule_and_metric(reader):
    result = reader.read(WhatIfChange(DEFAULT_RANGE, None, {(0, "cpu_usage"): 0.95}), NOW)
    assert (result.present.periods, result.changed.periods) == (4, 0)


@pytest.mark.parametrize("key", [(1, "cpu_usage"), (0, "memory_usage")])
def test_unknown_bound_is_an_error(reader, key):
    with pytest.raises(WhatIfError, match="has no bound"):
        reader.read(WhatIfChange(DEFAULT_RANGE, None, {key: 0.5}), NOW)


def test_stored_predictions_are_kept_for_minutes(reader, history):
    before = reader.read(PRESENT, NOW).predictions
    history.predictions.append([Prediction(NOW + 60, HORIZON, 1, 0.5, 0.05, 0.708, False, None)])
    assert reader.read(PRESENT, NOW + CACHE_SECONDS - 1).predictions == before
    assert reader.read(PRESENT, NOW + CACHE_SECONDS).predictions == before + 1


def test_quantiles_are_those_of_the_serving_model(history, config):
    quantile = replace(config, high_load=HighLoadSection(rules=((("cpu_usage", "p95"),),), horizons=(HORIZON,)))
    served = Rules(((("cpu_usage", 0.8),),), 60.0)
    assert WhatIfReader(history, quantile, lambda: served).setting().rules.rules == ((("cpu_usage", 0.8),),)
    with pytest.raises(WhatIfError, match="quantile"):
        WhatIfReader(history, quantile, lambda: quantile.rules).setting()


def test_database_without_samples_has_an_empty_result(stores, config):
    result = WhatIfReader(stores, config, lambda: config.rules).read(PRESENT, NOW)
    assert (result.predictions, result.present.periods) == (0, 0)
