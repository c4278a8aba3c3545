"""Tests of the composition root of the daemon."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from model.units import DAY
from monitor.config.events_section import EventsSection
from monitor.config.loader import Config
from monitor.config.schema import AnomalySection, HighLoadSection, SamplingSection, StorageSection
from monitor.daemon import wiring
from monitor.daemon.object_cache import ObjectCache
from monitor.daemon.sd_notify import Notifier
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.wiring import RetrainingConditions, build_services
from monitor.jobs.retraining import Trainer
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


def storage_of(stores):
    return SimpleNamespace(stores=stores, open_generation=lambda: 1)


def test_services_schedule_every_job(stores):
    holder = StateHolder(Config(), Notifier({}), ReloadState(successful=True, at=NOW))
    services = build_services(Config(), storage_of(stores), holder, Trainer(), ObjectCache())
    assert {job.name for job in services.jobs} == {
        "status_refresh",
        "retraining",
        "recalibration",
        "model_salvage",
        "scoring",
        "retention",
        "compaction",
        "anomaly_detection",
        "capacity",
    }
    assert holder.state().overview is None
    services.refresh()
    assert holder.state().overview is not None


@pytest.mark.parametrize(
    ("change", "replaced"),
    [
        ({}, set()),
        ({"storage": StorageSection(retention=30 * DAY)}, set()),
        ({"anomaly": AnomalySection(enabled=False)}, {"anomaly_detection"}),
        ({"events": EventsSection(command_lines=True)}, {"process_recorder", "anomaly_detection"}),
        ({"sampling": SamplingSection(network_exclude=("veth*",))}, {"sources"}),
        ({"sampling": SamplingSection(interval=2.0)}, {"served", "anomaly_detection"}),
        ({"high_load": HighLoadSection(sustained=600.0)}, {"served"}),
    ],
)
def test_services_keep_the_objects_whose_configuration_is_the_same(stores, change, replaced):
    holder = StateHolder(Config(), Notifier({}), ReloadState(successful=True, at=NOW))
    cache = ObjectCache()
    storage = storage_of(stores)

    def objects(config):
        services = build_services(config, storage, holder, Trainer(), cache)
        jobs = {job.name: job.function.__self__ for job in services.jobs}
        return {
            "served": services.served,
            "sources": services.sources,
            "process_recorder": services.process_recorder,
            "anomaly_detection": jobs["anomaly_detection"],
        }

    before = objects(Config())
    after = objects(replace(Config(), **change))
    assert {name for name in before if after[name] is not before[name]} == replaced


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
