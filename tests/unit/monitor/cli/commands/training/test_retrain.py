"""`monitor retrain`."""

import time

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.errors import LockedError, MonitorError, NotEnoughDataError, RefusedError
from monitor.training import retrain
from monitor.training.retrain import Request, RetrainResult
from storage import TrainingOutcome

pytestmark = pytest.mark.unit


@pytest.fixture
def requests(run, monkeypatch):
    """Replace the training; return the list of its requests, and the result to give as `.result`."""

    class Requests(list):
        result = RetrainResult(outcome=TrainingOutcome.PROMOTED, reason="", model_id=3, report=None, error=None)

    received = Requests()

    def train(stores, config, request, on_epoch):
        received.append(request)
        return received.result

    run.add_samples(time.time())
    monkeypatch.setattr(retrain, "retrain", train)
    return received


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        ([], Request(None, False, False)),
        (["--since", "7d", "--dry-run"], Request(7 * 86400.0, True, False)),
        (["--force"], Request(None, False, True)),
    ],
)
def test_retrain_passes_its_options(run, requests, arguments, request_):
    assert run("retrain", *arguments).code == ExitCode.DONE
    assert requests == [request_]


def test_retrain_prints_the_document(run, requests):
    result = run("retrain", "--dry-run", "--json")
    expected = {"outcome": "promoted", "reason": "", "model_id": 3, "dry_run": True, "report": None}
    assert {key: result.document[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("outcome", "error", "code"),
    [
        (TrainingOutcome.REFUSED, RefusedError("gate"), ExitCode.REFUSED),
        (TrainingOutcome.SKIPPED, NotEnoughDataError("short"), ExitCode.NOT_ENOUGH_DATA),
        (TrainingOutcome.FAILED, MonitorError("diverged"), ExitCode.FAILED),
    ],
)
def test_retrain_exit_code_follows_the_error_of_the_result(run, requests, outcome, error, code):
    requests.result = RetrainResult(outcome=outcome, reason=str(error), model_id=None, report=None, error=error)
    result = run("retrain", "--json")
    assert (result.code, result.errors) == (code, f"monitor: {error}\n")
    assert result.document["outcome"] == outcome


def test_retrain_exits_with_5_if_another_retraining_holds_the_lock(run, requests, monkeypatch):
    def locked(*_):
        raise LockedError("locked")

    monkeypatch.setattr(retrain, "retrain", locked)
    result = run("retrain", "--json")
    assert (result.code, result.output) == (ExitCode.LOCKED, "")


def test_retrain_rejects_an_empty_period(run, requests):
    assert run("retrain", "--since", "0s").code == ExitCode.USAGE
    assert requests == []
