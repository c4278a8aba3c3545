"""Bootstrap model: the pretrained model serves a host without a model of its own."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from model.forecast.serialization import bundled_pretrained_model, loads
from monitor.config.loader import load_config
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.queries.status import read_overview
from monitor.stores import open_stores
from monitor.training.bootstrap_model import ensure_bootstrap_model, fitted_model_serves
from monitor.training.records import read_active_model, read_model
from storage import SAMPLE_FIELDS

from .conftest import create_database, host

pytestmark = pytest.mark.integration


@pytest.fixture
def opened(admin):
    with open_stores(create_database(admin.database)) as stores:
        yield stores, load_config(admin.config)


@pytest.fixture
def trained(admin):
    admin.fill_and_train()
    with open_stores(admin.url) as stores:
        yield stores, load_config(admin.config)


def test_bootstrap_model_is_registered_once_and_serves(opened):
    stores, config = opened
    for _ in range(2):
        ensure_bootstrap_model(stores, config, time.time())
    assert [record.id for record in stores.registry.history()] == [1]
    assert read_model(stores, 1).pretrained
    assert not fitted_model_serves(stores)
    served = ServedModel(config.rules, 10.0)
    RegistryFollower(stores, served).follow(time.time() - 10)
    served.advance(next(iter(host(1, time.time()))))
    assert [p.horizon for p in served.forecast().predictions] == [60.0, 300.0]
    overview = read_overview(stores, config, time.time())
    assert overview.waiting_for


def test_other_horizons_register_another_bootstrap_model(opened):
    stores, config = opened
    ensure_bootstrap_model(stores, config, time.time())
    other = replace(config, high_load=replace(config.high_load, horizons=(600.0,)))
    ensure_bootstrap_model(stores, other, time.time())
    assert stores.registry.active_id() == 2
    assert loads(stores.registry.blob(2)).horizons == (600.0,)


def test_fitted_model_stays_while_a_version_of_it_can_be_loaded(trained):
    stores, config = trained
    ensure_bootstrap_model(stores, config, time.time())
    assert fitted_model_serves(stores)
    assert len(stores.registry.history()) == 1
    broken = stores.registry.register(b"not a model", '{"to": 0.0}', time.time())
    stores.registry.promote(broken, time.time())
    ensure_bootstrap_model(stores, config, time.time())
    assert stores.registry.active_id() == broken, "an earlier model can be loaded and serves"


def test_model_of_another_task_is_replaced_by_the_bootstrap_model(trained):
    stores, config = trained
    rules = ((("cpu_usage", 0.95), ("memory_usage", 0.9)),)
    for changed in ({"rules": rules}, {"horizons": (600.0,)}):
        ensure_bootstrap_model(stores, replace(config, high_load=replace(config.high_load, **changed)), time.time())
        assert read_active_model(stores).pretrained
        stores.registry.rollback(1, time.time())
    ensure_bootstrap_model(stores, config, time.time())
    assert stores.registry.active_id() == 1


def test_served_model_reports_a_model_that_cannot_be_loaded(trained):
    stores, config = trained
    served = ServedModel(config.rules, 10.0)
    follower = RegistryFollower(stores, served)
    sample, later = host(2, time.time() + 100)
    follower.follow(sample.at - 1)
    served.advance(sample)
    assert not served.load_failed
    stores.registry.promote(stores.registry.register(b"not a model", '{"to": 0.0}', time.time()), time.time())
    follower.follow(sample.at)
    served.advance(later)
    assert served.load_failed
    assert served.model_id == 1


def test_bootstrap_model_serves_if_no_model_can_be_loaded(opened):
    stores, config = opened
    stores.registry.promote(stores.registry.register(b"not a model", '{"to": 0.0}', 1.0), 1.0)
    ensure_bootstrap_model(stores, config, time.time())
    assert read_active_model(stores).pretrained


def test_quantile_bounds_have_no_bootstrap_model(opened):
    stores, config = opened
    unknown = replace(config, high_load=replace(config.high_load, rules=((("cpu_usage", "p95"),),)))
    ensure_bootstrap_model(stores, unknown, time.time())
    assert stores.registry.active_id() is None


def test_changed_load_shows_as_input_drift(admin, opened):
    stores, config = opened
    now = time.time()
    admin.fill(end=now - 2 * 86400)
    assert admin("retrain")[0] == 0
    rows = np.full((2000, 1 + len(SAMPLE_FIELDS)), np.nan)
    rows[:, 0] = now - 10.0 * np.arange(2000)[::-1]
    rows[:, 1 + SAMPLE_FIELDS.index("cpu_usage")] = 0.3 + 0.01 * np.random.default_rng(0).normal(size=2000)
    rows[:, 1 + SAMPLE_FIELDS.index("memory_usage")] = 0.95
    stores.samples.insert_missing(rows)
    drift = read_overview(stores, config, now).drift
    assert drift["memory_usage"] > 1
    assert drift["memory_usage"] > drift["cpu_usage"]
    code, out, _ = admin("status", "--json")
    assert (code, json.loads(out)["input_drift"].keys()) == (3, drift.keys())


def test_bundled_model_has_the_networks_of_its_script():
    assert len(bundled_pretrained_model().networks) == 4
