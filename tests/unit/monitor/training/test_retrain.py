"""Retraining: outcomes, recording, lock."""

from dataclasses import replace

import pytest

from model.errors import DivergedError, NotEnoughHistoryError
from monitor.config.loader import Config
from monitor.config.schema import TrainingSection
from monitor.errors import LockedError, NotEnoughDataError
from monitor.training import retrain as retrain_module
from monitor.training.replay.history import ReplaySummary
from monitor.training.retrain import Request, gate_of, retrain, training_task
from storage import Sample, TrainingOutcome
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

CONFIG = replace(Config(), training=TrainingSection(min_history=60.0))


@pytest.fixture
def filled(stores):
    stores.samples.append_many(Sample(NOW - 5.0 * i, cpu_usage=0.1) for i in range(100))
    return stores


def run(stores, request=Request(), config=CONFIG):  # noqa: B008 - immutable
    return retrain(stores, config, request, lambda _: None, lambda: NOW)


@pytest.fixture
def failing(monkeypatch):
    """Return a function that lets the training raise an exception."""

    def install(error):
        def train(*_):
            raise error

        monkeypatch.setattr(retrain_module, "train", train)

    return install


def test_retrain_skips_a_short_history_and_records_the_run(stores):
    result = run(stores)
    assert (result.outcome, result.report, type(result.error)) == (TrainingOutcome.SKIPPED, None, NotEnoughDataError)
    assert (stores.runs.last().outcome, stores.runs.last().reason) == (TrainingOutcome.SKIPPED, result.reason)


def test_retrain_does_not_record_a_dry_run(stores):
    run(stores, Request(dry_run=True))
    assert stores.runs.last() is None


def test_retrain_without_examples_reports_the_detector(filled, failing):
    failing(NotEnoughHistoryError("no high load"))
    result = run(filled)
    assert (result.outcome, result.report.health) == (TrainingOutcome.SKIPPED, None)
    assert (result.report.samples, result.report.detector.at) == (100, None)
    assert result.report.detector.reason in result.reason


@pytest.mark.parametrize("error", [DivergedError("nan"), MemoryError()])
def test_retrain_records_a_failed_training(filled, failing, error):
    failing(error)
    result = run(filled)
    assert (result.outcome, result.model_id) == (TrainingOutcome.FAILED, None)
    assert filled.runs.last().outcome == TrainingOutcome.FAILED


def test_retrain_ends_at_its_deadline(filled, monkeypatch):
    def train(*_):
        while True:
            pass

    monkeypatch.setattr(retrain_module, "train", train)
    config = replace(CONFIG, training=replace(CONFIG.training, timeout=0.2))
    assert run(filled, config=config).outcome == TrainingOutcome.FAILED


def test_retrain_refuses_to_run_twice_at_once(stores):
    with stores.database.lock("retrain"), pytest.raises(LockedError):
        run(stores)


def test_task_and_gate_follow_the_configuration():
    task, gate = training_task(CONFIG), gate_of(CONFIG)
    assert (task.horizons, task.precision) == (CONFIG.high_load.horizons, CONFIG.warning.precision)
    assert (gate.margin, gate.min_skill) == (CONFIG.gate.margin, CONFIG.gate.min_skill)


@pytest.fixture
def replays(monkeypatch):
    """Return the tasks that are replayed, each with the number of recorded runs at that time."""
    made = []

    def replay_history(stores, _config, task, _now, seconds):
        made.append((task, len(stores.runs.history()), seconds))
        return ReplaySummary(20, 1)

    monkeypatch.setattr(retrain_module, "replay_history", replay_history)
    return made


def test_history_is_replayed_after_the_run_is_recorded(filled, failing, replays):
    failing(NotEnoughHistoryError("no high load"))
    assert run(filled).replayed == ReplaySummary(20, 1)
    ((task, runs, seconds),) = replays
    assert (task.models, task.detects, len(task.history.times)) == ((), False, 100)
    assert (runs, seconds) == (1, CONFIG.training.timeout)


def test_dry_run_and_failure_replay_nothing(filled, failing, replays):
    failing(NotEnoughHistoryError("no high load"))
    run(filled, Request(dry_run=True))
    failing(DivergedError("nan"))
    assert (run(filled).replayed, replays) == (None, [])
