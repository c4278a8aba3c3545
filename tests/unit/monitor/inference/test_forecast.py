"""Forecasts of an engine and from stored samples."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from model.features.feature_spec import FeatureSpec
from model.features.labels import Rules
from model.features.scaling import Scaler
from model.forecast.baselines import CURRENT_VALUE, PERSISTENCE
from model.forecast.blend import EMPTY_LOAD_TABLE, LoadTable
from model.forecast.calibration import BlendWeights
from model.forecast.ensemble import Ensemble
from model.forecast.log_odds import logit
from model.forecast.online import FallbackBaseline, FallbackDecision, OnlineEngine
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model, dumps
from model.nn.network import mlp
from model.serving import PRETRAINED_MODEL, REDUCED_MODEL, Serving, ServingReason
from monitor.inference.forecast import forecast_from_storage, has_rule_metric, make_forecast, warm_up
from monitor.inference.stored_samples import CHUNK_ROWS
from storage import SAMPLE_FIELDS, Sample

pytestmark = pytest.mark.unit

STEP = 60.0
RULES = Rules(((("cpu_usage", 0.8),),), 0.0)
NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def predictor():
    return bootstrap_predictor(bundled_pretrained_model(), SAMPLE_FIELDS, RULES, (300.0, 900.0), STEP, 0.8)


class FakeSamples:
    """Two days of samples every minute up to NOW, without other values than the CPU usage."""

    value = 0.3

    def between(self, start, until, columns):
        times = np.arange(np.ceil(max(start, NOW - 172_800) / STEP), np.floor(min(until, NOW) / STEP) + 1) * STEP
        times = times[(times > start) & (times <= until)]
        values = np.full((len(times), len(columns)), np.nan)
        values[:, columns.index("cpu_usage")] = self.value
        return np.column_stack([times, values])


def make_stores(predictor=None):
    registry = SimpleNamespace(active_id=lambda: None)
    if predictor is not None:
        registry = SimpleNamespace(active_id=lambda: 7, blob=lambda _: dumps(predictor))
    return SimpleNamespace(samples=FakeSamples(), registry=registry)


def test_warm_up_ends_with_a_single_sample(predictor):
    engine = OnlineEngine(predictor.spec, predictor)
    newest = warm_up(engine, make_stores(), NOW)
    assert newest == NOW // STEP * STEP
    assert engine.forecast().probabilities.shape == (1, 1, 2)


@pytest.mark.parametrize("step", [1.0, 5.0, 60.0])
def test_warm_up_reads_parts_of_the_same_number_of_samples(step):
    spec = FeatureSpec(("cpu_usage",), (), (), RULES, (300.0,), step, (300.0,), seasonal=True)
    spans = []

    def between(start, until, columns):
        spans.append(until - start)
        return np.empty((0, 1 + len(columns)))

    warm_up(OnlineEngine(spec), SimpleNamespace(samples=SimpleNamespace(between=between)), NOW)
    assert sum(spans) == pytest.approx(spec.required_history)
    assert max(spans) == min(CHUNK_ROWS * step, spec.required_history)


def test_warm_up_without_samples_has_no_newest_time(predictor):
    engine = OnlineEngine(predictor.spec, predictor)
    assert warm_up(engine, make_stores(), NOW - 200_000) == -np.inf


def test_forecast_has_a_prediction_per_horizon(predictor):
    engine = OnlineEngine(predictor.spec, predictor)
    at = warm_up(engine, make_stores(), NOW)
    forecast = make_forecast(engine, 7, at)
    assert [p.horizon for p in forecast.predictions] == [300.0, 900.0]
    assert {(p.at, p.model_id) for p in forecast.predictions} == {(at, 7)}
    assert [p.threshold for p in forecast.predictions] == [0.8, 0.8]
    assert [p.baseline_probability for p in forecast.predictions] == list(predictor.base_rates)
    assert forecast.serving == (Serving(PRETRAINED_MODEL, ServingReason.HOST_NOT_FITTED),) * 2
    assert set(forecast.contributions[0]) == {*predictor.spec.groups, "level"}
    assert forecast.describe("load_index", 300.0).startswith("load is at 38%")


def test_fitted_model_serves_all_horizons_but_those_of_the_pretrained_model(predictor):
    fitted = replace(predictor, fitted_until=NOW - 3600, pretrained_horizons=(900.0,))
    engine = OnlineEngine(fitted.spec, fitted)
    forecast = make_forecast(engine, 7, warm_up(engine, make_stores(), NOW))
    assert forecast.serving == (Serving(), Serving(PRETRAINED_MODEL, ServingReason.HORIZON_NOT_FITTED))


def test_threshold_without_warnings_is_stored_as_1(predictor):
    silent = replace(predictor, thresholds=(1.0, 0.5))
    engine = OnlineEngine(silent.spec, silent)
    forecast = make_forecast(engine, 7, warm_up(engine, make_stores(), NOW))
    assert [p.threshold for p in forecast.predictions] == [1.0, 0.5]


def test_forecast_from_storage_uses_the_decisions_for_the_model(predictor):
    baseline = FallbackBaseline(CURRENT_VALUE, EMPTY_LOAD_TABLE)
    decisions = (FallbackDecision(calm=baseline), FallbackDecision())
    calls = []
    forecast = forecast_from_storage(
        make_stores(predictor), NOW, 300.0, lambda model, model_id: calls.append(model_id) or decisions
    )
    assert calls == [7]
    assert [serving.predictor for serving in forecast.serving] == [CURRENT_VALUE, PRETRAINED_MODEL]
    assert forecast.serving[0].reason is ServingReason.BASELINE_MORE_ACCURATE
    assert forecast.predictions[0].probability == pytest.approx(0.5)


def test_forecast_from_storage_needs_a_model_and_a_recent_sample(predictor):
    assert forecast_from_storage(make_stores(), NOW, 300.0) is None
    assert forecast_from_storage(make_stores(predictor), NOW + 1000, 300.0) is None


def with_training_ranges(predictor, cpu_usage):
    """A predictor whose only input metric has a training range of CPU usage up to a value."""
    spec = replace(predictor.spec, inputs=("cpu_usage",))
    features = len(spec.names)
    rng = np.random.default_rng(0)
    low = np.full(features, -10, np.float32)
    high = np.full(features, 10, np.float32)
    high[spec.column_index["cpu_usage:last"]] = cpu_usage
    scaler = Scaler(np.minimum(high, 0), np.full(features, 0.001, np.float32), low, high)
    ensemble = Ensemble(scaler, (mlp((features, 4, 2), rng),), (np.arange(features),))
    table = LoadTable(np.array([0.0, 2.0]), np.array([-3.0, 3.0]), 0.0)
    blends = tuple(replace(blend, load_table=table) for blend in predictor.blends)
    return replace(predictor, spec=spec, ensemble=ensemble, blends=blends)


def test_forecast_names_metrics_outside_their_training_range(predictor):
    shifted = with_training_ranges(predictor, cpu_usage=-8.0)
    engine = OnlineEngine(shifted.spec, shifted)
    forecast = make_forecast(engine, 7, warm_up(engine, make_stores(), NOW))
    expected = Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, ("cpu_usage",))
    assert forecast.serving == (expected, expected)
    assert forecast.inputs == forecast.inputs_out_of_range == ("cpu_usage",)
    assert forecast.contributions[0]["cpu_usage"] == 0


def test_attributions_of_the_floor_during_high_load_belong_to_the_load(predictor):
    low = BlendWeights((1.0, 0.0, 0.0), -9.0)
    model = with_training_ranges(predictor, cpu_usage=1.0)
    model = replace(model, blends=tuple(replace(blend, high=low) for blend in model.blends))
    engine = OnlineEngine(model.spec, model)
    engine.advance(np.array([[NOW]]), np.full((1, 1, len(SAMPLE_FIELDS)), 0.9))
    forecast = make_forecast(engine, 7, NOW)
    assert forecast.serving == (Serving(PERSISTENCE, ServingReason.HIGH_LOAD_FLOOR),) * 2
    for prediction, contributions in zip(forecast.predictions, forecast.contributions, strict=True):
        base, published = logit(np.array([prediction.baseline_probability, prediction.probability]))
        assert contributions["load_index"] == pytest.approx(published - base)
        assert sum(contributions.values()) == pytest.approx(published - base)


def test_forecast_from_storage_needs_a_metric_of_the_rules(predictor):
    stores = make_stores(predictor)
    stores.samples.value = np.nan
    assert forecast_from_storage(stores, NOW, 300.0) is None


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (Sample(NOW, cpu_usage=0.0), True),
        (Sample(NOW, memory_usage=0.5), True),
        (Sample(NOW, load_per_cpu=3.0), False),
        (Sample(NOW), False),
    ],
)
def test_rule_metric_is_known_if_any_rule_has_a_value(sample, expected):
    rules = Rules(((("cpu_usage", 0.8),), (("cpu_usage", 0.6), ("memory_usage", 0.8))), 0.0)
    assert has_rule_metric(rules, sample) is expected
