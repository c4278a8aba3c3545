"""Host slots: blocks are filled in order, and free positions are used again."""

import pytest

from monitor.fleet.forecasting.host_slots import HostSlots

pytestmark = pytest.mark.unit


def test_slots_fill_blocks_in_order():
    slots = HostSlots(2)
    assert [slots.add(host) for host in "abc"] == [(0, 0), (0, 1), (1, 0)]
    assert slots["c"] == (1, 0)
    assert slots.hosts == ("a", "b", "c")


def test_slots_use_the_lowest_free_position_again():
    slots = HostSlots(2)
    for host in "abcd":
        slots.add(host)
    assert slots.remove("c") == (1, 0)
    assert slots.remove("b") == (0, 1)
    assert slots.remove("b") is None
    assert "b" not in slots
    assert [slots.add("e"), slots.add("f")] == [(0, 1), (1, 0)]
    assert len(slots) == 4
