"""`monitor anomalies`."""

import time

import pytest

from monitor.cli.exit_codes import ExitCode
from storage import AnomalyRecord, Verdict

pytestmark = pytest.mark.unit

DAY = 86400.0


@pytest.fixture
def event_id(run):
    """Store one event that started two days ago, and return its id."""
    start = time.time() - 2 * DAY
    event = AnomalyRecord(
        started_at=start,
        ended_at=start + 60,
        peak=0.9,
        peak_at=start + 30,
        channel="joint",
        contributions={"cpu_usage": 1.0},
        model_id=1,
    )
    with run.stores() as stores:
        return stores.anomalies.add(event)


@pytest.mark.parametrize("arguments", [["anomalies"], ["anomalies", "list"]])
def test_list_is_the_default(run, event_id, arguments):
    result = run(*arguments, "--json")
    assert result.code == ExitCode.DONE
    assert [event["id"] for event in result.document] == [event_id]


@pytest.mark.parametrize("arguments", [["anomalies", "--since", "1d"], ["anomalies", "list", "--since", "1d"]])
def test_list_covers_the_requested_period(run, event_id, arguments):
    assert run(*arguments, "--json").document == []


def test_since_before_another_subcommand_is_a_usage_error(run, event_id):
    assert run("anomalies", "--since", "1d", "show", event_id).code == ExitCode.USAGE


def test_show_prints_the_event(run, event_id):
    result = run("anomalies", "show", event_id, "--json")
    assert (result.code, result.document["contributions"]) == (ExitCode.DONE, {"cpu_usage": 1.0})
    assert [value["metric"] for value in result.document["values"]] == ["cpu_usage"]
    assert result.document["expectation"]["missing"] == "no_detector"


def test_show_of_an_unknown_event_exits_with_1(run, event_id):
    assert run("anomalies", "show", 7).code == ExitCode.FAILED


@pytest.mark.parametrize("verdict", list(Verdict))
def test_ack_stores_verdict_and_note(run, event_id, verdict):
    result = run("anomalies", "ack", event_id, "--as", verdict, "--note", "a leak", "--json")
    assert (result.code, result.document["verdict"]) == (ExitCode.DONE, verdict)
    with run.stores() as stores:
        event = stores.anomalies.get(event_id)
    assert (event.verdict, event.note) == (verdict, "a leak")


@pytest.mark.parametrize(
    "arguments",
    [["ack", "1"], ["ack", "1", "--as", "maybe"], ["ack"], ["show"], ["show", "x"], ["list", "5"]],
)
def test_incomplete_arguments_are_usage_errors(run, event_id, arguments):
    assert run("anomalies", *arguments).code == ExitCode.USAGE


def test_reports_are_text_by_default(run, event_id):
    for arguments in (
        ["anomalies"],
        ["anomalies", "show", event_id],
        ["anomalies", "ack", event_id, "--as", "incident"],
    ):
        result = run(*arguments)
        assert (result.code, result.errors) == (ExitCode.DONE, "")
        assert str(event_id) in result.output


def test_former_maintenance_spelling_adds_lists_and_ends(run, event_id):
    added = run("anomalies", "maintenance", "--for", "2h", "--note", "disks", "--json")
    assert (added.code, added.document["note"]) == (ExitCode.DONE, "disks")
    assert [window["note"] for window in run("anomalies", "maintenance", "--json").document] == ["disks"]
    assert run("anomalies", "maintenance", "--end", added.document["id"]).code == ExitCode.DONE
    assert run("anomalies", "maintenance", "--json").document == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "2030-01-01"],
        ["--note", "x"],
        ["--end", "1", "--for", "2h"],
        ["--for", "1h", "--from", "2020-01-01"],
    ],
)
def test_former_maintenance_spelling_rejects_contradictions(run, event_id, arguments):
    assert run("anomalies", "maintenance", *arguments).code == ExitCode.USAGE
