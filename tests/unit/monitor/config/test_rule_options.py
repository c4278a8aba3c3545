"""Option of the high-load rules: what it reads, rejects and writes."""

import tomllib
from dataclasses import dataclass, fields

import pytest

from monitor.config.options import option_of
from monitor.config.rule_options import rules

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Example:
    rules: tuple = rules(((("cpu_usage", 0.85),),), "Rules.")


RULES = option_of(fields(Example)[0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"cpu_usage": 1, "memory_usage": "p95"}], ((("cpu_usage", 1.0), ("memory_usage", "p95")),)),
        ([{"network_receive": 5e6}, {"cpu_usage": 0.5}], ((("network_receive", 5e6),), (("cpu_usage", 0.5),))),
    ],
)
def test_rules_are_read_and_written_back(value, expected):
    assert RULES.read(value) == expected
    assert RULES.read(tomllib.loads(f"key = {RULES.write(expected)}")["key"]) == expected


@pytest.mark.parametrize(
    "value",
    [
        [],
        [{}],
        [{"cpu": 0.8}],
        [{"cpu_usage": 0}],
        [{"cpu_usage": True}],
        [{"cpu_usage": "95"}],
        [{"cpu_usage": 85}],
    ],
)
def test_rules_reject_an_invalid_value(value):
    with pytest.raises(ValueError, match=r"."):
        RULES.read(value)


def test_rules_report_every_invalid_bound_on_a_line():
    with pytest.raises(ValueError, match=r"'cpu' is not a metric.*\n.*memory_usage"):
        RULES.read([{"cpu": 1}, {"memory_usage": 7}])
