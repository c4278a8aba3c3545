"""Section [source]: combinations of keys."""

import tomllib
from pathlib import Path

import pytest

from monitor.config.fleet.source_section import SourceSection
from monitor.config.loader import read_config

pytestmark = pytest.mark.unit

FLEET = '[source]\nkind = "prometheus"\nurl = "http://127.0.0.1:9090"\n'


def keys_of_problems(text):
    return [problem.partition(":")[0] for problem in read_config(tomllib.loads(text))[1]]


def test_default_source_is_this_host():
    assert not SourceSection().is_fleet
    assert SourceSection().problems() == []


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        ("", []),
        ('step = "5m"\ndelay = "2m"', []),
        ('step = "1500ms"', ["source.step"]),
        ('step = "5500ms"', ["source.step"]),
        ('step = "1h"\n[high_load]\nhorizons = ["5m"]', ["high_load.horizons"]),
        ('window = "90s"', []),
        ('window = "30s"', ["source.window"]),
        ('delay = "31s"', ["source.delay"]),
        ("concurrency = 21", ["source.concurrency"]),
        ('preset = "none"', ["source.fields"]),
        ("preset = \"none\"\nfields = { cpu_usage = 'a{$selector}' }", []),
    ],
)
def test_combinations(lines, keys):
    assert keys_of_problems(FLEET + lines) == keys


def test_prometheus_needs_a_url():
    assert keys_of_problems('[source]\nkind = "prometheus"') == ["source.url"]


def test_fleet_does_not_need_the_sources_of_this_host():
    assert keys_of_problems(FLEET + '[sampling]\nsources = ["memory"]\ninterval = "10m"') == []


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:9090", True), ("http://u@[::1]/x", True), ("http://localhost", True), ("http://prom", False)],
)
def test_server_on_this_host_is_local(url, local):
    assert SourceSection(kind="prometheus", url=url).is_local is local
    assert SourceSection(url=url).is_local


def test_window_is_two_steps_unless_set():
    assert SourceSection(step=30.0).rate_window == 60.0
    assert SourceSection(step=30.0, window=45.0).rate_window == 45.0


def test_http_config_file_is_relative_to_the_configuration():
    assert SourceSection().http_config_path(Path("/etc/monitor")) is None
    assert SourceSection(http_config_file="a.yml").http_config_path(Path("/etc/monitor")) == Path(
        "/etc/monitor/a.yml"
    )
