"""Field queries: columns and expressions of presets and own expressions."""

import pytest

from monitor.config.fleet.source_section import PRESETS as PRESET_NAMES
from monitor.config.fleet.source_section import SourceSection
from monitor.fleet.source.field_queries import FieldQueries
from monitor.fleet.source.presets import PRESETS
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit


def test_every_preset_of_the_configuration_exists():
    assert tuple(PRESETS) == PRESET_NAMES


@pytest.mark.parametrize(
    ("preset", "missing"),
    [
        ("node_exporter", set()),
        ("monitor", set()),
        ("telegraf", {"network_usage"}),
        (
            "windows_exporter",
            {"cpu_iowait", "cpu_steal", "load_per_cpu", "pressure_cpu", "pressure_memory", "pressure_io"},
        ),
        ("none", set(SAMPLE_FIELDS)),
    ],
)
def test_columns_are_the_fields_of_the_preset_in_order(preset, missing):
    columns = FieldQueries(SourceSection(preset=preset)).columns
    assert columns == tuple(field for field in SAMPLE_FIELDS if field not in missing)


def test_own_expression_replaces_that_of_the_preset_and_has_its_variables():
    own = "rate(a{x='y',$selector}[$__rate_interval]) * $__interval + b{${selector}}[${__interval}]"
    section = SourceSection(selector='{job="node"}', fields=(("cpu_usage", own),), step=30.0)
    queries = FieldQueries(section)
    expected = 'rate(a{x=\'y\',job="node"}[60s]) * 30s + b{job="node"}[30s]'
    assert queries.expressions()["cpu_usage"] == expected
    assert queries.own_fields == {"cpu_usage"}


def test_expressions_of_some_hosts_match_exactly_these():
    section = SourceSection(
        selector='{job="node"}', host_label="host", preset="none", fields=(("cpu_usage", "a{$selector}"),)
    )
    expressions = FieldQueries(section).expressions(["web.1", 'we"b|2'])
    assert expressions == {"cpu_usage": 'a{host=~"we\\"b\\\\|2|web\\\\.1",job="node"}'}


@pytest.mark.parametrize("preset", ["node_exporter", "windows_exporter", "telegraf", "monitor"])
def test_every_expression_aggregates_by_host_and_has_the_matchers_in_each_selector(preset):
    section = SourceSection(selector='{job="node"}', host_label="host", preset=preset)
    for expression in FieldQueries(section).expressions(["web1"]).values():
        assert expression.startswith("max by (host) (")
        assert expression.count("{") == expression.count('host=~"web1",job="node"')
        assert len(expression) < 4096
