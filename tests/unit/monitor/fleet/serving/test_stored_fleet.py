"""Stored fleet: state as of the database."""

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from monitor.fleet.serving.application import FleetApplication
from monitor.fleet.serving.selection import Selection, select_hosts
from monitor.fleet.serving.stored_fleet import (
    read_live_fleet_status,
    read_live_host,
    read_live_hosts,
    read_stored_fleet,
    stored_status,
    stored_table,
)
from storage import open_database
from storage.fleet.records import FleetHost
from storage.fleet.repository import FleetRepository
from tests.unit.monitor.fleet.fleets import START, STEP, fleet_config, running_fleet

pytestmark = pytest.mark.unit


@pytest.fixture
def stored():
    """The stored state of a fleet with three hosts."""
    fleet = running_fleet()
    fleet.members.request_record()
    fleet.step()
    with open_database("sqlite://") as database:
        repository = FleetRepository(database)
        for change in fleet.changes:
            repository.save(change)
        yield read_stored_fleet(repository, fleet_config(), fleet.clock.now)


def test_stored_hosts_have_the_predictions_of_the_running_ones(stored):
    page = select_hosts(stored, Selection())
    assert [(host.host, host.risk, host.high_load) for host in page.hosts] == [
        ("db1:9100", 1.0, True),
        ("web2:9100", pytest.approx(0.65), False),
        ("web1:9100", 0.25, False),
    ]
    assert page.at == START + STEP
    assert page.hosts[1].predictions[0].warning_since == START


def test_stored_status_has_no_source(stored):
    status = stored_status(stored, running=False)
    assert (status.running, status.source, status.started_at) == (False, None, None)
    assert (status.hosts, status.high_load, status.warning) == (3, 1, 1)


def test_table_without_records_is_empty():
    assert stored_table([], []).hosts == ()
    assert stored_table([FleetHost("a", START, START)], []).predicted(STEP).tolist() == [False]


def test_live_status_is_none_without_an_answer():
    config = fleet_config(web={"listen": "127.0.0.1:9"})
    assert read_live_fleet_status(config) is None


def test_stored_predictions_end_with_the_clock():
    fleet = running_fleet()
    fleet.members.record_predictions()
    with open_database("sqlite://") as database:
        repository = FleetRepository(database)
        for change in fleet.changes:
            repository.save(change)
        for seconds, predicted in ((3 * STEP, 3), (5 * STEP, 0)):
            state = read_stored_fleet(repository, fleet_config(), START + seconds)
            status = stored_status(state, running=True)
            assert (status.predicted, status.stale, status.at) == (predicted, 3 - predicted, START)


def test_stored_predictions_may_be_older_if_they_are_stored_less_often():
    hosts = [f"host{number}" for number in range(2000)]
    fleet = running_fleet(dict.fromkeys(hosts, 0.2))
    fleet.members.record_predictions()
    with open_database("sqlite://") as database:
        repository = FleetRepository(database)
        for change in fleet.changes:
            repository.save(change)
        state = read_stored_fleet(repository, fleet_config(), START + 285.0)
        assert stored_status(state, running=True).predicted == 2000
        state = read_stored_fleet(repository, fleet_config(), START + 7 * STEP)
        assert stored_status(state, running=True).predicted == 0


@pytest.fixture
def live():
    """The configuration of a fleet whose process answers."""
    fleet = running_fleet()

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            return

    application = FleetApplication(fleet.fleet_state, clock=fleet.clock)
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield fleet_config(web={"listen": f"127.0.0.1:{server.server_port}"})
    server.shutdown()
    thread.join()
    server.server_close()


def test_live_hosts_are_those_of_the_process(live):
    assert [host.host for host in read_live_hosts(live, 2).hosts] == ["db1:9100", "web2:9100"]
    details = read_live_host(live, "web2:9100")
    assert (details.host.host, details.values["cpu_usage"]) == ("web2:9100", 0.6)
    assert read_live_host(live, "web9:9100") is None
    assert read_live_fleet_status(live).predicted == 3


def test_live_hosts_are_none_without_an_answer():
    config = fleet_config(web={"listen": "127.0.0.1:9"})
    assert read_live_hosts(config, 1) is None
    assert read_live_host(config, "a") is None
