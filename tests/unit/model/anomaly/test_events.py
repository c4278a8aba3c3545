"""Anomaly events from readings."""

import numpy as np
import pytest

from model.anomaly.events import (
    MAX_UNOBSERVED,
    RELEASE_DELAY,
    AnomalyEvent,
    DetectorReading,
    EventChange,
    EventTracker,
)

pytestmark = pytest.mark.unit

STEP = 60.0


def reading(at, ratio, score=0.5, short_term=1.0, spike=0.0):
    return DetectorReading(
        at=float(at),
        score=score,
        threshold_ratios={"joint": ratio, "spike": spike, "flatline": 0.0},
        short_term_ratio=short_term,
        contributions=np.array([0.25, 0.75]),
    )


@pytest.fixture
def tracker():
    return EventTracker(("a", "b"), STEP)


def update(tracker, *readings, may_start=True):
    """Return the changes of all readings."""
    transitions = [t for item in readings for t in tracker.update(item, may_start=may_start)]
    return [transition.change for transition in transitions]


def end_event(tracker, ratio=2.5):
    """Start an event and let it end while the averages keep a ratio; return the time of its last reading."""
    last = RELEASE_DELAY + STEP
    quiet = [reading(at, ratio, short_term=0.5) for at in np.arange(STEP, last + STEP, STEP)]
    assert update(tracker, reading(0, 3.0), *quiet) == [EventChange.STARTED, EventChange.ENDED]
    return last


@pytest.mark.parametrize(("ratio", "short_term"), [(0.99, 1.0), (3.0, 0.9)])
def test_tracker_starts_no_event_below_a_threshold(tracker, ratio, short_term):
    assert update(tracker, reading(0, ratio, short_term=short_term)) == []
    assert tracker.event is None


def test_tracker_starts_event_with_an_alarm(tracker):
    assert update(tracker, reading(60, 1.2, 0.9)) == [EventChange.STARTED]
    assert tracker.event == AnomalyEvent(
        started_at=60.0,
        ended_at=120.0,
        channel="joint",
        peak=0.9,
        peak_at=60.0,
        threshold_ratio=1.2,
        contributions={"b": 0.75, "a": 0.25},
    )
    assert list(tracker.event.contributions) == ["b", "a"]


def test_tracker_starts_no_event_in_a_warm_up(tracker):
    assert update(tracker, reading(0, 3.0), may_start=False) == []


def test_tracker_continues_event_above_the_release_ratio(tracker):
    assert update(tracker, reading(60, 1.2, 0.9), reading(120, 0.8)) == [EventChange.STARTED]
    assert tracker.event.ended_at == 180.0
    assert (tracker.event.peak, tracker.event.peak_at) == (0.9, 60.0)


def test_tracker_updates_peak_with_the_largest_ratio(tracker):
    changes = update(tracker, reading(60, 1.2, 0.9), reading(120, 2.0, np.nan), reading(180, 1.5, 0.99))
    assert changes == [EventChange.STARTED, EventChange.UPDATED]
    assert (tracker.event.peak, tracker.event.peak_at, tracker.event.threshold_ratio) == (0.0, 120.0, 2.0)


def test_tracker_ends_event_after_the_release_delay(tracker):
    update(tracker, reading(0, 1.2))
    for at in np.arange(STEP, RELEASE_DELAY, STEP):
        # The averages outlast their cause.
        assert update(tracker, reading(at, 1.1, short_term=0.5)) == []
    (transition,) = tracker.update(reading(RELEASE_DELAY, 0.5), may_start=True)
    assert transition.change is EventChange.ENDED
    assert transition.event.ended_at == STEP
    assert tracker.event is None


def test_tracker_requires_more_than_the_residual_for_another_event(tracker):
    end = end_event(tracker)
    assert update(tracker, reading(end + 60, 2.4)) == []
    # The residual ratio is now 2.4, and 1.5 times as much starts an event.
    assert update(tracker, reading(end + 120, 3.5)) == []
    assert update(tracker, reading(end + 180, 3.7)) == [EventChange.STARTED]
    assert tracker.event.started_at == end + 180


def test_tracker_starts_event_with_a_channel_without_residual(tracker):
    end = end_event(tracker)
    assert update(tracker, reading(end + 60, 2.3, spike=1.1)) == [EventChange.STARTED]
    assert tracker.event.channel == "spike"


def test_tracker_lowers_the_residual_with_the_readings(tracker):
    end = end_event(tracker)
    changes = update(tracker, reading(end + 60, 1.0, short_term=0.5), reading(end + 120, 1.6))
    assert changes == [EventChange.STARTED]


def test_restore_residual_suppresses_the_averages_of_an_earlier_event(tracker):
    tracker.restore_residual(reading(0, 2.0))
    assert update(tracker, reading(60, 2.9)) == []
    assert update(tracker, reading(120, 3.1)) == [EventChange.STARTED]


@pytest.mark.parametrize("last", [None, reading(0, 0.5)])
def test_restore_residual_without_a_near_alarm_suppresses_nothing(tracker, last):
    tracker.restore_residual(last)
    assert update(tracker, reading(60, 1.0)) == [EventChange.STARTED]


def test_expire_ends_an_unobserved_event_at_its_last_row(tracker):
    update(tracker, reading(0, 1.2))
    assert tracker.expire(STEP + MAX_UNOBSERVED) == []
    (transition,) = tracker.expire(2 * STEP + MAX_UNOBSERVED)
    assert (transition.change, transition.event.ended_at) == (EventChange.ENDED, STEP)
    assert tracker.expire(3 * STEP + MAX_UNOBSERVED) == []


def test_interrupt_ends_event_and_forgets_the_residual(tracker):
    update(tracker, reading(0, 3.0))
    (transition,) = tracker.interrupt(600.0)
    assert (transition.change, transition.event.ended_at) == (EventChange.ENDED, 600.0)
    assert update(tracker, reading(660, 1.0)) == [EventChange.STARTED]


def test_resume_ignores_rows_before_the_start_of_the_event(tracker):
    event = AnomalyEvent(
        started_at=600.0,
        ended_at=600.0,
        channel="spike",
        peak=0.9,
        peak_at=600.0,
        threshold_ratio=1.0,
        contributions={"a": 1.0},
    )
    tracker.resume(event)
    assert update(tracker, reading(540, 5.0), may_start=False) == []
    assert tracker.interrupt(540.0) == []
    assert tracker.event == event
    assert update(tracker, reading(600, 2.0), may_start=False) == [EventChange.UPDATED]
    assert tracker.event.threshold_ratio == 2.0


def test_reading_names_the_channel_nearest_to_an_alarm():
    strongest = reading(0, 0.8, spike=0.9)
    assert (strongest.channel, strongest.threshold_ratio, strongest.is_alarm) == ("spike", 0.9, False)
