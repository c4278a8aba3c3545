"""Host roster: hosts that arrive and expire."""

import numpy as np
import pytest

from monitor.fleet.interfaces import FleetSample
from monitor.fleet.source.host_roster import HostRoster, RosterChange

pytestmark = pytest.mark.unit


def sample(time, *hosts):
    return FleetSample(time, hosts, np.zeros((len(hosts), 1)))


def test_roster_reports_hosts_that_come_and_go():
    roster = HostRoster(120.0)
    assert roster.update(sample(60.0, "a", "b")) == RosterChange(("a", "b"), ())
    assert roster.update(sample(120.0, "b", "c")) == RosterChange(("c",), ())
    assert roster.update(sample(180.0, "b", "c")) == RosterChange((), ())
    assert roster.update(sample(240.0, "b")) == RosterChange((), ("a",))
    assert roster.last_times == {"b": 240.0, "c": 180.0}
    assert roster.update(sample(300.0, "a")) == RosterChange(("a",), ())


def test_roster_starts_with_the_hosts_that_are_followed_already():
    roster = HostRoster(60.0, {"a": 0.0, "b": 240.0})
    assert roster.update(sample(300.0, "b")) == RosterChange((), ("a",))
