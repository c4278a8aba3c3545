"""Tests of the exposition formats against prometheus_client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics

from monitor.exporter.exposition import encode_openmetrics, encode_text

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


@given(st.lists(metric_families(), max_size=4))
def test_formats_equal_those_of_prometheus_client(families):
    collector = Families(families)
    assert encode_text(collector) == generate_latest(collector)
    assert encode_openmetrics(collector) == openmetrics.generate_latest(collector, version="1.0.0")


def test_texts_are_kept_for_each_format_and_kind():
    gauge = GaugeMetricFamily("monitor_things", 'quoted "text"', value=1)
    counter = CounterMetricFamily("monitor_things", 'quoted "text"', value=1)
    for family in (gauge, counter, gauge):
        collector = Families([family])
        assert encode_text(collector) == generate_latest(collector)
        assert encode_openmetrics(collector) == openmetrics.generate_latest(collector, version="1.0.0")
