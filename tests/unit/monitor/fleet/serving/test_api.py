"""JSON API of a fleet."""

import pytest

from monitor.fleet.serving.api import FLEET_PATH, HOST_PREFIX, FleetApi
from monitor.web.api import ApiError
from storage import StorageError, open_database
from storage.fleet.records import FleetChange, FleetHost, FleetScore, FleetWarning
from storage.fleet.repository import FleetRepository
from tests.unit.monitor.fleet.fleets import START, running_fleet

pytestmark = pytest.mark.unit


@pytest.fixture
def repository():
    with open_database("sqlite://") as database:
        stored = FleetRepository(database)
        stored.save(
            FleetChange(
                hosts=(FleetHost("web2:9100", START, START),),
                warnings=(FleetWarning("web2:9100", 300.0, START, None, 0.6, 0.6),),
                scores=(FleetScore("web2:9100", 300.0, START, 0, 10, 0, 0, 0, 0, 0.1, 0.2),),
            )
        )
        yield stored


@pytest.fixture
def api(repository):
    return FleetApi(running_fleet().fleet_state, lambda: repository, lambda: START + 60)


def test_fleet_takes_the_parameters_of_the_selection(api):
    document = api.answer(FLEET_PATH, {"filter": "web", "sort": "host"})
    assert [host.host for host in document.hosts] == ["web1:9100", "web2:9100"]


def test_host_has_stored_warnings_and_scores(api):
    document = api.answer(f"{HOST_PREFIX}web2:9100", {})
    assert document.host.host == "web2:9100"
    assert [warning.started_at for warning in document.warnings] == [START]
    assert document.scores[0].brier_skill == 0.5


def test_unknown_host_suggests_a_similar_one(api):
    with pytest.raises(ApiError, match=r"web3:9100; did you mean 'web") as caught:
        api.answer(f"{HOST_PREFIX}web3:9100", {})
    assert caught.value.code == 404


def test_host_is_served_without_the_database():
    def broken():
        raise StorageError("disk")

    class Broken:
        def warnings(self, *_):
            broken()

    for repository in (None, Broken()):
        api = FleetApi(running_fleet().fleet_state, lambda value=repository: value)
        assert api.host("web1:9100").warnings == ()


def test_warnings_need_the_database():
    api = FleetApi(running_fleet().fleet_state, lambda: None)
    with pytest.raises(ApiError) as caught:
        api.answer("/api/v1/warnings", {})
    assert caught.value.code == 503


def test_warnings_are_those_of_all_hosts(api):
    assert [warning.host for warning in api.answer("/api/v1/warnings", {})] == ["web2:9100"]


@pytest.mark.parametrize("path", ["/api/v1/status", f"{HOST_PREFIX}web1:9100", "/api/v1/config"])
def test_other_paths_take_no_parameter(api, path):
    with pytest.raises(ApiError) as caught:
        api.answer(path, {"limit": "1"})
    assert caught.value.code == 400


def test_configuration_is_served(api):
    assert api.answer("/api/v1/config", {}).config["source"]["kind"] == "prometheus"
