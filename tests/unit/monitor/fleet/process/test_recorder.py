"""Fleet recorder: changes that wait for the database."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from monitor.fleet.process.recorder import FleetRecorder, FleetStorageJob, channels_of, delete_old
from monitor.stores import stores_of
from storage import StorageError, open_database
from storage.fleet.records import FleetChange, FleetHost, FleetScore, FleetWarning
from storage.fleet.repository import FleetRepository
from tests.unit.monitor.fleet.fleets import START, STEP, fleet_config, running_fleet

pytestmark = pytest.mark.unit

SCORE = FleetScore("a", 300.0, 0.0, 1, 60, 3, 2, 1, 4, 1.5, 2.5)


class Storage:
    """Database in memory that can be made unavailable."""

    def __init__(self, database):
        self.stores = stores_of(database)
        self.error = None
        self.generation = 1

    def ensure_open(self):
        if self.error:
            raise StorageError(self.error)

    def open_generation(self):
        return None if self.error else self.generation


@pytest.fixture
def storage():
    with open_database("sqlite://") as database:
        yield Storage(database)


@pytest.fixture
def running(storage):
    """A fleet of three hosts with its storage job."""
    fleet = running_fleet()
    recorder = FleetRecorder()
    for change in fleet.changes:
        recorder.add(change)
    fleet.members._record = recorder.add
    states = []
    job = FleetStorageJob(storage, fleet.members, recorder, states.append, fleet.clock)
    repository = FleetRepository(storage.stores.database)
    return SimpleNamespace(fleet=fleet, job=job, states=states, repository=repository, storage=storage)


def test_recorder_returns_nothing_without_a_change():
    recorder = FleetRecorder()
    recorder.add(FleetChange())
    assert recorder.take() is None


def test_recorder_merges_hosts_and_scores():
    recorder = FleetRecorder()
    recorder.add(FleetChange(hosts=(FleetHost("a", 10.0, 20.0),), scores=(SCORE,)))
    recorder.add(FleetChange(hosts=(FleetHost("a", 15.0, 30.0),), scores=(SCORE, replace(SCORE, hour=3600.0))))
    change = recorder.take()
    assert change.hosts == (FleetHost("a", 10.0, 30.0),)
    assert [score.scored for score in change.scores] == [120, 60]


def test_recorder_put_back_keeps_newer_values():
    recorder = FleetRecorder()
    warning = FleetWarning("a", 300.0, 10.0, None, 0.5, 0.5)
    recorder.add(FleetChange(warnings=(warning,), predictions=()))
    old = recorder.take()
    recorder.add(FleetChange(warnings=(replace(warning, ended_at=20.0),)))
    recorder.put_back(old)
    change = recorder.take()
    assert [entry.ended_at for entry in change.warnings] == [20.0]
    assert change.predictions == ()


def test_storage_job_stores_hosts_warnings_and_predictions(running):
    running.job.run()
    running.fleet.step()
    running.job.run()
    assert [host.host for host in running.repository.hosts()] == ["db1:9100", "web1:9100", "web2:9100"]
    assert len(running.repository.active_warnings()) == 2
    assert len(running.repository.predictions()) == 6
    assert running.states[-1].error is None


def test_storage_job_keeps_changes_while_the_database_is_away(running):
    running.storage.error = "disk full"
    with pytest.raises(StorageError):
        running.job.run()
    assert (running.states[-1].error, running.states[-1].failures) == ("disk full", 1)
    running.storage.error = None
    running.job.run()
    assert len(running.repository.hosts()) == 3
    assert running.states[-1].failures == 1


def test_storage_job_ends_warnings_that_only_a_reopened_database_has(running):
    running.job.run()
    other = FleetWarning("web1:9100", 300.0, START - 600, None, 0.5, 0.6)
    running.repository.save(FleetChange(warnings=(other,)))
    running.storage.generation += 1
    running.job.run()
    assert {warning.host for warning in running.repository.active_warnings()} == {"web2:9100"}


def test_predictions_of_many_hosts_are_stored_less_often(storage):
    fleet = running_fleet({f"host{number:04}": 0.1 for number in range(6000)})
    recorder = FleetRecorder()
    fleet.members._record = recorder.add
    job = FleetStorageJob(storage, fleet.members, recorder, lambda _: None, fleet.clock)
    stored = []
    for _ in range(5):
        job.run()
        fleet.step()
        change = recorder.take()
        stored.append(change is not None and change.predictions is not None)
    assert stored == [True, False, True, False, True]


def test_delete_old_merges_and_purges(storage):
    repository = FleetRepository(storage.stores.database)
    day = 86400.0
    host = FleetHost("a", 0.0, 100 * day)
    scores = tuple(replace(SCORE, hour=hour) for hour in (0.0, 50 * day, 50 * day + 3600))
    repository.save(FleetChange(hosts=(host,), scores=scores))
    delete_old(storage, 90 * day, 100 * day)
    (total,) = repository.scores(0.0)
    assert (total.hour, total.scored) == (50 * day, 120)
    assert repository.scores(50 * day + 1) == []


def test_restart_continues_the_stored_warnings(running):
    running.job.run()
    stored = running.repository.active_warnings()
    again = running_fleet(active=tuple(stored))
    assert again.warnings == []
    assert [warning.started_at for warning in again.members.active_warnings] == [START, START]
    again.step()
    assert again.members.table.time == START + STEP


def test_stored_channels_lack_while_the_database_is_away(storage):
    notify = fleet_config(notify={"channels": {"ops": {"kind": "command", "argv": ["true"]}}}).notify
    assert [channel.health.channel for channel in channels_of(storage, notify)] == ["ops"]
    storage.error = "away"
    assert channels_of(storage, notify) == ()
