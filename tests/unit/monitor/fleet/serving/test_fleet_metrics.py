"""Fleet metrics without a host."""

from pathlib import Path

import pytest

from monitor.fleet.serving.fleet_metrics import fleet_metrics
from monitor.fleet.serving.host_series import HELP
from monitor.fleet.source.statistics import SourceStatistics
from tests.unit.monitor.fleet.fleets import START, STEP, running_fleet

pytestmark = pytest.mark.unit


def values(state):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in fleet_metrics(state)
        for sample in family.samples
    }


def test_fleet_metrics_counts_hosts():
    numbers = values(
        running_fleet().fleet_state(statistics=SourceStatistics(queries={"cpu_usage": 7}, failures={"cpu_usage": 2}))
    )
    assert numbers["monitor_fleet_hosts",] == 3
    assert numbers["monitor_fleet_predicted_hosts",] == 3
    assert numbers["monitor_fleet_high_load_hosts",] == 1
    assert numbers["monitor_fleet_warning_hosts", "5m"] == 1
    assert numbers["monitor_fleet_model_hosts", "pretrained"] == 3
    assert numbers["monitor_fleet_queries_total", "cpu_usage"] == 7
    assert numbers["monitor_fleet_query_failures_total", "cpu_usage"] == 2
    assert numbers["monitor_last_sample_timestamp_seconds",] == START
    assert numbers["monitor_fleet_source_success",] == 1


def test_fleet_metrics_shows_a_failing_source():
    fleet = running_fleet()
    fleet.source.error = "no answer"
    fleet.step(3)
    numbers = values(fleet.fleet_state())
    assert numbers["monitor_fleet_source_success",] == 0
    assert numbers["monitor_fleet_source_errors_total",] == 3
    assert numbers["monitor_last_sample_timestamp_seconds",] == START
    fleet.source.error = None
    fleet.step()
    numbers = values(fleet.fleet_state())
    assert numbers["monitor_fleet_filled_steps_total",] == 3
    assert numbers["monitor_last_sample_timestamp_seconds",] == START + 4 * STEP


def test_fleet_metrics_leaves_out_unknown_values():
    state = running_fleet({}).fleet_state()
    names = {name for name, *_ in values(state)}
    assert "monitor_fleet_queries_total" not in names


def test_metrics_page_lists_every_metric_of_a_fleet():
    page = (Path(__file__).parents[5] / "docs" / "reference" / "metrics.md").read_text()
    state = running_fleet().fleet_state(statistics=SourceStatistics(queries={"cpu_usage": 1}))
    names = {name for name, *_ in values(state)} | {f"monitor_{name}" for name in HELP}
    assert {name for name in names if f"`{name}`" not in page} == set()
