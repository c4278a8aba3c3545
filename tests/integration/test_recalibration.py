"""Recalibration job on a database: the decisions of a backtest, computed from stored samples."""

import time
from dataclasses import astuple, replace

import numpy as np
import pytest

from model.features.labels import Rules, future_labels
from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS
from model.forecast.blend import fit_load_table
from model.forecast.log_odds import logit
from model.forecast.online import FallbackBaseline, FallbackDecision, OnlineEngine, fallback_active
from model.forecast.online.decision_table import DecisionTable
from model.forecast.online.recalibration import Recalibration, fit_recalibrations
from model.forecast.predictor import predict_at
from model.forecast.serialization import dumps
from model.nn.fit_config import FitConfig
from model.serving import MODEL, ServingReason
from model.training.pipeline import train
from model.training.settings import Recipe
from model.training.task import Task
from model.trees.boosting import BoostingConfig
from model.units import DAY
from monitor.config.loader import Config
from monitor.documents.status import status_document
from monitor.inference.forecast import make_forecast
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.inference.stored_samples import sample_values
from monitor.jobs.recalibration import RecalibrationJob, current_decisions, decisions_at
from monitor.queries.overview import ServingFallback
from monitor.queries.status import read_overview
from monitor.stores import open_stores
from monitor.training.report import TrainingReport
from storage import SAMPLE_FIELDS, StorageError, TrainingOutcome, TrainingRun, quantize_sample

from .conftest import create_database, host

pytestmark = pytest.mark.integration

STEP = 10.0
RULES = Rules(((("cpu_usage", 0.8),),), 20.0)
TASK = Task(RULES, (60.0, 300.0))
UNCHANGED = (FallbackDecision(),) * 2


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Half a day of training data, and two days after it with shorter bursts of load."""
    path = tmp_path_factory.mktemp("history") / "x.db"
    end = np.floor(time.time() / DAY) * DAY
    trained_until = end - 2 * DAY
    samples = [quantize_sample(s) for s in (*host(4000, trained_until), *host(17_279, end, seed=1))]
    values = np.stack([sample_values(sample) for sample in samples])
    times = np.array([sample.at for sample in samples])
    shortened = (times > trained_until) & (times % 600 >= 75) & (times % 600 < 150)
    values[shortened, SAMPLE_FIELDS.index("cpu_usage")] = 0.3
    fit = FitConfig(epochs=4, patience=0, keep_best=False)
    recipe = Recipe(networks=2, layers=(8,), fit=fit, boosting=BoostingConfig(trees=20))
    past = times <= trained_until
    predictor = train(times[past], values[past], SAMPLE_FIELDS, TASK, recipe, np.random.default_rng(0)).predictor
    with open_stores(create_database(path)) as stores:
        stores.samples.insert_missing(np.column_stack([times, values]))
        report = TrainingReport(trained_until - 40_000, trained_until, 4000).to_json()
        model_id = stores.registry.register(dumps(predictor), report, trained_until)
        stores.registry.promote(model_id, trained_until)
        yield stores, predictor, times, values, trained_until, end


def serve(stores, at):
    """Return a serving model that has seen one sample."""
    served = ServedModel(RULES, STEP)
    RegistryFollower(stores, served).follow(at - 1)
    served.advance(next(iter(host(1, at))))
    return served


def probabilities(forecast):
    return [prediction.probability for prediction in forecast.predictions]


def constant_table(rate):
    return fit_load_table(np.full(200, 0.5), (np.arange(200) < 200 * rate).astype(float))


def test_decisions_use_the_outcomes_since_the_training(history):
    stores, predictor, times, values, trained_until, end = history
    decisions = decisions_at(stores, predictor, trained_until, end)
    window = predictor.spec.new_window()
    window.extend(times, values)
    y = future_labels(times, window.state, predictor.horizons)
    logged = np.flatnonzero((times > trained_until) & (np.diff(times // 300, prepend=0) > 0))
    p = predict_at(predictor, times, values, times[logged])
    high = window.state[logged] == 1
    expected = fit_recalibrations(times[logged], p, y[logged], high, predictor.horizons, end)
    recalibrations = np.array([astuple(decision.recalibration) for decision in decisions])
    assert recalibrations == pytest.approx(np.array([astuple(recalibration) for recalibration in expected]), abs=1e-5)
    assert decisions[0].recalibration != Recalibration()


def test_decisions_right_after_a_training_change_nothing(history):
    stores, predictor, _, _, trained_until, _ = history
    assert decisions_at(stores, predictor, trained_until, trained_until) == UNCHANGED
    assert current_decisions(stores, trained_until + 3600, predictor, 1) == UNCHANGED


def test_job_recalibrates_the_next_prediction(history):
    stores, predictor, _, _, _, end = history
    served = serve(stores, end + 600)
    before = served.forecast()
    RecalibrationJob(stores, served, lambda: end + 600).run()
    after = served.forecast()
    decisions = current_decisions(stores, end + 600, predictor, 1)
    high = bool(served.high_load)
    index = next(iter(host(1, end + 600))).cpu_usage / 0.8
    table = DecisionTable([decisions], predictor.thresholds)
    expected = table.apply(
        np.array([[probabilities(before)]]), np.array([[high]]), np.array([[index]]), lambda: np.zeros((1, 6, 1, 2))
    )
    assert probabilities(after) == pytest.approx(expected[0, 0].tolist())
    assert probabilities(after) != probabilities(before)
    raised = [serving.reason is ServingReason.HIGH_LOAD_FLOOR for serving in after.serving]
    assert after.serving == tuple(
        decision.serving(high=high, raised=floor) for decision, floor in zip(decisions, raised, strict=True)
    )
    assert served.fallback_active == fallback_active(decisions)


def test_job_runs_once_per_interval_and_model(history, monkeypatch):
    stores, _, _, _, _, end = history
    calls = []
    monkeypatch.setattr(
        "monitor.jobs.recalibration.current_decisions", lambda *arguments: calls.append(arguments) or UNCHANGED
    )
    now = [end + 700.0]
    job = RecalibrationJob(stores, serve(stores, end + 700), lambda: now[0])
    job.run()
    job.run()
    assert len(calls) == 1
    now[0] += DAY / 4
    job.run()
    assert len(calls) == 2


def test_decisions_for_another_model_are_ignored(history):
    stores, predictor, _, _, _, end = history
    served = serve(stores, end + 1200)
    before = probabilities(served.forecast())
    served.set_decisions(999, current_decisions(stores, end + 1200, predictor, 1))
    assert probabilities(served.forecast()) == before
    assert not served.fallback_active


def test_default_decisions_leave_probabilities_and_thresholds(history):
    _, predictor, times, values, _, _ = history
    other = replace(predictor, thresholds=(0.9, 0.4))
    forecasts = []
    for decisions in (None, UNCHANGED):
        engine = OnlineEngine(other.spec, other)
        engine.advance(times[None, -500:-1], values[None, -500:-1])
        engine.advance(times[None, -1:], values[None, -1:])
        if decisions is not None:
            engine.decide([decisions])
        forecasts.append(make_forecast(engine, 1, times[-1]))
    assert forecasts[0] == forecasts[1]
    assert [prediction.threshold for prediction in forecasts[0].predictions] == [0.9, 0.4]


def test_model_without_warnings_never_warns_after_recalibration(history):
    stores, predictor, times, values, _, end = history
    silent = replace(predictor, thresholds=(1.0, 1.0))
    engine = OnlineEngine(silent.spec, silent)
    engine.advance(times[None, -500:], values[None, -500:])
    engine.decide([current_decisions(stores, end, predictor, 1)])
    forecast = make_forecast(engine, 1, times[-1])
    assert [prediction.threshold for prediction in forecast.predictions] == [1.0, 1.0]


def test_model_whose_history_cannot_be_read_is_warmed_up_at_the_next_sample(history, monkeypatch):
    stores, predictor, _, _, _, end = history
    served = ServedModel(RULES, STEP)
    follower = RegistryFollower(stores, served)
    first, second, third = host(3, end + 1800)
    follower.follow(first.at - 1)
    served.advance(first)
    rules = replace(RULES, sustained=30.0)
    other = replace(predictor, spec=replace(predictor.spec, rules=rules), holdout_model=None)
    report = TrainingReport(end - 40_000, end, 4000).to_json()
    stores.registry.promote(stores.registry.register(dumps(other), report, end), end)

    def fail(*_):
        raise StorageError("disk error")

    try:
        with monkeypatch.context() as broken:
            broken.setattr("monitor.inference.registry_follower.warm_up", fail)
            follower.follow(first.at)
            served.advance(second)
        assert served.rules == rules
        assert np.isfinite(probabilities(served.forecast())).all()
        stores.samples.append_many([first, second])
        follower.follow(second.at)
        served.advance(third)
        again = ServedModel(RULES, STEP)
        RegistryFollower(stores, again).follow(second.at)
        again.advance(third)
        assert probabilities(served.forecast()) == probabilities(again.forecast())
    finally:
        stores.samples.purge_between(first.at, second.at)
        stores.registry.rollback(1, end)


@pytest.mark.parametrize(("name", "smoothing"), [(CURRENT_VALUE, None), (HOLT_WINTERS, 2)])
def test_fallback_is_named_and_attributed_to_the_load(history, name, smoothing):
    stores, predictor, *_, end = history
    served = serve(stores, end + 2400)
    baseline = FallbackBaseline(name, constant_table(0.25), smoothing)
    served.set_decisions(served.model_id, (FallbackDecision(calm=baseline, high=baseline), FallbackDecision()))
    forecast = served.forecast()
    assert [serving.predictor for serving in forecast.serving] == [name, MODEL]
    assert served.fallback_active
    assert forecast.predictions[0].probability == pytest.approx(0.25)
    difference = logit(np.array(0.25)) - logit(np.array(predictor.base_rates[0]))
    assert forecast.contributions[0]["load_index"] == pytest.approx(difference)
    assert sum(map(abs, forecast.contributions[0].values())) == pytest.approx(abs(difference))


def test_status_and_schedule_read_the_fallbacks_from_the_database(history, monkeypatch):
    stores, predictor, _, _, _, end = history
    served = serve(stores, end + 3000)
    baseline = FallbackBaseline(CURRENT_VALUE, constant_table(0.25))
    decisions = (FallbackDecision(calm=baseline), FallbackDecision())
    monkeypatch.setattr("monitor.jobs.recalibration.current_decisions", lambda *_: decisions)
    config = Config()
    now = end + 3000.0
    stores.registry.set_fallbacks(served.model_id, {})
    report = TrainingReport(0.0, 365 * DAY, 4000).to_json()
    run = TrainingRun(end - 100.0, end, TrainingOutcome.PROMOTED, "", served.model_id, report)
    stores.runs.append(run)
    before = read_overview(stores, config, now)
    assert (before.fallbacks, before.next_retrain_at) == ((), end - 100.0 + config.training.interval)
    RecalibrationJob(stores, served, lambda: now).run()
    after = read_overview(stores, config, now, before)
    assert after.fallbacks == (ServingFallback(predictor.horizons[0], "calm", CURRENT_VALUE),)
    assert after.next_retrain_at == end - 100.0 + DAY
    assert status_document(after).fallbacks == after.fallbacks
