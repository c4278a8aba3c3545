"""History loader: hosts that wait for their histories."""

import pytest

from monitor.fleet.process.history_loader import LOADED_HOSTS, HistoryLoader
from tests.unit.monitor.fleet.fleets import START, FakeSource, Fleet, sample

pytestmark = pytest.mark.unit


@pytest.fixture
def fleet():
    return Fleet(FakeSource({"a": 0.1, "b": 0.2}))


def test_hosts_are_queued_once(fleet):
    loader = HistoryLoader(fleet.source, fleet.members, 3600.0)
    loader.queue_new(sample(START, {"a": 0.1}))
    loader.queue_new(sample(START, {"a": 0.1, "b": 0.2}))
    assert loader.waiting == 2


def test_load_part_follows_hosts(fleet):
    loader = HistoryLoader(fleet.source, fleet.members, 3600.0)
    taken = sample(START, fleet.source.loads)
    loader.queue_new(taken)
    assert loader.load_part(START)
    assert fleet.source.history_calls == [(("a", "b"), START - 3600, START)]
    assert fleet.members.followed == {"a", "b"}
    assert loader.waiting == 0


def test_failed_part_is_queued_again(fleet):
    loader = HistoryLoader(fleet.source, fleet.members, 3600.0)
    taken = sample(START, fleet.source.loads)
    loader.queue_new(taken)
    fleet.source.history_error = "no answer"
    assert not loader.load_part(START)
    assert loader.waiting == 2
    assert LOADED_HOSTS > 2
