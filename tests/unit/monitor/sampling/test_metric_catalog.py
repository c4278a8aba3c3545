"""Agreement of the metric catalogue with all that depends on it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.sampling.metric_catalog import (
    HOST_METRICS,
    METRIC_BY_FIELD,
    RATIO_FIELDS,
    Unit,
    fields_of_source,
    format_value,
)
from monitor.sampling.sources import SOURCES
from storage import SAMPLE_FIELDS
from storage.records import BYTE_RATE_FIELDS
from storage.schema import samples

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]
FIELDS = tuple(metric.field for metric in HOST_METRICS)


def test_catalogue_has_the_fields_of_the_record_and_of_the_table():
    assert FIELDS == SAMPLE_FIELDS
    assert tuple(column.name for column in samples.columns if column.name not in ("host_id", "at")) == FIELDS


def test_catalogue_and_storage_agree_on_byte_rates():
    byte_rates = {metric.field for metric in HOST_METRICS if metric.unit is Unit.BYTES_PER_SECOND}
    assert byte_rates == BYTE_RATE_FIELDS


def test_catalogue_names_each_field_and_label_once():
    assert len(METRIC_BY_FIELD) == len(HOST_METRICS)
    assert len({metric.label for metric in HOST_METRICS}) == len(HOST_METRICS)


def test_catalogue_names_existing_sources_and_each_has_fields():
    assert {metric.source for metric in HOST_METRICS} == set(SOURCES)
    assert all(source.fields == fields_of_source(name) for name, source in SOURCES.items())


def test_ratio_fields_are_ratios_with_upper_bound_one():
    assert {METRIC_BY_FIELD[field].unit for field in RATIO_FIELDS} == {Unit.RATIO}
    assert "load_per_cpu" not in RATIO_FIELDS


@pytest.mark.parametrize("name", ["host-metrics.md", "metrics.md"])
def test_reference_page_has_the_generated_table(tmp_path, name):
    for page in ("host-metrics.md", "metrics.md"):
        shutil.copy(ROOT / "docs" / "reference" / page, tmp_path)
    subprocess.run([sys.executable, ROOT / "scripts" / "make_metric_tables.py", tmp_path], check=True, cwd=ROOT)
    generated = (tmp_path / name).read_text()
    assert (ROOT / "docs" / "reference" / name).read_text() == generated, "run `make metric-tables`"
    assert all(f"`{metric.field}`" in generated or metric.prometheus_name in generated for metric in HOST_METRICS)


def test_dashboard_shows_every_metric():
    dashboard = (ROOT / "deploy" / "grafana" / "dashboards" / "host.json").read_text()
    missing = [metric.field for metric in HOST_METRICS if f"monitor_{metric.prometheus_name}" not in dashboard]
    assert missing == []


def test_metrics_page_has_every_metric_with_its_help_text():
    page = (ROOT / "tests" / "golden" / "metrics.txt").read_text()
    missing = [
        metric.field
        for metric in HOST_METRICS
        if f"# HELP monitor_{metric.prometheus_name} {metric.description}\n" not in page
    ]
    assert missing == []


def test_values_have_the_unit_of_their_metric():
    assert format_value("cpu_usage", 0.5) == "50.0%"
    assert format_value("disk_write", 48e6) == "48 MB/s"
    assert format_value("disk_write", None) == "-"
    assert format_value("field_of_a_newer_release", 0.5) == "0.500"
