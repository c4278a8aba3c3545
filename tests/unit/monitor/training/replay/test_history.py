"""History replay: what is replayed after which training."""

import time
from dataclasses import replace

import pytest

from model.errors import SerializationError
from model.forecast.serialization import dumps
from model.training.holdout_replay import ReplayModel
from monitor.config.loader import Config
from monitor.training.bootstrap_model import pretrained_task
from monitor.training.replay import history as module
from monitor.training.replay.history import ReplaySummary, ReplayTask, replay_history
from monitor.training.report import TrainingReport

from .conftest import END, ROWS, START

pytestmark = pytest.mark.unit


CONFIG = replace(Config(), high_load=replace(Config().high_load, horizons=(300.0, 900.0)))


def promote(stores, predictor, *, pretrained=False, detector=None):
    """Register and promote a model; return its id."""
    task = pretrained_task(CONFIG) if pretrained else None
    report = TrainingReport(START, END, ROWS, pretrained=task)
    model_id = stores.registry.register(dumps(predictor), report.to_json(), END, detector)
    stores.registry.promote(model_id, END)
    return model_id


def run(stores, history, models=(), *, detects=False, seconds=60.0):
    return replay_history(stores, CONFIG, ReplayTask(history, tuple(models), detects), END, seconds)


def test_promoted_candidate_is_replayed_over_its_holdout(filled_stores, history, predictor):
    model_id = promote(filled_stores, predictor)
    summary = run(filled_stores, history, [ReplayModel(END - 600.0, predictor)])
    predictions = filled_stores.replayed_predictions.between(0.0, 1e12)
    assert summary == ReplaySummary(len(predictions), 0)
    assert (predictions[0].at, predictions[0].model_id) == (END - 600.0, model_id)


def test_pretrained_model_is_replayed_once_over_the_whole_history(filled_stores, history, predictor):
    promote(filled_stores, predictor, pretrained=True)
    summary = run(filled_stores, history)
    assert summary.predictions == filled_stores.replayed_predictions.count() > ROWS
    assert filled_stores.replayed_predictions.between(0.0, 1e12)[0].at == START
    assert run(filled_stores, history) == ReplaySummary(0, 0)
    assert filled_stores.replayed_predictions.count() == summary.predictions


def test_fitted_model_is_not_replayed_after_a_refusal(filled_stores, history, predictor):
    promote(filled_stores, predictor)
    assert run(filled_stores, history) == ReplaySummary(0, 0)


def test_nothing_is_replayed_without_a_model(filled_stores, history):
    assert run(filled_stores, history) == ReplaySummary(0, 0)


@pytest.mark.parametrize(("detector", "detects", "calls"), [(b"x", True, 1), (None, True, 0), (b"x", False, 0)])
def test_anomalies_are_replayed_with_a_detector(
    filled_stores, history, predictor, monkeypatch, detector, detects, calls
):
    made = []
    monkeypatch.setattr(module, "replay_anomalies", lambda *_: made.append(1) or 3)
    promote(filled_stores, predictor, detector=detector)
    summary = run(filled_stores, history, detects=detects)
    assert (len(made), summary.anomalies) == (calls, 3 * calls)


def test_failure_is_logged_and_returned_as_none(filled_stores, history, predictor, monkeypatch, caplog):
    def fail(*_):
        raise SerializationError("damaged")

    monkeypatch.setattr(module, "replay_predictions", fail)
    promote(filled_stores, predictor)
    assert run(filled_stores, history) is None
    assert [record.message for record in caplog.records] == ["history replay failed"]


def test_replay_ends_at_its_deadline(filled_stores, history, predictor, monkeypatch):
    monkeypatch.setattr(module, "replay_predictions", lambda *_: time.sleep(5))
    promote(filled_stores, predictor)
    assert run(filled_stores, history, seconds=0.05) is None
