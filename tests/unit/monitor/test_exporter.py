"""The page is what it was, every metric is documented, and what is not known is absent."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from monitor.exporter.collector import HOST_HELP, StateCollector
from monitor.state import DaemonState
from storage import SAMPLE_FIELDS, Sample

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "metrics.txt"


INDEPENDENT_OF_REPORTS = {"monitor_build_info", "monitor_job_runs_total", "monitor_model_info"}


def page(status):
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: status))
    return generate_latest(registry).decode()


def names(text):
    return set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))


def series(text):
    return set(re.findall(r"^(\w+)[{ ]", text, re.MULTILINE))


def test_the_whole_page_is_the_golden_one(status):
    assert page(status) == GOLDEN.read_text()


def test_every_metric_of_the_page_is_documented_and_every_documented_one_is_there(status):
    documented = set(
        re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "reference" / "metrics.md").read_text(), re.MULTILINE)
    )
    assert documented == names(page(status))


def test_before_the_first_sample_only_what_is_known_is_told():
    text = page(DaemonState("1.2.3", "3.11.0"))
    assert "monitor_model_ready 0.0" in text
    assert not [name for name in names(text) if "host" in name or "probability" in name or "sample" in name]


def test_without_a_model_there_is_no_probability(status, live, overview):
    bare = replace(status, live=replace(live, forecast=None, model_id=None), overview=replace(overview, model=None))
    text = page(bare)
    assert "monitor_model_ready 0.0" in text
    assert not [name for name in names(text) if name.startswith("monitor_high_load_p") or "model_holdout" in name]


def test_a_missing_value_is_absent_and_never_zero(status, live):
    text = page(replace(status, live=replace(live, sample=Sample(1.0, cpu_usage=0.5), high_load=None)))
    assert "monitor_host_cpu_usage_ratio 0.5" in text
    assert "monitor_host_memory" not in text
    assert "monitor_high_load_active" not in text


@pytest.mark.parametrize("lacks", ["health", "horizons"])
def test_a_report_without_a_part_costs_its_own_figures_and_never_the_page(status, overview, lacks):
    empty = {"health": None, "horizons": ()}[lacks]
    report = replace(overview.model.report, **{lacks: empty})
    model, run = replace(overview.model, report=report), replace(overview.last_run, report=report)
    text = page(replace(status, overview=replace(overview, model=model, last_run=run)))
    assert (
        series(page(status)) > series(text) >= {"monitor_build_info", "monitor_job_runs_total", "monitor_model_info"}
    )


def test_a_report_that_cannot_be_used_costs_its_own_figures_and_never_the_page(status, overview):
    model, run = replace(overview.model, report=None), replace(overview.last_run, report=None)
    text = page(replace(status, overview=replace(overview, model=model, last_run=run)))
    assert (
        series(page(status)) > series(text) >= {"monitor_build_info", "monitor_job_runs_total", "monitor_model_info"}
    )


def test_a_score_that_does_not_exist_is_absent(status, overview):
    report = overview.model.report
    horizon = report.horizons[0]
    bent = replace(report, horizons=(replace(horizon, scores={"network": horizon.scores["climatology"]}),))
    text = page(replace(status, overview=replace(overview, model=replace(overview.model, report=bent))))
    assert "monitor_model_holdout_average_precision{" not in text
    assert "monitor_model_holdout_brier_score{" in text


def test_free_space_that_is_not_known_is_absent(status, overview):
    assert "monitor_storage_free_bytes 8.589934592e+09" in page(status)
    unknown = replace(status, overview=replace(overview, storage_free_bytes=None))
    assert "monitor_storage_free_bytes" not in page(unknown)


def test_host_metrics_can_be_left_to_node_exporter(status):
    assert "monitor_host_" not in page(replace(status, host_metrics=False))


def test_a_warning_needs_its_threshold_and_a_threshold_of_one_never_warns(status, live):
    def warning(probability, threshold):
        prediction = replace(live.forecast.predictions[0], probability=probability, threshold=threshold)
        forecast = replace(live.forecast, predictions=(prediction,))
        return 'monitor_high_load_warning{horizon="5m"} 1.0' in page(
            replace(status, live=replace(live, forecast=forecast))
        )

    assert warning(0.6, 0.6)
    assert not warning(0.59, 0.6)
    assert not warning(1.0, 1.0)


def test_every_field_of_a_sample_has_its_metric():
    assert tuple(HOST_HELP) == SAMPLE_FIELDS
