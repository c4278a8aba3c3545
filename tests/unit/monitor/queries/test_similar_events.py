"""Similar anomaly events."""

from dataclasses import replace

import pytest

from monitor.queries.similar_events import MAX_SIMILAR, cosine_similarity, similar_events
from storage import AnomalyRecord
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

EVENT = AnomalyRecord(NOW, NOW + 60, 0.9, NOW, "joint", {"disk_write": 0.8, "disk_busy": 0.2}, 1, id=9)


def earlier(event_id, contributions):
    return replace(EVENT, id=event_id, started_at=NOW - event_id, contributions=contributions)


def test_cosine_similarity_ignores_the_length_of_the_vectors():
    assert cosine_similarity({"a": 3.0, "b": 4.0}, {"a": 0.6, "b": 0.8}) == pytest.approx(1)
    assert cosine_similarity({"a": 3.0, "b": 4.0}, {"a": 1.0}) == pytest.approx(0.6)
    assert cosine_similarity({"a": 1.0}, {"b": 1.0}) == 0
    assert cosine_similarity({"a": 1.0}, {}) == 0


def test_similar_events_share_their_largest_contributions():
    same = earlier(1, {"disk_write": 0.9, "disk_busy": 0.1})
    other = earlier(2, {"cpu_usage": 1.0})
    half = earlier(3, {"disk_write": 0.5, "memory_usage": 0.5})
    (similar,) = similar_events(EVENT, [same, other, half])
    assert (similar.event, round(similar.similarity, 2)) == (same, 0.99)


def test_similar_events_leave_out_the_event_itself_and_later_events():
    later = replace(EVENT, id=10, started_at=NOW + 3600)
    assert similar_events(EVENT, [later, EVENT]) == ()


def test_similar_events_are_few_and_the_most_similar_first():
    weaker = earlier(50, {"disk_write": 0.7, "disk_busy": 0.3})
    events = [weaker, *(earlier(number, EVENT.contributions) for number in range(20, 20 + MAX_SIMILAR - 1))]
    events.append(earlier(60, {"disk_write": 0.6, "disk_busy": 0.4}))
    ids = [entry.event.id for entry in similar_events(EVENT, events)]
    assert ids == [20, 21, 22, 23, 50]
