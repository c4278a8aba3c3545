"""Recalibration job: once per interval and model."""

from types import SimpleNamespace

import pytest

from model.forecast.blend import EMPTY_LOAD_TABLE
from model.forecast.online import FallbackBaseline, FallbackDecision
from model.forecast.online.recalibration import RECALIBRATION_INTERVAL
from monitor.jobs.recalibration import RecalibrationJob, decisions_at

pytestmark = pytest.mark.unit

PREDICTOR = SimpleNamespace(horizons=(60.0, 300.0))
UNCHANGED = (FallbackDecision(), FallbackDecision())


@pytest.fixture
def job(monkeypatch):
    """A job with a settable clock and decisions, whose calls and results are recorded."""
    state = SimpleNamespace(now=1e9, calls=0, decisions=UNCHANGED, applied=[], stored=[])
    served = SimpleNamespace(serving=(3, PREDICTOR), set_decisions=lambda *args: state.applied.append(args))
    registry = SimpleNamespace(
        set_fallbacks=lambda *args: state.stored.append(args),
        fallbacks=lambda: state.stored[-1][1] if state.stored else {},
    )
    stores = SimpleNamespace(registry=registry)

    def decide(*_):
        state.calls += 1
        return state.decisions

    monkeypatch.setattr("monitor.jobs.recalibration.current_decisions", decide)
    return RecalibrationJob(stores, served, lambda: state.now), served, state


def test_job_does_nothing_without_a_model(job):
    recalibration, served, state = job
    served.serving = None
    recalibration.run()
    assert state.calls == 0


def test_job_runs_once_per_interval(job):
    recalibration, _, state = job
    recalibration.run()
    recalibration.run()
    assert state.calls == 1
    state.now += RECALIBRATION_INTERVAL
    recalibration.run()
    assert state.calls == 2


def test_job_runs_again_for_another_model(job):
    recalibration, served, state = job
    recalibration.run()
    served.serving = (4, PREDICTOR)
    recalibration.run()
    assert [model_id for model_id, _ in state.applied] == [3, 4]


def test_job_stores_the_names_of_serving_baselines(job):
    recalibration, _, state = job
    baseline = FallbackBaseline("current value", EMPTY_LOAD_TABLE)
    state.decisions = (FallbackDecision(), FallbackDecision(high=baseline))
    recalibration.run()
    assert state.applied == [(3, state.decisions)]
    assert state.stored == [(3, {"300": {"high": "current value"}})]


def test_decisions_before_the_end_of_the_training_change_nothing():
    assert decisions_at(None, PREDICTOR, trained_until=100.0, now=100.0) == UNCHANGED
