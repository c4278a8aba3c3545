"""Tests of the metrics page as a whole."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from monitor.exporter.collector import StateCollector
from monitor.state import DaemonState

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT / "tests" / "golden" / "metrics.txt"
ALWAYS = {"monitor_build_info", "monitor_job_runs_total", "monitor_model_info"}


def page(state):
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: state))
    return generate_latest(registry).decode()


def names(text):
    return set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))


def series(text):
    return set(re.findall(r"^(monitor_\w+)", text, re.MULTILINE))


def test_page_equals_golden_page(state):
    assert page(state) == GOLDEN.read_text()


def test_reference_page_lists_each_metric_with_its_type_and_help(state):
    text = page(state)
    helps = dict(re.findall(r"^# HELP (\w+) (.*)$", text, re.MULTILINE))
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(monitor_\w+)` \| (\w+) \|[^|]*\| (.*) \|$", reference, re.MULTILINE)
    # tests/unit/monitor/fleet/serving compares those of a fleet.
    rows = [row for row in rows if not row[0].startswith("monitor_fleet_")]
    assert {name: metric_type for name, metric_type, _ in rows} == types
    assert [name for name, _, meaning in rows if not meaning.startswith(helps[name])] == []


def test_page_without_live_state_has_no_live_metrics():
    text = page(DaemonState("1.2.3", "3.11.0"))
    assert "monitor_model_ready 0.0" in text
    assert not [name for name in names(text) if "host" in name or "probability" in name or "last_sample" in name]


def test_page_without_model_has_no_probability(state, live, overview):
    without_model = replace(
        state, live=replace(live, forecast=None, model_id=None), overview=replace(overview, model=None)
    )
    text = page(without_model)
    assert "monitor_model_ready 0.0" in text
    assert not [name for name in names(text) if name.startswith("monitor_high_load_p") or "model_holdout" in name]


def test_page_leaves_host_metrics_out_when_disabled(state):
    assert "monitor_host_" not in page(replace(state, host_metrics=False))


@pytest.mark.parametrize("part", ["health", "horizons"])
def test_page_leaves_out_metrics_of_missing_report_part(state, overview, part):
    report = replace(overview.model.report, **{part: {"health": None, "horizons": ()}[part]})
    model = replace(overview.model, report=report)
    run = replace(overview.last_run, report=report)
    text = page(replace(state, overview=replace(overview, model=model, last_run=run)))
    assert series(page(state)) > series(text) >= ALWAYS


def test_page_leaves_out_metrics_of_unusable_report(state, overview):
    model = replace(overview.model, report=None)
    run = replace(overview.last_run, report=None)
    text = page(replace(state, overview=replace(overview, model=model, last_run=run)))
    assert series(page(state)) > series(text) >= ALWAYS
