"""Serving model on a database: predictions equal those computed from storage, also after model changes and damage."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from monitor.config.loader import load_config
from monitor.inference.forecast import forecast_from_storage
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.jobs.sampling_cycle import SamplingCycleJob
from monitor.sampling.sampler import SourceState
from monitor.sampling.write_buffer import WriteBuffer
from monitor.stores import open_stores
from storage import Sample

from .conftest import Admin, create_database, host

pytestmark = pytest.mark.integration


class ReplaySampler:
    """Sampler that returns prepared samples."""

    samples_missed_total = 0

    def __init__(self, samples):
        self.states = {"cpu": SourceState(True, 0.0, "")}
        self._samples = iter(samples)
        self.samples_total = 0

    def sample(self):
        self.samples_total += 1
        return next(self._samples)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Return the database of a host with a model, and the end of its samples 50 minutes ago."""
    host_admin = Admin(tmp_path_factory.mktemp("trained"), None)
    end = time.time() - 3000
    host_admin.fill(end=end)
    command = [sys.executable, "-m", "monitor", "--config", str(host_admin.config), "retrain"]
    subprocess.run(command, check=True, capture_output=True)
    return host_admin.database.read_bytes(), np.floor(end / 10) * 10


@pytest.fixture
def trained(admin, database):
    create_database(admin.database)
    admin.database.write_bytes(database[0])
    return admin, database[1]


class Cycles:
    """Sampling cycles with the work of the storage writer around each."""

    def __init__(self, admin, stores, samples):
        config = load_config(admin.config)
        served = ServedModel(config.rules, config.sampling.interval)
        follower = RegistryFollower(stores, served)
        follower.follow(samples[0].at - 1)
        self.published = []
        buffer = WriteBuffer(stores.cycles)
        self._follow = follower.follow
        self._buffer = buffer
        self._until = samples[0].at - 1
        observers = (self.published.append,)
        self._job = SamplingCycleJob(ReplaySampler(samples), served, buffer, lambda _: None, observers)

    def run(self):
        self._follow(self._until)
        self._job.run()
        self._until = self._buffer.write()


def make_job(admin, stores, samples):
    job = Cycles(admin, stores, samples)
    return job, job.published


def following(end, rows=60):
    return [Sample(s.at, s.cpu_usage, network_receive=s.network_receive) for s in host(rows, end + 10 * rows, seed=5)]


def test_live_prediction_equals_the_prediction_from_storage(trained):
    admin, end = trained
    with open_stores(admin.url) as stores:
        job, published = make_job(admin, stores, following(end))
        for _ in range(60):
            job.run()
        # Reading the history for a prediction takes longer than the sampling cycles.
        for status in published[::6]:
            again = forecast_from_storage(stores, status.sample.at, 30.0)
            # An active warning and its lower threshold depend on state that is not stored.
            live = [replace(p, threshold=0.0, warning=False) for p in status.forecast.predictions]
            assert live == [replace(p, threshold=0.0, warning=False) for p in again.predictions]
            assert status.forecast.contributions == again.contributions
        stored = stores.predictions.between(end, end + 1000)
        assert stored == [p for status in published for p in status.forecast.predictions]


def test_promotion_and_rollback_take_effect_at_the_next_sample(trained):
    admin, end = trained
    with open_stores(admin.url) as stores:
        job, published = make_job(admin, stores, following(end))
        job.run()
        assert admin("retrain", "--force")[0] == 0
        job.run()
        stores.registry.rollback(None, time.time())
        job.run()
    assert [status.model_id for status in published] == [1, 2, 1]


def test_damaged_model_is_replaced_by_the_previous_model(trained, caplog):
    admin, end = trained
    with open_stores(admin.url) as stores:
        stores.registry.promote(stores.registry.register(b"garbage", "{}", 1.0), 1.0)
        job, published = make_job(admin, stores, following(end))
        for _ in range(3):
            job.run()
    assert {status.model_id for status in published} == {1}
    assert published[0].forecast is not None
    assert caplog.text.count("model quarantined") == 1


def test_clock_set_back_loses_no_sample_and_no_prediction(trained):
    admin, end = trained
    samples = following(end, 20)
    again = [Sample(s.at, 0.5) for s in samples[5:15]]
    with open_stores(admin.url) as stores:
        before = stores.samples.count()
        job, published = make_job(admin, stores, [*samples, *again])
        for _ in range(30):
            job.run()
        assert stores.samples.count() == before + 30
    assert all(status.forecast is not None for status in published)


def test_without_a_model_the_load_state_is_known_and_no_probability(admin):
    with open_stores(admin.url) as stores:
        high = [Sample(1000.0 + 10 * i, cpu_usage=0.9 if i in (2, 3) else 0.1) for i in range(6)]
        job, published = make_job(admin, stores, high)
        for _ in range(6):
            job.run()
    assert [status.high_load for status in published] == [False, False, False, True, True, False]
    assert all(status.forecast is None for status in published)
