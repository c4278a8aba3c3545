"""Holder of the state: messages to systemd and values that replace each other."""

import pytest

from monitor.fleet.process.holder import FleetStateHolder, max_silence
from monitor.fleet.process.state import CycleState, FleetStorageState
from monitor.fleet.source.statistics import SourceStatistics
from tests.unit.monitor.fleet.fleets import STEP, fleet_config, running_fleet

pytestmark = pytest.mark.unit


class Recorded:
    def __init__(self):
        self.messages = []

    def sampled(self, status):
        self.messages.append(("sampled", status))

    def stalled(self, status):
        self.messages.append(("stalled", status))


@pytest.fixture
def holder():
    made = FleetStateHolder(fleet_config(), Recorded())
    made.use(fleet_config(), running_fleet().members, SourceStatistics)
    return made


def test_each_cycle_resets_the_watchdog_even_without_the_source(holder):
    holder.publish_cycle(CycleState(cycles=1))
    holder.publish_cycle(CycleState(cycles=2, source_error="no answer"))
    holder.publish_cycle(CycleState(cycles=2, pending_hosts=4))
    assert holder._notifier.messages == [
        ("sampled", "3 hosts"),
        ("sampled", "source unavailable, 3 hosts: no answer"),
        ("sampled", "3 hosts, 4 waiting for their histories"),
    ]


def test_hung_job_lets_the_watchdog_restart_the_process(holder):
    holder.read_jobs_from(dict, lambda: True)
    holder.publish_cycle(CycleState(cycles=1))
    assert holder._notifier.messages[0][0] == "stalled"


def test_state_has_the_published_values(holder):
    holder.publish_storage(FleetStorageState(error="disk full", failures=2))
    holder.reload_failed()
    state = holder.state()
    assert (state.statistics, state.storage.error, state.reload_failures) == (SourceStatistics(), "disk full", 1)
    assert len(state.table.hosts) == 3
    holder.reloaded()
    assert holder.state().reload_successful


def test_long_step_allows_a_longer_silence():
    assert (max_silence(10.0), max_silence(300.0)) == (120.0, 900.0)


def test_state_of_a_silent_source_is_stale_by_the_clock():
    fleet = running_fleet()
    holder = FleetStateHolder(fleet_config(), Recorded(), fleet.clock)
    holder.use(fleet_config(), fleet.members, SourceStatistics)
    assert holder.state().table is fleet.members.table
    fleet.clock.now += 5 * STEP
    assert holder.state().table.stale(STEP).all()


def test_failed_step_counts_at_once():
    fleet = running_fleet()
    holder = FleetStateHolder(fleet_config(), Recorded(), fleet.clock)
    holder.use(fleet_config(), fleet.members, SourceStatistics)
    fleet.source.error = "no answer"
    stale = []
    for _ in range(3):
        fleet.step()
        holder.publish_cycle(fleet.state)
        stale.append(bool(holder.state().table.stale(STEP).all()))
    assert stale == [False, False, True]
