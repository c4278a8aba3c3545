"""Parts of the fleet process that depend on the configuration."""

import pytest

from monitor.fleet.process.parts import FleetFactory, build_parts, same_parts
from tests.unit.monitor.fleet.fleets import FakeForecaster, FakeSource, fleet_config

pytestmark = pytest.mark.unit


def test_build_parts_sends_no_request():
    source = FakeSource({"a": 0.1})
    parts = build_parts(
        fleet_config(),
        FleetFactory(source=lambda _: source, forecaster=lambda *_: FakeForecaster()),
        (),
        lambda _: None,
        lambda _: None,
    )
    assert (source.read_times, source.history_calls) == ([], [])
    assert parts.statistics().queries == {}
    parts.cycle.run()
    assert parts.statistics().queries == {"cpu_usage": 1}


@pytest.mark.parametrize(
    ("sections", "same"),
    [
        ({"log": {"level": "debug"}}, True),
        ({"web": {"listen": "127.0.0.1:1"}}, True),
        ({"source": {"step": "30s"}}, False),
        ({"high_load": {"horizons": ["10m"]}}, False),
        ({"warning": {"precision": 0.5}}, False),
    ],
)
def test_same_parts_depend_on_source_and_forecast(sections, same):
    assert same_parts(fleet_config(), fleet_config(**sections)) is same
