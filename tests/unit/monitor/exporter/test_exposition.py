"""Tests of the exposition formats against prometheus_client."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics

from monitor.exporter.collector import StateCollector
from monitor.exporter.exposition import Exposition, MetricGroup
from monitor.state import ChannelState

pytestmark = pytest.mark.unit

NAMES = st.from_regex(r"[a-z]{1,6}(_[a-z]{1,6}){0,2}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.floats() | st.integers(-(2**60), 2**60) | st.booleans()


class Families:
    def __init__(self, families):
        self._families = families

    def collect(self):
        return iter(self._families)


@st.composite
def metric_families(draw):
    kind = draw(st.sampled_from((GaugeMetricFamily, CounterMetricFamily, HistogramMetricFamily)))
    labels = draw(st.lists(st.sampled_from(("metric", "horizon", "job", "reason")), unique=True, max_size=3))
    family = kind(f"monitor_{draw(NAMES)}", draw(TEXTS), labels=labels)
    for _ in range(draw(st.integers(0, 3))):
        values = [draw(TEXTS) for _ in labels]
        if kind is HistogramMetricFamily:
            counts = draw(st.lists(st.integers(0, 2**40), min_size=2, max_size=4))
            bounds = [*(str(0.1 * i) for i in range(1, len(counts))), "+Inf"]
            family.add_metric(values, list(zip(bounds, counts, strict=True)), draw(VALUES))
        else:
            family.add_metric(values, draw(VALUES))
    return family


def assert_equals_prometheus_client(groups, collector):
    """Compare a page in both formats with that of prometheus_client."""
    assert Exposition(groups, openmetrics=False).page() == generate_latest(collector)
    expected = openmetrics.generate_latest(collector, version="1.0.0")
    assert Exposition(groups, openmetrics=True).page() == expected


@given(st.lists(metric_families(), max_size=4, unique_by=lambda family: family.name))
def test_formats_equal_those_of_prometheus_client(families):
    collector = Families(families)
    assert_equals_prometheus_client(lambda: [MetricGroup("all", (), collector.collect)], collector)


def test_texts_are_kept_for_each_format_and_kind():
    gauge = GaugeMetricFamily("monitor_things", 'quoted "text"', value=1)
    counter = CounterMetricFamily("monitor_things", 'quoted "text"', value=1)
    for family in (gauge, counter, gauge):
        collector = Families([family])
        assert_equals_prometheus_client(lambda: [MetricGroup("all", (), collector.collect)], collector)  # noqa: B023


def test_page_of_the_daemon_equals_that_of_prometheus_client(state):
    collector = StateCollector(lambda: state)
    assert_equals_prometheus_client(collector.groups, collector)


def test_page_follows_each_part_of_the_state(state, live, overview):
    current = [state]
    exposition = Exposition(StateCollector(lambda: current[0]).groups, openmetrics=False)
    job = next(iter(state.jobs))
    changes = {
        "live": replace(live, samples_total=live.samples_total + 1),
        "overview": replace(overview, wal_bytes=overview.wal_bytes + 1),
        "jobs": {**state.jobs, job: replace(state.jobs[job], runs=state.jobs[job].runs + 1)},
        "storage": replace(state.storage, samples_dropped=7),
        "anomaly": None,
        "channels": {"mail": ChannelState(pending=3, outcomes={})},
        "reload_failures": 2,
        "host_metrics": False,
    }
    for name, value in changes.items():
        before = exposition.page()
        current[0] = replace(current[0], **{name: value})
        assert exposition.page() != before, name
        assert exposition.page() == generate_latest(StateCollector(lambda: current[0]))


def test_groups_with_the_same_inputs_are_rendered_once():
    inputs = [1.5]
    rendered = []

    def families(value):
        rendered.append(value)
        yield GaugeMetricFamily("monitor_things", "Things.", value=value)

    exposition = Exposition(lambda: [MetricGroup("all", (inputs[0],), families)], openmetrics=False)
    first = exposition.page()
    assert exposition.page() == first
    inputs[0] = 2.5
    assert b"monitor_things 2.5" in exposition.page()
    assert rendered == [1.5, 2.5]


def test_family_with_samples_in_several_groups_has_one_header():
    def families(job):
        yield CounterMetricFamily("monitor_runs", "Runs.", labels=["job"])
        family = CounterMetricFamily("monitor_failures", "Failures.", labels=["job"])
        family.add_metric([job], 1)
        yield family

    page = Exposition(
        lambda: [MetricGroup(job, (job,), families) for job in ("sampling", "retention")], openmetrics=False
    ).page()
    assert page.decode().splitlines() == [
        "# HELP monitor_runs_total Runs.",
        "# TYPE monitor_runs_total counter",
        "# HELP monitor_failures_total Failures.",
        "# TYPE monitor_failures_total counter",
        'monitor_failures_total{job="sampling"} 1.0',
        'monitor_failures_total{job="retention"} 1.0',
    ]
