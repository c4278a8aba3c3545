"""`monitor predict`."""

import time

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.config.loader import load_config
from monitor.training.bootstrap_model import ensure_bootstrap_model
from storage import CapacityRow, Sample

pytestmark = pytest.mark.unit


def test_predict_without_a_model_exits_with_4(run):
    run.add_samples(time.time())
    result = run("predict", "--json")
    assert (result.code, result.output) == (ExitCode.NOT_ENOUGH_DATA, "")
    assert len(result.errors.splitlines()) == 1


@pytest.mark.parametrize("value", [0.3, None])
def test_predict_needs_a_value_of_a_metric_of_the_rules(run, value):
    now = time.time()
    with run.stores() as stores:
        ensure_bootstrap_model(stores, load_config(run.config), now)
        stores.samples.append_many([Sample(now - 10.0 * i, cpu_usage=value, load_per_cpu=0.2) for i in range(1, 30)])
    result = run("predict", "--json")
    if value is None:
        assert (result.code, result.output) == (ExitCode.NOT_ENOUGH_DATA, "")
        assert "the load is unknown" in result.errors
    else:
        assert result.code == ExitCode.DONE
        assert len(result.document) == 2


@pytest.mark.parametrize("at", ["now", "-2h", "2026-03-01T12:00:00", "1000"])
def test_predict_accepts_absolute_and_relative_times(run, at):
    run.add_samples(time.time())
    assert run("predict", "--at", at).code == ExitCode.NOT_ENOUGH_DATA


@pytest.mark.parametrize("at", ["nan", "1e300", "yesterday"])
def test_predict_rejects_other_times(run, at):
    result = run("predict", "--at", at)
    assert (result.code, result.errors.splitlines()[1]) == (ExitCode.USAGE, "try: monitor predict --help")


def test_predict_lists_file_systems_as_of_the_time(run):
    now = time.time()
    with run.stores() as stores:
        ensure_bootstrap_model(stores, load_config(run.config), now)
        stores.samples.append_many([Sample(now - 10.0 * i, cpu_usage=0.3, load_per_cpu=0.2) for i in range(1, 400)])
        disk = stores.capacity.resource_id("filesystem", "/data", "", now)
        stores.capacity.add([CapacityRow(disk, now - 3600.0 * i, 90.0 - 20 * i, 90.0, 100.0) for i in (0, 1)])
    assert "/data 90% used" in run("predict").output
    assert "/data 70% used" in run("predict", "--at", "-3595s").output
    assert "/data" not in run("predict", "--at", "-2000s").output
    assert len(run("predict", "--json").document) == 2
