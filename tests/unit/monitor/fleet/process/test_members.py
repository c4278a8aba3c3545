"""Members of a fleet: forecasts, warnings and records of followed hosts."""

import pytest

from tests.unit.monitor.fleet.fleets import HORIZONS, START, STEP, running_fleet, sample

pytestmark = pytest.mark.unit


def test_samples_of_hosts_that_are_not_followed_are_left_out():
    fleet = running_fleet()
    fleet.forecaster.samples.clear()
    fleet.members.advance(sample(START + STEP, {"other": 0.5, "web1:9100": 0.3}))
    assert [taken.hosts for taken in fleet.forecaster.samples] == [("web1:9100",)]


def test_new_hosts_and_warnings_are_recorded():
    fleet = running_fleet()
    seen = {host.host for change in fleet.changes for host in change.hosts}
    assert seen == {"db1:9100", "web1:9100", "web2:9100"}
    assert [(warning.host, warning.horizon) for warning in fleet.warnings] == [
        ("web2:9100", horizon) for horizon in HORIZONS
    ]


def test_late_step_changes_no_warning():
    fleet = running_fleet()
    fleet.changes.clear()
    fleet.members.advance(sample(START + STEP, {"web1:9100": 0.7}), live=False)
    assert fleet.changes == []
    assert ("web1:9100", 300.0) not in {(warning.host, warning.horizon) for warning in fleet.members.active_warnings}


def test_predictions_are_recorded_on_request():
    fleet = running_fleet()
    fleet.members.request_record()
    fleet.step()
    stored = [change.predictions for change in fleet.changes if change.predictions is not None]
    assert len(stored) == 1
    predictions = {(entry.host, entry.horizon): entry for entry in stored[0]}
    assert predictions["web1:9100", 300.0].probability == 0.2
    assert predictions["web1:9100", 300.0].at == START + STEP
    assert predictions["db1:9100", 300.0].high
    fleet.step()
    assert len([change for change in fleet.changes if change.predictions is not None]) == 1


def test_scores_of_an_expired_host_are_recorded():
    fleet = running_fleet()
    fleet.step(8)
    fleet.source.loads.pop("web1:9100")
    fleet.step(12)
    scores = [score for change in fleet.changes for score in change.scores]
    assert {score.host for score in scores} == {"db1:9100", "web1:9100", "web2:9100"}


def test_expired_host_ends_its_warnings():
    fleet = running_fleet()
    fleet.source.loads.pop("web2:9100")
    fleet.step(11)
    ended = [warning for warning in fleet.warnings if warning.ended_at is not None]
    assert {(warning.host, warning.ended_at) for warning in ended} == {("web2:9100", START + 11 * STEP)}


def test_restart_keeps_the_table():
    fleet = running_fleet()
    fleet.members.restart()
    assert fleet.members.followed == frozenset()
    assert fleet.forecaster.histories == {}
    assert len(fleet.members.table.hosts) == 3


def test_late_step_is_marked_until_the_next_live_one():
    fleet = running_fleet()
    fleet.members.advance(sample(START + STEP, {"web1:9100": 0.7}), live=False)
    assert fleet.members.table.filled
    fleet.members.advance(sample(START + 2 * STEP, {"web1:9100": 0.7}))
    assert not fleet.members.table.filled
