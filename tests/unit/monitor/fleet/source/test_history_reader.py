"""History reader: chunks, limits of the server, batches, resumption."""

import numpy as np
import pytest

from monitor.errors import SourceError
from monitor.fleet.source.history_reader import MAX_VALUES
from monitor.sampling.history_sources.prometheus_api import MAX_POINTS
from tests.unit.monitor.fleet.source.fleet_server import fleet_source, matrix
from tests.unit.monitor.sampling.history_sources.server import answer, success

pytestmark = pytest.mark.unit


def points_of(request):
    start, end, step = (int(request.query[name][0]) for name in ("start", "end", "step"))
    return (end - start) // step + 1


def hosts_of(request):
    return request.query["query"][0].partition('~"')[2].partition('"')[0].split("|")


def joined(parts):
    """Return the times of each host; the parts must be in order."""
    times = {}
    for part in parts:
        known = times.setdefault(part.host, np.empty(0))
        assert len(part.times) > 0
        assert not len(known) or part.times[0] > known[-1]
        times[part.host] = np.concatenate([known, part.times])
    return times


def test_history_is_read_in_chunks_below_the_limit_of_points():
    with fleet_source(lambda request: matrix(request, ["a"])) as (source, requests, _):
        times = joined(source.history(["a"], 90.0, 25_000 * 60.0 + 1))
    assert np.array_equal(times["a"], 60.0 * np.arange(2, 25_001))
    assert max(map(points_of, requests)) == MAX_POINTS
    assert len(requests) == 2 * 3


def test_values_are_those_of_the_times():
    with fleet_source(lambda request: matrix(request, ["a"])) as (source, _, _):
        (part,) = source.history(["a"], 0.0, 600.0)
    assert part.times.tolist() == [60.0 * row for row in range(10)]
    np.testing.assert_allclose(part.values, np.repeat(part.times[:, None] / 1e5, 2, axis=1))


def test_many_hosts_are_read_in_batches_with_bounded_answers():
    hosts = [f"host{number}" for number in range(250)]
    with fleet_source(lambda request: matrix(request, hosts_of(request))) as (source, requests, _):
        times = joined(source.history(hosts, 0.0, 3000 * 60.0))
    assert set(times) == set(hosts)
    assert {len(column) for column in times.values()} == {3000}
    assert max(points_of(request) * len(hosts_of(request)) for request in requests) <= MAX_VALUES
    assert len(requests) == 2 * 5


def test_expensive_query_is_made_smaller_and_stays_smaller():
    def reply(request):
        is_expensive = points_of(request) * len(hosts_of(request)) > 1000
        return answer({"error": "too many samples"}, 422) if is_expensive else matrix(request, hosts_of(request))

    with fleet_source(reply) as (source, requests, _):
        times = joined(source.history(["a", "b"], 0.0, 4000 * 60.0))
        assert {host: len(column) for host, column in times.items()} == {"a": 4000, "b": 4000}
        refused = [request for request in requests if points_of(request) * 2 > 1000]
        count = len(requests)
        joined(source.history(["a", "b"], 0.0, 400 * 60.0))
        assert len(requests) == count + 2
    assert len(refused) == 2 * 3


def test_batch_that_is_expensive_at_few_points_is_divided():
    def reply(request):
        is_expensive = len(hosts_of(request)) > 3
        return answer({"error": "too many samples"}, 422) if is_expensive else matrix(request, hosts_of(request))

    hosts = [f"host{number}" for number in range(10)]
    with fleet_source(reply) as (source, _, _):
        times = joined(source.history(hosts, 0.0, 600 * 60.0))
    assert {len(column) for column in times.values()} == {600}
    assert set(times) == set(hosts)


def test_query_that_stays_expensive_is_an_error_of_its_field():
    refusal = answer({"error": "too many samples"}, 422)
    with fleet_source(lambda _: refusal) as (source, _, _), pytest.raises(SourceError, match="too many samples"):
        list(source.history(["a"], 0.0, 600 * 60.0))


def test_failed_query_ends_the_history_after_the_parts_before():
    def reply(request):
        fails = int(request.query["start"][0]) > 0 and request.query["query"][0].startswith("memory")
        return answer({"error": "boom"}, 400) if fails else matrix(request, ["a"])

    with fleet_source(reply) as (source, _, _):
        parts = source.history(["a"], 0.0, 15_000 * 60.0)
        first = next(parts)
        assert len(first.times) == MAX_POINTS
        with pytest.raises(SourceError, match=r"memory_usage.*boom"):
            next(parts)


def test_host_without_values_and_unknown_hosts_have_no_part():
    with fleet_source(lambda _: success({"resultType": "matrix", "result": []})) as (source, _, _):
        assert list(source.history(["a", "b\n"], 0.0, 600.0)) == []
        assert list(source.history([], 0.0, 600.0)) == []
        assert list(source.history(["a"], 600.0, 600.0)) == []


def test_rows_without_a_value_are_left_out():
    def reply(request):
        host = {"metric": {"instance": "a"}, "values": [[0, "0.5"], [120, "7"], [180, "0.25"]]}
        return success({"resultType": "matrix", "result": [host] if "cpu" in request.query["query"][0] else []})

    with fleet_source(reply) as (source, _, _):
        (part,) = source.history(["a"], 0.0, 240.0)
    assert part.times.tolist() == [0.0, 180.0]
    np.testing.assert_array_equal(part.values, [[0.5, np.nan], [0.25, np.nan]])
