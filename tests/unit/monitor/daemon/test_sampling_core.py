"""Tests of the sampling core: objects that outlive a reload."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from monitor.config.loader import Config
from monitor.daemon.object_cache import ObjectCache
from monitor.daemon.sampling_core import SamplingCore
from monitor.daemon.sd_notify import Notifier
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.wiring import build_services
from monitor.jobs.retraining import Trainer
from storage import Prediction
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


class Recorder:
    """Process recorder that keeps the horizons of the warnings that have started."""

    def __init__(self):
        self.horizons = []

    def warnings_started(self, predictions):
        self.horizons += [prediction.horizon for prediction in predictions]


def live(*horizons):
    """Return a live state with a warning for each of some horizons."""
    predictions = tuple(
        Prediction(NOW, horizon, 1, 0.75, 0.1, 0.5, warning=horizon in horizons) for horizon in (300.0, 900.0)
    )
    return SimpleNamespace(forecast=SimpleNamespace(predictions=predictions))


def test_warnings_reach_the_process_recorder_of_the_newest_configuration(stores):
    config = Config()
    storage = SimpleNamespace(stores=stores, open_generation=lambda: 1)
    holder = StateHolder(config, Notifier({}), ReloadState(successful=True, at=NOW))
    services = build_services(config, storage, holder, Trainer(), ObjectCache())
    first = Recorder()
    second = Recorder()
    core = SamplingCore(config, storage, replace(services, process_recorder=first), holder)
    (_, observe) = core._cycle._observers
    observe(live(300.0))
    core.use(config, storage, replace(services, process_recorder=second))
    observe(live(300.0, 900.0))
    assert (first.horizons, second.horizons) == ([300.0], [900.0])
