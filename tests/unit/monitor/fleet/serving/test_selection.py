"""Selection of hosts."""

import pytest

from monitor.fleet.serving.selection import Selection, parse_selection, select_hosts
from monitor.web.api import ApiError
from tests.unit.monitor.fleet.fleets import START, STEP, running_fleet

pytestmark = pytest.mark.unit


@pytest.fixture
def state():
    return running_fleet().fleet_state()


def names(fleet_state, **values):
    return [host.host for host in select_hosts(fleet_state, Selection(**values)).hosts]


def test_hosts_are_ordered_by_risk(state):
    assert names(state) == ["db1:9100", "web2:9100", "web1:9100"]


def test_hosts_with_equal_risk_are_ordered_by_name():
    assert names(running_fleet({"c": 0.5, "a": 0.5, "b": 0.7}).fleet_state()) == ["b", "a", "c"]


def test_filter_ignores_case_and_counts_the_matches(state):
    document = select_hosts(state, Selection(text="WEB", limit=1))
    assert [host.host for host in document.hosts] == ["web2:9100"]
    assert (document.total, document.matched, document.limit) == (3, 2, 1)
    assert (document.at, document.risk_horizon) == (START, 900.0)


def test_pages_follow_each_other(state):
    assert names(state, offset=1, limit=1) == ["web2:9100"]
    assert names(state, offset=5) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("warning", ["db1:9100", "web2:9100"]), ("high", ["db1:9100"]), ("stale", [])],
)
def test_state_selects_hosts(state, name, expected):
    assert names(state, state=name) == expected


def test_stale_host_has_no_prediction_and_comes_last():
    fleet = running_fleet()
    del fleet.source.loads["db1:9100"]
    fleet.step(3)
    document = select_hosts(fleet.fleet_state(), Selection())
    assert [(host.host, host.stale) for host in document.hosts][-1] == ("db1:9100", True)
    assert document.hosts[-1].risk is None
    assert document.hosts[-1].predictions == ()
    assert names(fleet.fleet_state(), state="stale") == ["db1:9100"]
    assert names(fleet.fleet_state(), order="last_seen")[0] == "db1:9100"
    assert document.at == START + 3 * STEP


def test_fleet_without_hosts_has_an_empty_page():
    document = select_hosts(running_fleet({}).fleet_state(), Selection(state="warning", text="a"))
    assert (document.total, document.hosts, document.at) == (0, (), None)


def test_parse_selection_reads_all_parameters():
    query = {"filter": " web ", "state": "high", "sort": "host", "limit": "5", "offset": "10"}
    assert parse_selection(query) == Selection("web", "high", "host", 5, 10)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "1_0"},
        {"limit": "-1"},
        {"offset": "x"},
        {"offset": "9" * 40},
        {"state": "bad"},
        {"sort": "cpu"},
        {"page": "1"},
    ],
)
def test_parse_selection_rejects_invalid_parameters(query):
    with pytest.raises(ApiError) as caught:
        parse_selection(query)
    assert caught.value.code == 400
    assert next(iter(query)) in str(caught.value)
