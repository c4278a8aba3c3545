"""Events as text."""

import pytest

from monitor.notifications import events
from monitor.notifications.events import Change, Event, EventKind, Origin, Severity

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("base_rate", "line"),
    [(0.04, "Probability: 72% within 5m, usually 4%"), (None, "Probability: 72% within 5m")],
)
def test_unknown_base_rate_is_left_out(base_rate, line):
    event = Event(
        key="a/1",
        incident="a",
        kind=EventKind.HIGH_LOAD,
        change=Change.RAISED,
        severity=Severity.WARNING,
        host="a",
        at=1_700_000_000.0,
        started_at=1_700_000_000.0,
        url="http://server",
        title="High load expected",
        horizon=300.0,
        probability=0.72,
        base_rate=base_rate,
    )
    assert event.lines[0] == line


@pytest.mark.parametrize(("is_fleet", "text"), [(True, "of the hosts of this fleet is"), (False, "of this host are")])
def test_test_event_names_what_is_monitored(is_fleet, text):
    event = events.test_event(Origin("server", "http://server"), 1_700_000_000.0, is_fleet=is_fleet)
    assert text in event.text
