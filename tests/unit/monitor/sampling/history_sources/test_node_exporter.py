"""PromQL expressions of the fields; tests/integration/test_import_prometheus.py evaluates them on real servers."""

import pytest

from monitor.sampling.history_sources.node_exporter import REQUIRED_METRICS, NodeExporter, series
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit

EXPRESSIONS = NodeExporter('instance="a"', frozenset({"eth0", "a.b"}), frozenset({"sda"}), 75).expressions()


def test_every_field_has_an_expression_and_its_metrics():
    assert set(EXPRESSIONS) == set(REQUIRED_METRICS) == set(SAMPLE_FIELDS)
    for field, metrics in REQUIRED_METRICS.items():
        assert all(metric in EXPRESSIONS[field] for metric in metrics)


def test_every_selector_matches_the_host_only():
    for expression in EXPRESSIONS.values():
        assert expression.count("{") == expression.count('instance="a"')
        assert expression.count("[75s]") == expression.count("rate(") + expression.count("last_over_time(")


def test_device_names_are_escaped():
    assert r'device=~"a\\.b|eth0"' in EXPRESSIONS["network_receive"]


def test_selector_leaves_out_empty_matchers():
    assert series("up", "", 'a="b"') == 'up{a="b"}'
