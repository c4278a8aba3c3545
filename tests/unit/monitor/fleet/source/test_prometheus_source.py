"""Prometheus source: one step of many hosts, failed fields, limits and statistics."""

import logging

import numpy as np
import pytest

from monitor.config.fleet.fleet_section import FleetSection
from monitor.errors import SourceError
from monitor.fleet.interfaces import HostSource
from monitor.fleet.source.sharding import hashmod
from tests.unit.monitor.fleet.source.fleet_server import fleet_source, vector
from tests.unit.monitor.sampling.history_sources.server import answer, success

pytestmark = pytest.mark.unit

HOSTS = {f"host-{number}": number / 100 for number in range(20)}


def field_of(request):
    return request.query["query"][0].partition("{")[0]


def test_read_has_the_values_of_all_hosts_by_one_query_per_field():
    values = {"cpu": {"b": 0.25, "a": 0.5}, "memory": {"c": 0.75, "a": 0.125}}
    with fleet_source(lambda request: vector(values[field_of(request)])) as (source, requests, _):
        typed: HostSource = source
        sample = typed.read(120.0)
        assert (typed.columns, typed.step) == (("cpu_usage", "memory_usage"), 60.0)
    assert (sample.time, sample.hosts) == (120.0, ("a", "b", "c"))
    np.testing.assert_array_equal(sample.values, [[0.5, 0.125], [0.25, np.nan], [np.nan, 0.75]])
    assert sorted(request.query["query"][0] for request in requests) == ["cpu{}", "memory{}"]
    assert {request.query["time"][0] for request in requests} == {"120"}
    assert {request.method for request in requests} == {"POST"}
    assert {request.query["deny_partial_response"][0] for request in requests} == {"1"}
    assert source.statistics.hosts == 3


def test_number_of_queries_does_not_depend_on_the_number_of_hosts():
    many = {f"host-{number}": 0.5 for number in range(5000)}
    with fleet_source(lambda _: vector(many)) as (source, requests, _):
        assert len(source.read(60.0).hosts) == 5000
        assert len(requests) == 2


def test_failed_field_is_missing_counted_and_logged(caplog):
    def reply(request):
        return answer({"status": "error", "error": "boom"}, 400) if field_of(request) == "cpu" else vector(HOSTS)

    with fleet_source(reply) as (source, _, _), caplog.at_level(logging.WARNING):
        sample = source.read(60.0)
        source.read(120.0)
    assert np.isnan(sample.values[:, 0]).all()
    assert not np.isnan(sample.values[:, 1]).any()
    assert source.statistics.failures == {"cpu_usage": 2}
    assert source.statistics.queries == {"cpu_usage": 2, "memory_usage": 2}
    assert "boom" in source.statistics.errors["cpu_usage"]
    assert "cpu{}" in source.statistics.errors["cpu_usage"]
    assert [record.message for record in caplog.records].count("fleet query failed") == 1


def test_read_fails_if_every_field_fails():
    with fleet_source(lambda _: success({"resultType": "matrix", "result": []})) as (source, _, _):
        with pytest.raises(SourceError, match="cpu_usage: the answer has an unexpected structure"):
            source.read(60.0)
        assert source.statistics.failures == {"cpu_usage": 1, "memory_usage": 1}


def test_overloaded_server_gets_the_query_again_after_its_delay():
    calls = []

    def reply(request):
        calls.append(request)
        return answer({}, 429, **{"Retry-After": "3"}) if len(calls) <= 2 else vector(HOSTS)

    with fleet_source(reply, concurrency=1) as (source, _, delays):
        assert len(source.read(60.0).hosts) == 20
    assert delays == [3.0, 3.0]
    assert source.statistics.failures == {}


def test_server_that_asks_to_wait_beyond_the_step_is_given_up():
    busy = answer({"error": "busy"}, 503, **{"Retry-After": "55"})
    with fleet_source(lambda _: busy) as (source, requests, delays), pytest.raises(SourceError, match="busy"):
        source.read(60.0)
    assert (len(requests), delays) == (2, [])


def test_read_waits_for_the_delay_of_the_step():
    with fleet_source(lambda _: vector(HOSTS), now=lambda: 121.0, delay=5.0) as (source, _, delays):
        source.read(120.0)
        source.read(60.0)
    assert delays == [4.0]


def test_invalid_values_are_missing_and_counted():
    with fleet_source(lambda _: vector({"a": "NaN", "b": "1.5", "c": "0.5", "d": "-Inf"})) as (source, _, _):
        sample = source.read(60.0)
    assert (sample.hosts, sample.values.tolist()) == (("c",), [[0.5, 0.5]])
    assert source.statistics.rejected == {"cpu_usage": 1, "memory_usage": 1}


def test_host_with_several_series_is_missing_and_named(caplog):
    entries = [{"metric": {"instance": host, "job": job}, "value": [0, "0.5"]} for host, job in ("ax", "ay", "bx")]
    document = success({"resultType": "vector", "result": entries})
    with fleet_source(lambda _: document) as (source, _, _), caplog.at_level(logging.WARNING):
        assert source.read(60.0).hosts == ("b",)
    assert source.statistics.duplicates == 2
    assert source.statistics.duplicate_labels == {"a": '{instance="a", job="x"} and {instance="a", job="y"}'}
    assert "duplicate series detected" in caplog.messages


def test_shards_divide_the_hosts():
    samples = []
    for shard in range(3):
        with fleet_source(lambda _: vector(HOSTS), FleetSection(shards=3, shard=shard)) as (source, _, _):
            samples.append(source.read(60.0))
    assert sorted(host for sample in samples for host in sample.hosts) == sorted(HOSTS)
    for shard, sample in enumerate(samples):
        assert {hashmod((host,), 3) for host in sample.hosts} == {shard}
        assert sample.values[:, 0].tolist() == [HOSTS[host] for host in sample.hosts]


def test_too_many_hosts_are_refused():
    with fleet_source(lambda _: vector(HOSTS), max_hosts=19) as (source, _, _):
        with pytest.raises(SourceError, match=r"20 hosts .* source\.max_hosts"):
            source.read(60.0)
        assert source.statistics.queries == {"cpu_usage": 1, "memory_usage": 1}


def test_no_host_is_an_empty_sample():
    with fleet_source(lambda _: vector({})) as (source, _, _):
        sample = source.read(60.0)
    assert (sample.hosts, sample.values.shape) == ((), (0, 2))


def test_partial_answers_are_accepted_on_request_and_counted():
    document = success({"resultType": "vector", "result": []}, isPartial=True, warnings=["store x"])
    with fleet_source(lambda _: document, partial_answers=True) as (source, requests, _):
        source.read(60.0)
        assert "partial_response" not in requests[0].query
    assert (source.statistics.partial, source.statistics.warnings) == (2, 2)
    assert source.statistics.last_warnings == ("store x",)
