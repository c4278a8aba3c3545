"""Options of the source of a fleet: valid values, refused values, output."""

import tomllib

import pytest

from monitor.config.loader import read_config
from monitor.config.reference import effective_values, to_toml

pytestmark = pytest.mark.unit

SOURCE = """
[source]
kind = "prometheus"
url = "http://monitor@127.0.0.1:9090/prometheus"
selector = '{job="node"}'
headers = { X-Scope-OrgID = "team-a", "X.Key" = "s3cret" }
[source.fields]
cpu_usage = "instance:cpu:ratio{$selector}"
load_per_cpu = "max by (instance) (load{a=\\"b\\",${selector}})"
"""


def problems_of(text):
    return read_config(tomllib.loads(text))[1]


def test_tables_are_read_in_their_order():
    config, problems = read_config(tomllib.loads(SOURCE))
    assert problems == []
    assert config.source.headers == (("X-Scope-OrgID", "team-a"), ("X.Key", "s3cret"))
    assert [name for name, _ in config.source.fields] == ["cpu_usage", "load_per_cpu"]


def test_output_shows_expressions_but_no_header_value():
    config, _ = read_config(tomllib.loads(SOURCE))
    shown = tomllib.loads(to_toml(config))["source"]
    assert shown["fields"] == dict(config.source.fields)
    assert shown["headers"] == {"X-Scope-OrgID": "***", "X.Key": "***"}
    values = effective_values(config)["source"]
    assert values["fields"] == dict(config.source.fields)
    assert values["url"] == "http://***@127.0.0.1:9090/prometheus"
    assert "s3cret" not in str(values)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("url = 5", "source.url"),
        ('url = "localhost:9090"', "source.url"),
        ('url = "http://u:s3cret@h"', "source.url"),
        ("selector = 'job=\"node\"'", "source.selector"),
        ('selector = ["a"]', "source.selector"),
        ('host_label = "a-b"', "source.host_label"),
        ("headers = { Authorization = 's3cret' }", "source.headers"),
        ("headers = { 'a b' = 's3cret' }", "source.headers"),
        ('headers = { X-Key = "s3cret\\nX: y" }', "source.headers"),
        ("headers = { X-Key = 1 }", "source.headers"),
        ("fields = { cpu = 'up{$selector}' }", "source.fields"),
        ("fields = { cpu_usage = 'up' }", "source.fields"),
        ("fields = { cpu_usage = ' ' }", "source.fields"),
        ("fields = 'up'", "source.fields"),
        ('http_config_file = "http://a"', "source.http_config_file"),
    ],
)
def test_invalid_value_is_a_problem_of_its_key(line, key):
    problems = problems_of(f"[source]\n{line}")
    assert [problem.partition(":")[0] for problem in problems] == [key]
    assert "s3cret" not in problems[0]


def test_every_invalid_expression_is_a_problem():
    problems = problems_of("[source.fields]\ncpu_usage = 'up'\nload = 'up{$selector}'")
    assert [problem.split(" ")[0] for problem in problems] == ["source.fields:", "source.fields:"]
    assert len(problems) == 2
