"""All sources, by the same rules."""

import math

import pytest

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources import SOURCES, make_sources

from .conftest import values_of

pytestmark = pytest.mark.unit

WITH_RATES = ["cpu", "network", "disk", "pressure"]


@pytest.mark.parametrize("name", SOURCES)
def test_source_values_are_the_fields_of_its_catalogue_rows(name, host):
    (source,) = make_sources([name])
    assert source.name == name
    assert set(host.values(source)) == set(source.fields) == set(fields_of_source(name))


@pytest.mark.parametrize("name", WITH_RATES)
def test_source_without_previous_reading_has_no_rates(name, host):
    (source,) = make_sources([name])
    assert source.compute(source.read(), 0.0, math.inf) == dict.fromkeys(source.fields)


@pytest.mark.parametrize("name", WITH_RATES)
def test_source_has_no_positive_rate_after_counters_decreased(name, host):
    (source,) = make_sources([name])
    before, after = host.readings(source)
    values = values_of(source, after, before)
    assert all(value is None or value == 0 for value in values.values())


def test_make_sources_keeps_the_order_of_names():
    assert [source.name for source in make_sources(["swap", "cpu"])] == ["swap", "cpu"]


def test_make_sources_refuses_unknown_name():
    with pytest.raises(KeyError):
        make_sources(["gpu"])
