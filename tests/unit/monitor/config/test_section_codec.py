"""Tests of monitor.config.section_codec."""

from dataclasses import dataclass

import pytest

from monitor.config.options import integer, string
from monitor.config.section_codec import format_section, read_section

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Example:
    layers: int = integer(2, "Number of layers.", minimum=1)
    name: str = string("", "Name.", pattern="[a-z]*", example="abc", default_text="the name of the host")


def test_read_section_keeps_the_default_of_a_missing_key():
    assert read_section(Example, {"name": "x"}, "net") == (Example(layers=2, name="x"), [])


def test_read_section_collects_every_problem_with_its_path():
    section, problems = read_section(Example, {"layrs": 1, "layers": 0, "name": "X"}, "net")
    assert section == Example()
    assert [problem.partition(":")[0] for problem in problems] == ["net.layrs", "net.layers", "net.name"]
    assert "'layers'" in problems[0]


def test_read_section_rejects_a_value_that_is_no_table():
    assert read_section(Example, 3, "net") == (Example(), ["net: must be a table"])


def test_format_section_writes_the_values_alone_or_with_comments():
    assert format_section(Example(layers=3), "net", comments=False) == '[net]\nlayers = 3\nname = ""'
    assert format_section(Example(), "net", comments=True).splitlines() == [
        "[net]",
        "",
        "# Number of layers. Allowed: a whole number, at least 1. Default: 2.",
        "layers = 2",
        "",
        "# Name. Allowed: a string. Default: the name of the host.",
        'name = ""',
    ]
