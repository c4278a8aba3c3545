"""Source examination: counts of hosts, failures and scrape targets of one step."""

from dataclasses import replace

import pytest

from monitor.config.fleet.source_section import SourceSection
from monitor.config.loader import Config
from monitor.errors import SourceError
from monitor.fleet.source.examination import examine_source
from tests.unit.monitor.fleet.source.fleet_server import vector
from tests.unit.monitor.sampling.history_sources.server import answer, scripted_server, success

pytestmark = pytest.mark.unit

TARGETS = [{"metric": {"__name__": "x", "instance": "a", "job": job}, "value": [0, "1"]} for job in "pq"]


def examine(reply, **keys):
    with scripted_server(reply) as server:
        section = SourceSection(kind="prometheus", url=server.url, **keys)
        return examine_source(replace(Config(), source=section), 1e9 + 4), server.requests


def test_last_complete_step_is_read():
    examination, requests = examine(lambda _: vector({"a": 0.5, "b": 0.25}))
    assert (examination.hosts, set(examination.counts.values())) == (2, {2})
    assert len(requests) == len(examination.counts) + 1
    assert {request.query["time"][0] for request in requests} == {str((10**9 - 1) // 60 * 60)}
    assert examination.clock_skew is None


def test_hosts_with_several_targets_have_their_labels():
    def reply(request):
        if " and on (instance) " in request.query["query"][0]:
            return success({"resultType": "vector", "result": TARGETS})
        return vector({"a": 0.5})

    examination, _ = examine(reply)
    assert examination.targets == {"a": ('{instance="a", job="p"}', '{instance="a", job="q"}')}


def test_targets_are_unknown_without_a_preset_or_an_answer():
    own = {"preset": "none", "fields": (("cpu_usage", "cpu{$selector}"),)}
    assert examine(lambda _: vector({"a": 0.5}), **own)[0].targets is None

    def reply(request):
        is_target_query = " and on (instance) " in request.query["query"][0]
        return answer({"status": "error", "error": "no"}, 400) if is_target_query else vector({"a": 0.5})

    assert examine(reply)[0].targets is None


def test_source_without_an_answer_is_an_error():
    with pytest.raises(SourceError):
        examine(lambda _: answer({"error": "no"}, 403))
