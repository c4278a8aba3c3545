"""Commands on a fleet."""

import time

import pytest

from storage.fleet.repository import FleetRepository
from tests.unit.monitor.fleet.fleets import STEP, Clock, running_fleet

pytestmark = pytest.mark.unit

FLEET = '[source]\nkind = "prometheus"\nurl = "http://127.0.0.1:9"\n[web]\nlisten = "127.0.0.1:9"\n'


@pytest.fixture
def fleet_run(run):
    """The runner of commands on a fleet with an empty database."""
    run.config.write_text(f'[storage]\nurl = "sqlite:///{run.database}"\n{FLEET}')
    with run.stores():
        pass
    return run


@pytest.fixture
def fleet(fleet_run):
    """The runner of commands on a database with three hosts."""
    run = fleet_run
    # The newest step of the fleet is that of the clock.
    hosts = running_fleet(clock=Clock(time.time() // STEP * STEP - STEP + 5))
    hosts.members.request_record()
    hosts.step()
    with run.stores() as stores:
        for change in hosts.changes:
            FleetRepository(stores.database).save(change)
    return run


def test_status_counts_hosts_and_reports_that_nothing_runs(fleet):
    result = fleet("status", "--json")
    assert result.code == 3
    assert (result.document["hosts"], result.document["running"], result.document["source"]) == (3, False, None)


def test_predict_lists_hosts_by_risk(fleet):
    result = fleet("predict", "--json")
    assert result.code == 0
    assert [host["host"] for host in result.document["hosts"]] == ["db1:9100", "web2:9100", "web1:9100"]


@pytest.mark.parametrize("command", ["status", "predict", "report", "models"])
def test_unknown_host_is_an_error_with_a_suggestion(fleet, command):
    result = fleet(command, "--host", "web3:9100")
    assert result.code == 2
    assert "there is no host 'web3:9100'; did you mean 'web" in result.errors


@pytest.mark.parametrize("command", ["status", "predict"])
def test_host_has_details(fleet, command):
    result = fleet(command, "--host", "web2:9100", "--json")
    assert (result.document["host"]["host"], result.document["host"]["warning"]) == ("web2:9100", True)


def test_report_has_scores_and_warnings_of_the_fleet(fleet):
    result = fleet("report", "--since", "3650d", "--json")
    assert {warning["host"] for warning in result.document["warnings"]} == {"web2:9100"}
    result = fleet("report", "--since", "3650d", "--host", "web1:9100", "--json")
    assert result.document["warnings"] == []


def test_old_predictions_are_not_printed(fleet_run):
    hosts = running_fleet()
    hosts.members.record_predictions()
    with fleet_run.stores() as stores:
        for change in hosts.changes:
            FleetRepository(stores.database).save(change)
    result = fleet_run("predict")
    assert result.code == 4
    assert "no host has a current prediction: the newest sample is of 2023-11-" in result.errors
    assert fleet_run("predict", "--host", "web1:9100").code == 4
    status = fleet_run("status", "--json").document
    assert (status["predicted"], status["stale"]) == (0, 3)


def test_models_count_hosts(fleet):
    assert fleet("models", "--json").document == {"pretrained": 3}
    assert fleet("models", "list", "--host", "web1:9100", "--json").document == {"pretrained": 1}


def test_predict_without_predictions_is_not_enough_data(fleet_run):
    assert fleet_run("predict").code == 4


@pytest.mark.parametrize(
    "arguments",
    [("anomalies",), ("maintenance",), ("models", "show", "1"), ("export", "-"), ("predict", "--at", "-1h")],
)
def test_commands_of_a_single_host_say_so(fleet_run, arguments):
    result = fleet_run(*arguments)
    assert result.code == 2
    assert "single host" in result.errors
    assert len(result.errors.splitlines()) == 1


@pytest.mark.parametrize("command", ["status", "predict", "report", "models"])
def test_host_option_needs_a_fleet(run, command):
    result = run(command, "--host", "a")
    assert result.code == 2
    assert "--host needs source.kind" in result.errors


def test_status_has_a_line_for_each_channel(fleet):
    with fleet.config.open("a") as file:
        file.write('[notify.channels.ops]\nkind = "command"\nargv = ["true"]\n')
    (channel,) = fleet("status", "--json").document["notifications"]
    assert (channel["channel"], channel["pending"]) == ("ops", 0)
    assert "ops (command): nothing delivered yet" in fleet("status").output
