"""Tests of the composition root of the daemon."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from monitor.config.loader import Config
from monitor.daemon import wiring
from monitor.daemon.sd_notify import Notifier
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.storage import DaemonStorage
from monitor.daemon.wiring import RetrainingConditions, build_services
from monitor.stores import open_stores
from monitor.training.coverage import HistoryCoverage
from monitor.training.schedule import ServingState
from storage import Sample

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


def test_services_schedule_every_job(tmp_path):
    config = Config()
    config = replace(config, storage=replace(config.storage, url=f"sqlite:///{tmp_path}/x.db"))
    storage = DaemonStorage(config)
    holder = StateHolder(Config(), Notifier({}), ReloadState(successful=True, at=NOW))
    services = build_services(config, storage, holder)
    assert set(services.scheduler.states()) == {
        "sampling_cycle",
        "status_refresh",
        "retraining",
        "recalibration",
        "scoring",
        "retention",
        "anomaly_detection",
    }
    assert holder.state().overview is not None
    assert holder.records is not None


@pytest.mark.parametrize(
    ("fitted", "load_failed", "fallback_active", "serving"),
    [
        (True, False, False, ServingState.MODEL),
        (True, False, True, ServingState.FALLBACK),
        (True, True, False, ServingState.NO_FITTED_MODEL),
        (False, False, False, ServingState.NO_FITTED_MODEL),
    ],
)
def test_conditions_state_how_the_fitted_model_serves(monkeypatch, fitted, load_failed, fallback_active, serving):
    monkeypatch.setattr(wiring, "fitted_model_serves", lambda _: fitted)
    served = SimpleNamespace(load_failed=load_failed, fallback_active=fallback_active)
    assert RetrainingConditions(Config(), None, None, served).serving() == serving


def test_conditions_require_the_minimum_history(stores):
    config = Config()
    conditions = RetrainingConditions(config, stores, HistoryCoverage(stores, config), None)
    assert not conditions.has_enough_history(NOW)
    rows = int(config.training.min_history / config.sampling.interval) + 1
    interval = config.sampling.interval
    stores.samples.append_many([Sample(NOW - interval * i, cpu_usage=0.5) for i in reversed(range(rows))])
    assert conditions.has_enough_history(NOW)
