"""Fleet repository: hosts, predictions, warnings and totals of one fleet process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import Database
from storage.fleet.records import FleetChange, FleetHost, FleetScore, FleetWarning, HostPrediction
from storage.fleet.repository import FleetRepository

pytestmark = pytest.mark.unit

DAY = 86400.0
HOSTS = (FleetHost("web1:9100", 100.0, 160.0), FleetHost("web2:9100", 100.0, 160.0))
WARNING = FleetWarning("web1:9100", 300.0, 120.0, None, 0.6, 0.7)
PREDICTION = HostPrediction("web1:9100", 300.0, 160.0, 0.6, 0.1, 0.5, warning=True, high=False, model="pretrained")
SCORE = FleetScore("web1:9100", 300.0, 0.0, 1, 60, 3, 2, 1, 4, 1.5, 2.5)


@pytest.fixture
def fleet(database: Database) -> FleetRepository:
    repository = FleetRepository(database)
    repository.save(FleetChange(hosts=HOSTS))
    return repository


def test_hosts_keep_their_first_time(fleet: FleetRepository) -> None:
    fleet.save(FleetChange(hosts=(FleetHost("web2:9100", 500.0, 560.0), FleetHost("a", 560.0, 560.0))))
    assert fleet.hosts() == [FleetHost("a", 560.0, 560.0), HOSTS[0], FleetHost("web2:9100", 100.0, 560.0)]


def test_predictions_replace_the_stored_ones(fleet: FleetRepository) -> None:
    newest = replace(PREDICTION, at=220.0, base_rate=None)
    fleet.save(FleetChange(predictions=(PREDICTION, replace(PREDICTION, host="web2:9100"))))
    fleet.save(FleetChange(hosts=HOSTS))
    assert len(fleet.predictions()) == 2
    fleet.save(FleetChange(predictions=(newest,)))
    assert fleet.predictions() == [newest]
    assert fleet.predictions("web2:9100") == []


def test_warning_is_stored_once_and_ends(fleet: FleetRepository) -> None:
    fleet.save(FleetChange(warnings=(WARNING,)))
    fleet.save(FleetChange(warnings=(WARNING,)))
    assert fleet.active_warnings() == [WARNING]
    ended = replace(WARNING, ended_at=400.0, peak=0.9)
    fleet.save(FleetChange(warnings=(ended,)))
    assert fleet.active_warnings() == []
    assert fleet.warnings(0.0) == [ended]
    assert fleet.warnings(121.0) == []


def test_warnings_are_newest_first_and_limited(fleet: FleetRepository) -> None:
    other = replace(WARNING, host="web2:9100", started_at=180.0)
    fleet.save(FleetChange(warnings=(WARNING, other)))
    assert fleet.warnings(0.0) == [other, WARNING]
    assert fleet.warnings(0.0, limit=1) == [other]
    assert fleet.warnings(0.0, host="web1:9100") == [WARNING]


def test_records_of_unknown_hosts_are_left_out(fleet: FleetRepository) -> None:
    fleet.save(FleetChange(warnings=(replace(WARNING, host="other"),), predictions=(replace(PREDICTION, host="x"),)))
    assert fleet.warnings(0.0) == []
    assert fleet.predictions() == []


def test_scores_of_the_same_hour_are_added(fleet: FleetRepository) -> None:
    fleet.save(FleetChange(scores=(SCORE,)))
    fleet.save(FleetChange(scores=(SCORE, replace(SCORE, hour=3600.0), replace(SCORE, host="web2:9100"))))
    first, second = fleet.scores(0.0)
    assert first == FleetScore("web1:9100", 300.0, 0.0, 3, 180, 9, 6, 3, 12, 4.5, 7.5)
    assert second == replace(SCORE, host="web2:9100")
    assert fleet.scores(3600.0) == [replace(SCORE, hour=3600.0)]


def test_merge_scores_keeps_the_sums_of_whole_days(fleet: FleetRepository) -> None:
    hours = tuple(replace(SCORE, hour=hour * 3600.0) for hour in (2, 3, 23, 24, 50))
    fleet.save(FleetChange(scores=hours))
    before = fleet.scores(0.0)[0]
    assert fleet.merge_scores(2 * DAY + 3600) == 1
    after = fleet.scores(0.0)[0]
    assert replace(after, hour=before.hour) == before
    assert fleet.merge_scores(2 * DAY + 3600) == 0
    assert fleet.scores(1.0)[0].scored == 120


def test_purge_removes_old_totals_warnings_and_hosts(fleet: FleetRepository) -> None:
    fleet.save(FleetChange(hosts=(replace(HOSTS[0], last_seen=3 * DAY),)))
    ended = replace(WARNING, ended_at=400.0)
    active = replace(WARNING, horizon=900.0)
    scores = (SCORE, replace(SCORE, hour=3 * DAY))
    fleet.save(FleetChange(warnings=(ended, active), scores=scores, predictions=(PREDICTION,)))
    fleet.purge(2 * DAY)
    assert [host.host for host in fleet.hosts()] == ["web1:9100"]
    assert fleet.warnings(0.0) == [active]
    assert fleet.scores(0.0) == [scores[1]]
    fleet.purge(4 * DAY)
    assert (fleet.hosts(), fleet.warnings(0.0), fleet.predictions(), fleet.scores(0.0)) == ([], [], [], [])


def test_fleets_of_two_processes_are_separate(fleet: FleetRepository, database: Database) -> None:
    other = FleetRepository(database, host_id=2)
    other.save(FleetChange(hosts=HOSTS[:1], predictions=(PREDICTION,)))
    fleet.save(FleetChange(predictions=()))
    assert other.predictions() == [PREDICTION]
    assert len(fleet.hosts()) == 2
