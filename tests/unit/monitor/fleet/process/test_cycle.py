"""Fleet cycle: steps, failures of the source, missed steps, new and expired hosts."""

import numpy as np
import pytest

from tests.unit.monitor.fleet.fleets import START, STEP, running_fleet

pytestmark = pytest.mark.unit

HOSTS = ("db1:9100", "web1:9100", "web2:9100")


def test_first_run_reads_histories_and_predicts():
    fleet = running_fleet()
    assert fleet.source.read_times == [START]
    assert fleet.source.history_calls == [(HOSTS, START - 86400, START)]
    assert fleet.forecaster.histories == dict.fromkeys(HOSTS, 20)
    assert fleet.members.table.predicted(STEP).all()
    assert fleet.state.pending_hosts == 0


def test_run_takes_one_sample_per_step():
    fleet = running_fleet()
    fleet.run()
    fleet.clock.now += STEP - 1
    fleet.run()
    assert fleet.source.read_times == [START]
    fleet.clock.now += 1
    fleet.run()
    assert fleet.source.read_times == [START, START + STEP]


def test_delay_postpones_a_step():
    fleet = running_fleet()
    fleet.clock.now = START + STEP + 4
    fleet.run()
    assert fleet.source.read_times == [START]


def test_failed_source_is_in_the_state_until_it_recovers():
    fleet = running_fleet()
    fleet.source.error = "no answer"
    fleet.step(2)
    assert (fleet.state.source_error, fleet.state.source_errors) == ("no answer", 2)
    assert fleet.state.failing_since == START + STEP + 5
    fleet.source.error = None
    fleet.step()
    assert (fleet.state.source_error, fleet.state.failing_since) == (None, None)


def test_missed_steps_are_filled_by_range_queries():
    fleet = running_fleet()
    fleet.source.error = "no answer"
    fleet.step(3)
    fleet.source.error = None
    fleet.forecaster.samples.clear()
    fleet.step()
    assert fleet.source.history_calls[-1] == (HOSTS, START + STEP, START + 4 * STEP)
    assert [sample.time for sample in fleet.forecaster.samples] == [START + number * STEP for number in (1, 2, 3, 4)]
    assert (fleet.state.filled_steps, fleet.state.lost_steps) == (3, 0)


def test_missed_steps_are_given_up_after_three_failures():
    fleet = running_fleet()
    fleet.source.error = "no answer"
    fleet.step()
    fleet.source.error = None
    fleet.source.history_error = "too many points"
    fleet.step(2)
    assert fleet.members.table.time == START
    fleet.step()
    assert fleet.members.table.time == START + 4 * STEP
    assert fleet.state.lost_steps == 3


def test_long_absence_reads_the_histories_again():
    fleet = running_fleet(expire_after=1e6)
    fleet.clock.now += 500 * STEP
    fleet.run()
    assert fleet.source.history_calls[-1] == (HOSTS, START + 500 * STEP - 86400, START + 500 * STEP)
    assert fleet.state.filled_steps == 0
    assert fleet.members.table.predicted(STEP).all()


def test_new_host_is_predicted_with_the_next_step():
    fleet = running_fleet()
    fleet.source.loads["new"] = 0.3
    fleet.step()
    assert fleet.source.history_calls[-1] == (("new",), START + 2 * STEP - 86400, START + 2 * STEP)
    fleet.step()
    table = fleet.members.table
    assert table.probabilities[table.rows["new"], 0] == 0.3


def test_host_without_history_is_followed_after_three_failures():
    fleet = running_fleet()
    fleet.source.loads["new"] = 0.3
    fleet.source.history_error = "no answer"
    fleet.step(2)
    assert "new" not in fleet.members.followed
    assert fleet.state.pending_hosts == 1
    fleet.step()
    assert fleet.forecaster.histories["new"] == 0
    fleet.step()
    assert "new" in fleet.members.table.hosts


def test_host_becomes_stale_and_expires():
    fleet = running_fleet()
    del fleet.source.loads["web1:9100"]
    fleet.step(3)
    table = fleet.members.table
    assert [table.hosts[row] for row in table.stale(STEP).nonzero()[0]] == ["web1:9100"]
    fleet.step(8)
    assert set(fleet.members.table.hosts) == {"db1:9100", "web2:9100"}
    assert set(fleet.forecaster.histories) == {"db1:9100", "web2:9100"}


def test_histories_are_read_in_parts():
    loads = {f"host{number:04}": 0.1 for number in range(450)}
    fleet = running_fleet(loads)
    assert [len(hosts) for hosts, _, _ in fleet.source.history_calls] == [200, 200, 50]
    assert np.isfinite(fleet.members.table.probabilities).all()


def test_slow_histories_wait_for_the_next_step(monkeypatch):
    loads = {f"host{number:04}": 0.1 for number in range(450)}
    fleet = running_fleet({})
    fleet.source.loads.update(loads)
    history = fleet.source.history

    def slow(*arguments):
        fleet.clock.now += 50
        return history(*arguments)

    monkeypatch.setattr(fleet.source, "history", slow)
    fleet.step()
    assert len(fleet.members.table.hosts) == 200
    assert fleet.state.pending_hosts == 50
    fleet.step()
    assert len(fleet.members.table.hosts) == 400
