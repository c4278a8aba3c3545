"""The commands `monitor anomalies` and their usage errors."""

import json

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def command(admin):
    admin.fill(10)

    def run(*arguments):
        return admin("anomalies", *arguments)

    return run


def test_list_without_events_succeeds(command):
    code, out, error = command("list")
    assert (code, bool(out), error) == (0, True, "")
    assert json.loads(command("list", "--json")[1]) == []


@pytest.mark.parametrize("action", [("show", "7"), ("ack", "7", "--as", "expected")])
def test_unknown_event_fails_with_its_id(command, action):
    code, _, error = command(*action)
    assert code == 1
    assert "7" in error


def test_maintenance_is_planned_listed_and_ended(command):
    assert json.loads(command("maintenance", "--json")[1]) == []
    code, out, _ = command("maintenance", "--for", "2h", "--note", "disks", "--json")
    window = json.loads(out)
    assert (code, window["ends_at"] - window["starts_at"], window["note"]) == (0, 7200, "disks")
    assert [listed["note"] for listed in json.loads(command("maintenance", "--json")[1])] == ["disks"]
    assert command("maintenance", "--end", str(window["id"]))[0] == 0
    assert json.loads(command("maintenance", "--json")[1]) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("show",),
        ("show", "9" * 20),
        ("ack", "7"),
        ("maintenance", "--from", "2030-01-01"),
        ("maintenance", "3"),
        ("maintenance", "--end", "1", "--for", "2h"),
        ("maintenance", "--for", "1h", "--from", "2020-01-01"),
        ("maintenance", "--note", "x"),
        ("list", "--as", "expected"),
        ("list", "5"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(command, arguments):
    assert command(*arguments)[0] == 2
