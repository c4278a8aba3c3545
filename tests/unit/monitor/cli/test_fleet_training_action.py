"""`monitor retrain --all` and `--host`: calls, report and exit codes."""

import json

import pytest

from model.training.fleet.pooling import PoolComparison
from monitor.cli.exit_codes import ExitCode
from monitor.fleet.training import retrain
from monitor.fleet.training.retrain import FleetRetraining

pytestmark = pytest.mark.unit

COMPARISON = PoolComparison(
    hosts=7,
    brier=0.05,
    shipped_brier=0.06,
    brier_error=0.01,
    precision=0.5,
    shipped_precision=float("nan"),
    precision_error=float("inf"),
)


@pytest.fixture
def trainings(run, monkeypatch, tmp_path):
    """Replace the training; return the list of its hosts, and the result to give as `.result`."""
    with run.config.open("a") as file:
        file.write('\n[source]\nkind = "prometheus"\nurl = "http://127.0.0.1:1"\n')

    class Trainings(list):
        result = FleetRetraining(
            pooled=COMPARISON, pooled_accepted=True, pooled_hosts=9, trained=2, reasons={"no_high_load": 3}
        )

    received = Trainings()

    def train(config, source, directory, now, hosts, *, history):
        received.append((tuple(hosts), history))
        return received.result

    monkeypatch.setattr(retrain, "retrain_fleet", train)
    return received


def test_all_hosts_are_trained(run, trainings):
    result = run("retrain", "--all", "--json")
    assert (result.code, trainings) == (ExitCode.DONE, [((), None)])
    document = json.loads(result.output)
    assert (document["trained"], document["refused"]) == (2, {"no_high_load": 3})
    assert document["pooled"]["shipped_precision"] is None


def test_named_hosts_are_trained_on_the_given_history(run, trainings):
    run("retrain", "--host", "a", "--host", "b", "--since", "7d")
    assert trainings == [(("a", "b"), 7 * 86400.0)]


def test_retraining_without_a_promoted_model_is_refused(run, trainings):
    trainings.result = FleetRetraining(
        pooled=None, pooled_accepted=False, pooled_hosts=0, trained=0, reasons={"low_skill": 1}
    )
    result = run("retrain", "--host", "a")
    assert result.code == ExitCode.REFUSED
    assert "low_skill: 1" in result.output


@pytest.mark.parametrize("arguments", [(), ("--all", "--host", "a"), ("--all", "--dry-run"), ("--all", "--force")])
def test_fleet_needs_all_or_hosts(run, trainings, arguments):
    assert run("retrain", *arguments).code == ExitCode.USAGE
    assert trainings == []


def test_single_host_has_no_hosts_to_choose(run):
    assert run("retrain", "--all").code == ExitCode.USAGE
