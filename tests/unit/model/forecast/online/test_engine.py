"""Online engine: samples one by one and samples in arrays yield the same bits."""

from dataclasses import replace

import numpy as np
import pytest

from model.features.feature_spec import make_spec
from model.features.labels import Rules
from model.features.scaling import Scaler
from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS
from model.forecast.blend import HorizonBlend, LoadTable
from model.forecast.calibration import BlendWeights, Calibration
from model.forecast.ensemble import Ensemble
from model.forecast.log_odds import sigmoid
from model.forecast.online import FallbackBaseline, FallbackDecision, OnlineEngine, PredictionLog
from model.forecast.online.recalibration import Recalibration
from model.forecast.persistence import PersistenceModel
from model.forecast.predictor import Predictor, predict_at
from model.forecast.pretrained import adapt
from model.forecast.serialization import bundled_pretrained_model
from model.forecast.smoothing import SMOOTHINGS
from model.nn.network import mlp
from model.serving import MODEL

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage", "network_receive")
HORIZONS = (300.0, 900.0, 3600.0)
STEPS = (10.0, 60.0, 300.0, 1800.0)
ACTIVATIONS = ("relu", "tanh", "sigmoid")
FIELDS = (
    "model_probabilities",
    "probabilities",
    "raised",
    "outside",
    "high",
    "period_start",
    "thresholds",
    "warnings",
)


def make_samples(rng, step, rows):
    """Samples of one host: periodic load, a gap, missing samples and missing values."""
    times = 1.7e9 + step * np.arange(rows) + rng.uniform(0, 0.2 * step, rows)
    times[rows // 2 :] += rng.choice([0.0, 4 * step, 2 * 86400.0])
    busy = (times % (20 * step)) < 6 * step
    cpu = np.clip(0.35 + 0.5 * busy + rng.normal(0, 0.1, rows), 0, 1)
    values = np.column_stack([cpu, np.clip(rng.normal(0.5, 0.1, rows), 0, 1), np.exp(rng.normal(8, 2, rows))])
    values[rng.random(values.shape) < 0.05] = np.nan
    return times, values


def make_predictor(rng, step, values, activation, *, bounded=True):
    """A predictor with random weights, and random training ranges if `bounded`, over the features of the samples."""
    rules = Rules(((("cpu_usage", 0.75),),), float(rng.choice([0.0, 2.5 * step])))
    spec = make_spec(COLUMNS, values, rules, HORIZONS, step)
    features = len(spec.names)
    columns = tuple(np.sort(rng.choice(features, max(4, features // 2), replace=False)) for _ in range(3))
    networks = tuple(mlp((len(part), 12, 6, 3), rng, activation=activation) for part in columns)
    mean = rng.normal(0.3, 0.1, features)
    ranges = {"low": mean - rng.uniform(0.1, 2, features), "high": mean + rng.uniform(0.1, 12, features)}
    ranges = {name: bound.astype(np.float32) for name, bound in ranges.items()} if bounded else {}
    scaler = Scaler(mean.astype(np.float32), np.full(features, 0.1, np.float32), **ranges)
    table = LoadTable(np.array([0.2, 0.5, 0.9, 1.1]), np.array([-3.0, -1.5, 0.5, 2.0]), -1.0)
    blend = HorizonBlend(table, BlendWeights((0.6, 0.3, 0.2), 0.1), BlendWeights((0.3, 0.8, 0.1), -0.2))
    pretrained = adapt(bundled_pretrained_model(), spec, HORIZONS) if spec.seasonal else None
    return Predictor(
        spec=spec,
        horizons=HORIZONS,
        ensemble=Ensemble(scaler, networks, columns),
        blends=(blend,) * 3,
        base_rates=(0.1, 0.2, 0.3),
        thresholds=(0.45, 0.5, 1.0),
        pretrained=pretrained,
        pretrained_weight=0.2,
    )


def make_decisions(rng):
    """Random decisions of one host: recalibration and baselines, each present or absent."""
    decisions = []
    for _ in HORIZONS:
        scores = np.sort(rng.uniform(0, 1.4, rng.integers(1, 6)))
        table = LoadTable(scores, np.sort(rng.normal(0, 2, len(scores))), float(rng.normal()))
        baselines = [
            None,
            FallbackBaseline(CURRENT_VALUE, table),
            FallbackBaseline(HOLT_WINTERS, table, int(rng.integers(len(SMOOTHINGS)))),
        ]
        calibrations = [Calibration(), Calibration(float(rng.uniform(0.3, 1.5)), float(rng.normal(0, 0.3)))]
        recalibration = Recalibration(calibrations[rng.integers(2)], calibrations[rng.integers(2)])
        calm, high = baselines[rng.integers(3)], baselines[rng.integers(3)]
        decisions.append(FallbackDecision(recalibration, calm, high))
    return tuple(decisions)


def run(predictor, samples, cuts, decisions, decide_at):
    """Feed samples in chunks that end at `cuts`, with new decisions at some rows; return the forecasts."""
    hosts = len(samples)
    times = np.stack([host[0] for host in samples])
    values = np.stack([host[1] for host in samples])
    engine = OnlineEngine(predictor.spec, predictor, hosts, level=True)
    parts = []
    start = 0
    for end in cuts:
        if start in decide_at:
            engine.decide(decisions[decide_at.index(start)])
        engine.advance(times[:, start:end], values[:, start:end])
        parts.append(engine.forecast())
        start = end
    return {name: np.concatenate([getattr(part, name) for part in parts], axis=1) for name in FIELDS}


@pytest.mark.parametrize("hosts", [1, 3])
@pytest.mark.parametrize("seed", range(12))
def test_single_samples_equal_arrays_of_samples_bit_for_bit(seed, hosts):
    rng = np.random.default_rng([seed, hosts])
    step = STEPS[seed % len(STEPS)]
    activation = ACTIVATIONS[seed % len(ACTIVATIONS)]
    rows = 80
    samples = [make_samples(rng, step, rows) for _ in range(hosts)]
    predictor = make_predictor(rng, step, np.concatenate([values for _, values in samples]), activation)
    decide_at = [0, 30]
    decisions = [[make_decisions(rng) for _ in range(hosts)] for _ in decide_at]
    in_arrays = run(predictor, samples, [30, rows], decisions, decide_at)
    single = run(predictor, samples, range(1, rows + 1), decisions, decide_at)
    chunk_ends = np.unique([30, rows, *rng.integers(1, rows, 9)]).tolist()
    in_chunks = run(predictor, samples, chunk_ends, decisions, decide_at)
    for name in FIELDS:
        assert single[name].tobytes() == in_arrays[name].tobytes(), name
        assert in_chunks[name].tobytes() == in_arrays[name].tobytes(), name


def test_the_random_cases_cover_warnings_and_fallbacks():
    states = []
    raised = []
    outside = []
    served = set()
    for seed in range(8):
        rng = np.random.default_rng([seed, 1])
        samples = [make_samples(rng, STEPS[seed % len(STEPS)], 80)]
        predictor = make_predictor(rng, STEPS[seed % len(STEPS)], samples[0][1], "relu")
        decisions = [[make_decisions(rng)] for _ in range(2)]
        forecast = run(predictor, samples, [30, 80], decisions, [0, 30])
        assert np.isfinite(forecast["probabilities"]).all()
        assert (np.diff(forecast["probabilities"], axis=2) >= 0).all()
        in_period = forecast["period_start"] > -np.inf
        assert not forecast["raised"][~in_period].any()
        raised.append(forecast["raised"][in_period].mean())
        outside.append(forecast["outside"].mean())
        states.append(forecast["warnings"].mean())
        rows = [row for host in decisions for row in host[0]]
        served |= {row.serving(high=high).predictor for row in rows for high in (False, True)}
    assert 0 < np.mean(states) < 1
    assert 0 < np.mean(raised) < 1
    assert 0 < np.mean(outside) < 1
    assert served == {MODEL, CURRENT_VALUE, HOLT_WINTERS}


def test_hosts_do_not_influence_each_other():
    rng = np.random.default_rng(5)
    samples = [make_samples(rng, 60.0, 100) for _ in range(3)]
    predictor = make_predictor(rng, 60.0, samples[0][1], "relu")
    decisions = [make_decisions(rng) for _ in range(3)]
    together = run(predictor, samples, [40, 100], [decisions], [0])
    for host in range(3):
        alone = run(predictor, samples[host : host + 1], [40, 100], [decisions[host : host + 1]], [0])
        for name in FIELDS:
            assert alone[name].tobytes() == together[name][host : host + 1].tobytes(), name


@pytest.fixture
def served():
    """An engine of one host that has seen 50 samples, with the other samples."""
    rng = np.random.default_rng(2)
    times, values = make_samples(rng, 60.0, 100)
    predictor = make_predictor(rng, 60.0, values, "relu", bounded=False)
    engine = OnlineEngine(predictor.spec, predictor)
    engine.advance(times[None, :50], values[None, :50])
    return engine, predictor, times, values


def test_engine_without_decisions_publishes_the_model_above_the_floor(served):
    engine, predictor, _, _ = served
    forecast = engine.forecast()
    kept = ~forecast.raised
    assert kept.any()
    assert np.array_equal(forecast.probabilities[kept], forecast.model_probabilities[kept])
    assert (forecast.probabilities >= forecast.model_probabilities).all()
    start = np.array([0.45, 0.5, np.inf])
    first = forecast.thresholds[0, 0]
    assert first == pytest.approx(start)
    assert not forecast.warnings[..., 2].any()
    assert engine.decisions == ((FallbackDecision(),) * len(predictor.horizons),)


def test_floor_holds_again_once_the_load_is_back_after_a_dip(served):
    _, predictor, times, values = served
    always = LoadTable(np.array([0.0]), np.array([5.0]), 5.0)
    persistence = PersistenceModel(always, always, BlendWeights((1.0, 0.0)), most=5.0)
    spec = replace(predictor.spec, rules=replace(predictor.spec.rules, sustained=150.0))
    engine = OnlineEngine(spec, replace(predictor, spec=spec, persistence=(persistence,) * 3))
    regular = times[0] + 60.0 * np.arange(12)
    load = values[:12].copy()
    load[:, 0] = 0.9
    load[[0, 1, -2], 0] = 0.2
    engine.advance(regular[None], load[None])
    forecast = engine.forecast()
    assert (forecast.high[0, -1], forecast.period_start[0, -1]) == (False, regular[4])
    assert not forecast.raised[0, -2].any()
    assert (forecast.probabilities[0, -1] >= float(sigmoid(np.array(5.0)))).all()


def test_engine_agrees_with_the_predictor_it_serves(served):
    engine, predictor, times, values = served
    expected = predict_at(predictor, times, values, times[:50])
    assert engine.forecast().model_probabilities[0] == pytest.approx(expected, abs=1e-5)


def test_warnings_of_another_engine_continue(served):
    engine, predictor, times, values = served
    before = engine.forecast()
    other = replace(predictor, thresholds=(0.01, 0.01, 0.01))
    successor = OnlineEngine(other.spec, other)
    successor.inherit_warnings(engine)
    successor.advance(times[None, 50:51], values[None, 50:51])
    assert (successor.forecast().thresholds[0, 0] < 0.01).tolist() == before.warnings[0, -1].tolist()


def test_baselines_are_inherited_only_for_the_same_load_index(served):
    engine, predictor, times, values = served
    same = OnlineEngine(predictor.spec, predictor)
    other_rules = replace(predictor.spec, rules=replace(predictor.spec.rules, sustained=999.0))
    other = OnlineEngine(other_rules, replace(predictor, spec=other_rules))
    assert same.has_load_index_of(engine)
    assert not other.has_load_index_of(engine)
    other_limit = replace(predictor.spec, load_limit=8.0)
    assert not OnlineEngine(other_limit).has_load_index_of(engine)
    decisions = [FallbackDecision(calm=baseline, high=baseline) for baseline in [holt_winters_baseline()] * 3]
    results = []
    values[50, 0] = 0.5
    for heir in (same, other):
        heir.inherit_baselines(engine)
        heir.decide([decisions])
        heir.advance(times[None, 50:51], values[None, 50:51])
        results.append(heir.forecast().probabilities)
    engine.decide([decisions])
    engine.advance(times[None, 51:52], values[None, 51:52])
    assert not np.array_equal(results[0], results[1])


def holt_winters_baseline():
    return FallbackBaseline(HOLT_WINTERS, LoadTable(np.array([0.0, 1.5]), np.array([-3.0, 3.0]), 0.0), 0)


def test_log_has_the_predictions_that_the_engine_made(served):
    _, predictor, times, values = served
    complete = OnlineEngine(predictor.spec, predictor)
    log = PredictionLog(predictor.spec.horizons)
    for start in range(0, 100, 25):
        complete.advance(times[None, start : start + 25], values[None, start : start + 25])
        complete.log(log, serving_after=times[30])
    matured = log.matured(times[-1] + 1, HORIZONS)
    assert np.isnan(matured.probabilities[matured.times <= times[30]]).all()
    rows = np.searchsorted(times, matured.times[matured.times > times[30]])
    fresh = OnlineEngine(predictor.spec, predictor)
    fresh.advance(times[None], values[None])
    expected = fresh.model_probabilities()[0, rows]
    assert np.array_equal(matured.probabilities[matured.times > times[30]], expected)


def test_forecast_needs_a_predictor_and_a_sample(served):
    _, predictor, times, values = served
    without_predictor = OnlineEngine(predictor.spec)
    without_predictor.advance(times[None], values[None])
    for useless in (without_predictor, OnlineEngine(predictor.spec, predictor)):
        with pytest.raises(ValueError, match="predictor"):
            useless.forecast()
    assert without_predictor.newest_states.shape == (1,)


def shifted_memory(rng, rows, first, shift):
    """Samples of one host without missing values, whose memory usage changes by `shift` from a row on."""
    times = 1.7e9 + 5.0 * np.arange(rows)
    cpu = rng.uniform(0.1, 1.0, rows)
    memory = np.clip(rng.normal(0.54, 0.01, rows), 0.5, 0.58)
    memory[first:] += shift
    return times, np.column_stack([cpu, memory, rng.uniform(1e3, 1e4, rows)])


def memory_range(predictor, low, high):
    """The predictor with a training range of memory usage, and a wide one of everything else."""
    features = len(predictor.spec.names)
    bounds = np.full(features, -100, np.float32), np.full(features, 100, np.float32)
    for bound, value in zip(bounds, (low, high), strict=True):
        bound[predictor.spec.column_index["memory_usage:last"]] = value
    deviation = predictor.ensemble.scaler.deviation.copy()
    deviation[predictor.spec.column_index["memory_usage:last"]] = 0.01
    scaler = replace(predictor.ensemble.scaler, low=bounds[0], high=bounds[1], deviation=deviation)
    return replace(predictor, ensemble=replace(predictor.ensemble, scaler=scaler))


def test_metric_outside_its_training_range_for_a_minute_has_no_influence():
    rng = np.random.default_rng(4)
    times, values = shifted_memory(rng, 120, 60, -0.47)
    predictor = memory_range(make_predictor(rng, 5.0, values, "relu", bounded=False), 0.5, 0.58)
    engine = OnlineEngine(predictor.spec, predictor)
    engine.advance(times[None], values[None])
    forecast = engine.forecast()
    memory = predictor.spec.inputs.index("memory_usage")
    assert np.flatnonzero(forecast.outside[0, :, memory])[0] == 60 + 12
    assert forecast.outside[0, 72:, memory].all()
    assert not np.delete(forecast.outside[0], memory, axis=1).any()
    columns = predictor.spec.metric_features[memory]
    assert np.isnan(forecast.features[0, 72:, columns]).all()
    assert not np.isnan(forecast.features[0, 71, columns]).all()
    without = values.copy()
    without[72:, COLUMNS.index("memory_usage")] = 0.3
    other = OnlineEngine(predictor.spec, predictor)
    other.advance(times[None], without[None])
    assert np.array_equal(other.forecast().probabilities[0, 72:], forecast.probabilities[0, 72:])


def test_logged_predictions_leave_out_metrics_outside_their_training_range():
    rng = np.random.default_rng(4)
    times, values = shifted_memory(rng, 240, 60, -0.47)
    predictor = memory_range(make_predictor(rng, 5.0, values, "relu", bounded=False), 0.5, 0.58)
    engine = OnlineEngine(predictor.spec, predictor)
    engine.advance(times[None], values[None])
    log = PredictionLog(predictor.spec.horizons)
    engine.log(log)
    logged = log.matured(times[-1] + 1, HORIZONS)
    rows = np.searchsorted(times, logged.times)
    assert (rows > 72).any()
    assert np.array_equal(engine.model_probabilities()[0, rows], logged.probabilities)


def test_probability_during_high_load_is_at_least_that_of_the_load_table():
    rng = np.random.default_rng(6)
    times, values = shifted_memory(rng, 400, 400, 0.0)
    values[200:, 0] = rng.uniform(0.8, 1.0, 200)
    predictor = make_predictor(rng, 5.0, values, "relu", bounded=False)
    table = predictor.blends[0].load_table
    calm_model = replace(predictor.blends[0], high=BlendWeights((0.0, 0.0, 0.0), -6.0))
    predictor = replace(predictor, blends=(calm_model,) * 3)
    engine = OnlineEngine(predictor.spec, predictor)
    engine.advance(times[None], values[None])
    forecast = engine.forecast()
    high = forecast.high[0]
    assert high[210:].all()
    expected = sigmoid(table(values[high, 0] / 0.75))
    assert forecast.probabilities[0, high] == pytest.approx(np.repeat(expected[:, None], 3, axis=1))
    assert forecast.raised[0, high].all()
    assert not forecast.raised[forecast.period_start == -np.inf].any()
