"""The daemon's recalibration is the backtest's, made again from nothing but the stored samples."""

import json
import time
from dataclasses import astuple, replace

import numpy as np
import pytest

from model.features.labels import Rules, future_labels
from model.features.rolling_window import RollingWindow
from model.forecast.blend import fit_load_table
from model.forecast.fallback import FallbackBaseline, FallbackDecision, apply_decisions
from model.forecast.predictor import predict_at
from model.forecast.recalibration import Recalibration, fit_recalibrations
from model.forecast.serialization import dumps
from model.nn.fit_config import FitConfig
from model.nn.numerics import logit
from model.training.pipeline import Task, train
from model.training.settings import Recipe
from model.units import DAY
from monitor.config.loader import Config
from monitor.documents.status import status_document
from monitor.inference.served_model import ServedModel, make_forecast, sample_row
from monitor.jobs.recalibration import RecalibrationJob, current_decisions, matured
from monitor.queries.status import ServingFallback, read_overview
from monitor.stores import open_stores
from storage import SAMPLE_FIELDS, StorageError, TrainingOutcome, TrainingRun, quantize_sample

from .conftest import host

pytestmark = pytest.mark.integration

STEP = 10.0
RULES = Rules(((("cpu_usage", 0.8),),), 20.0)
TASK = Task(RULES, (60.0, 300.0))


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """Half a day to learn from, and two days after it on which load is another."""
    path = tmp_path_factory.mktemp("lived") / "x.db"
    end = np.floor(time.time() / DAY) * DAY
    learned = end - 2 * DAY
    samples = [quantize_sample(s) for s in (*host(4000, learned), *host(17_279, end, seed=1))]
    rows = np.concatenate([sample_row(sample) for sample in samples])
    times = np.array([sample.at for sample in samples])
    # bursts are shorter by half than they were
    late = (times > learned) & (times % 600 >= 75) & (times % 600 < 150)
    rows[late, SAMPLE_FIELDS.index("cpu_usage")] = 0.3
    recipe = Recipe(networks=2, layers=(8,), fit=FitConfig(epochs=4, patience=0, keep_best=False))
    past = times <= learned
    predictor = train(times[past], rows[past], SAMPLE_FIELDS, TASK, recipe, np.random.default_rng(0)).predictor
    with open_stores(f"sqlite:///{path}") as stores:
        stores.samples.insert_missing(np.column_stack([times, rows]))
        model_id = stores.registry.register(
            dumps(predictor), json.dumps({"from": 0.0, "to": learned, "samples": 0}), learned
        )
        stores.registry.promote(model_id, learned)
        yield stores, predictor, times, rows, learned, end


def test_what_has_come_since_the_training_is_found_again(lived):
    stores, predictor, times, rows, learned, end = lived
    found = matured(stores, predictor, learned, end, 0.8)
    history = RollingWindow(SAMPLE_FIELDS, RULES, STEP)
    history.extend(times, rows)
    y = future_labels(times, history.state, predictor.horizons, STEP)
    asked = np.flatnonzero((times > learned) & (np.diff(times // 300, prepend=0) > 0))
    said = predict_at(predictor, times, rows, times[asked])
    high = history.state[asked] == 1
    expected = fit_recalibrations(times[asked], said, y[asked], high, predictor.horizons, end)
    # a network's last bits depend on how many rows it is asked about together
    rights = np.array([astuple(one.right) for one in found])
    assert rights == pytest.approx(np.array([astuple(one) for one in expected]))
    assert found[0].right != Recalibration()


def test_nothing_has_come_right_after_a_training(lived):
    stores, predictor, _, _, learned, _ = lived
    assert matured(stores, predictor, learned, learned, 0.8) == (FallbackDecision(),) * 2
    assert current_decisions(stores, learned + 3600, 0.8, predictor, 1) == (FallbackDecision(),) * 2


def test_the_daemon_says_what_is_right_from_the_next_prediction_on(lived):
    stores, predictor, _, _, _, end = lived
    served = ServedModel(stores, RULES, STEP)
    sample = next(iter(host(1, end + 600)))
    served.advance(sample)
    before = served.forecast()
    job = RecalibrationJob(stores, served, 0.8, lambda: end + 600)
    job()
    after = served.forecast()
    by = current_decisions(stores, end + 600, 0.8, predictor, 1)
    high = np.array([bool(served.high_load)])
    raw = np.array([[p.probability for p in before.predictions]])
    expected = apply_decisions(by, raw, high, np.array([sample.cpu_usage / 0.8]), lambda _: np.full((1, 2), np.nan))
    assert [p.probability for p in after.predictions] == pytest.approx(expected[0].tolist())
    assert [p.probability for p in after.predictions] != [p.probability for p in before.predictions]
    # bursts are over sooner than they were: while load is high the model says too little of what goes on
    assert after.served_by == tuple(standing.serving(high=bool(high[0])) for standing in by)
    assert served.fallback_active == any(standing.calm or standing.high for standing in by)


def test_another_model_is_not_set_right_by_what_this_one_said(lived):
    stores, _, _, _, _, end = lived
    served = ServedModel(stores, RULES, STEP)
    served.advance(next(iter(host(1, end + 1200))))
    plain = served.forecast()
    served.recalibrate(999, current_decisions(stores, end + 1200, 0.8, served.predictor, 1))
    found = served.forecast()
    assert [p.probability for p in found.predictions] == [p.probability for p in plain.predictions]


def test_nothing_to_set_right_leaves_probabilities_and_thresholds_as_they_are(lived):
    _, predictor, times, rows, _, _ = lived
    history = predictor.spec.history()
    history.extend(times[-500:], rows[-500:])
    falling = replace(predictor, thresholds=(0.9, 0.4))
    plain = make_forecast(falling, 1, history)
    assert make_forecast(falling, 1, history, (FallbackDecision(),) * 2) == plain
    assert [p.threshold for p in plain.predictions] == [0.9, 0.4]


def test_a_model_whose_past_cannot_be_read_waits_for_it_and_is_primed_at_the_next_tick(lived, monkeypatch):
    stores, predictor, _, _, _, end = lived
    served = ServedModel(stores, RULES, STEP)
    first, second, third = host(3, end + 1800)
    served.advance(first)
    rules = replace(RULES, sustained=30.0)
    other = replace(predictor, spec=replace(predictor.spec, rules=rules), holdout_model=None)
    stores.registry.promote(
        stores.registry.register(dumps(other), json.dumps({"from": 0.0, "to": end, "samples": 0}), end), end
    )
    try:
        with monkeypatch.context() as broken:
            broken.setattr(
                "monitor.inference.served_model.primed", lambda *_: (_ for _ in ()).throw(StorageError("away"))
            )
            served.advance(second)
        assert served.rules == rules
        assert np.isfinite([p.probability for p in served.forecast().predictions]).all()
        served.advance(third)
        again = ServedModel(stores, RULES, STEP)
        again.advance(third)
        assert served.forecast().predictions == again.forecast().predictions
    finally:
        stores.registry.rollback(1, end)


def test_a_model_that_never_warns_goes_on_never_warning(lived):
    stores, predictor, times, rows, _, end = lived
    history = predictor.spec.history()
    history.extend(times[-500:], rows[-500:])
    silent = replace(predictor, thresholds=(1.0, 1.0))
    forecast = make_forecast(silent, 1, history, current_decisions(stores, end, 0.8, predictor, 1))
    assert [p.threshold for p in forecast.predictions] == [1.0, 1.0]


def test_a_baseline_that_serves_instead_is_said_of_the_present_moment_and_named(lived):
    stores, *_, end = lived
    served = ServedModel(stores, RULES, STEP)
    served.advance(next(iter(host(1, end + 2400))))
    predictor = served.predictor
    y = (np.arange(200) % 4 == 0).astype(float)
    table = fit_load_table(np.full(200, 0.5), y)
    for instead in (FallbackBaseline("current value", table), FallbackBaseline("Holt-Winters", table, (0.5, 0.1))):
        standing = FallbackDecision(calm=instead, high=instead, threshold=0.2)
        served._warned = frozenset()
        served.recalibrate(served.model_id, (standing, FallbackDecision()))
        found = served.forecast()
        assert found.served_by == (instead.name, "model")
        assert served.fallback_active
        assert found.predictions[0].probability == pytest.approx(0.25)
        assert found.predictions[0].threshold == 0.2
        moved = logit(np.array(0.25)) - logit(np.array(predictor.base_rates[0]))
        assert found.contributions[0]["load_index"] == pytest.approx(moved)
        assert sum(map(abs, found.contributions[0].values())) == pytest.approx(abs(moved))


def test_status_and_schedule_know_what_serves_instead_from_the_database(lived, monkeypatch):
    stores, predictor, _, _, _, end = lived
    served = ServedModel(stores, RULES, STEP)
    served.advance(next(iter(host(1, end + 3000))))
    table = fit_load_table(np.full(200, 0.5), (np.arange(200) % 4 == 0).astype(float))
    found = (FallbackDecision(calm=FallbackBaseline("current value", table)), FallbackDecision())
    monkeypatch.setattr("monitor.jobs.recalibration.current_decisions", lambda *_: found)
    config, now = Config(), end + 3000.0
    report = json.dumps({"from": 0.0, "to": 365 * DAY})
    stores.runs.append(TrainingRun(end - 100.0, end, TrainingOutcome.PROMOTED, "", served.model_id, report))
    well = read_overview(stores, config, now)
    assert (well.fallbacks, well.next_retrain_at) == ((), end - 100.0 + config.training.interval)
    RecalibrationJob(stores, served, 0.8, lambda: now)()
    fell = read_overview(stores, config, now, well)
    assert fell.fallbacks == (ServingFallback(predictor.horizons[0], "calm", "current value"),)
    assert fell.next_retrain_at == end - 100.0 + DAY
    assert status_document(fell).fallbacks == fell.fallbacks
