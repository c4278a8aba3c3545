"""Pages of a fleet."""

import re

import pytest

from monitor.fleet.serving.api import FleetApi
from monitor.fleet.serving.page import curve_lines, host_path, page_link, render_fleet_page, render_host_page
from monitor.fleet.serving.selection import Selection
from tests.unit.monitor.fleet.fleets import running_fleet

pytestmark = pytest.mark.unit


def links(html):
    return re.findall(r'<td><a href="([^"]+)"', html)


def host_page(state, host):
    return render_host_page(FleetApi(lambda: state, lambda: None), state, host, "server")


def test_page_lists_hosts_by_risk():
    page = render_fleet_page(running_fleet().fleet_state(), {}, "server")
    assert page.code == 200
    assert links(page.html) == ["/fleet/hosts/db1:9100", "/fleet/hosts/web2:9100", "/fleet/hosts/web1:9100"]
    assert len(re.findall(r"<polyline", page.html)) == 3


def test_page_filters_and_divides():
    state = running_fleet({f"web{number}": number / 20 for number in range(10)}).fleet_state()
    page = render_fleet_page(state, {"filter": "web", "limit": "3", "offset": "3"}, "server")
    assert links(page.html) == ["/fleet/hosts/web6", "/fleet/hosts/web5", "/fleet/hosts/web4"]
    assert 'href="/fleet?filter=web&amp;limit=3"' in page.html
    assert 'href="/fleet?filter=web&amp;limit=3&amp;offset=6"' in page.html


def test_invalid_query_has_a_page_with_the_error():
    page = render_fleet_page(running_fleet().fleet_state(), {"limit": "none"}, "server")
    assert page.code == 400
    assert "limit is from 1" in page.html


def test_page_shows_the_failure_of_the_source():
    fleet = running_fleet()
    fleet.source.error = "no <answer>"
    fleet.step()
    page = render_fleet_page(fleet.fleet_state(), {}, "server")
    assert "no &lt;answer&gt;" in page.html


def test_empty_fleet_has_a_page():
    assert render_fleet_page(running_fleet({}).fleet_state(), {}, "server").code == 200


def test_names_are_escaped():
    state = running_fleet({"<script>alert(1)</script>": 0.2}).fleet_state()
    assert "<script>alert" not in render_fleet_page(state, {}, "server").html
    assert "<script>alert" not in host_page(state, "<script>alert(1)</script>").html


def test_host_page_has_predictions_and_sample():
    page = host_page(running_fleet().fleet_state(), "web2:9100")
    assert page.code == 200
    assert page.html.count('class="card warning"') == 2
    assert "<dt>cpu_usage</dt>" in page.html


def test_page_of_a_stale_host_has_no_prediction():
    fleet = running_fleet()
    del fleet.source.loads["web2:9100"]
    fleet.step(3)
    page = host_page(fleet.fleet_state(), "web2:9100")
    assert "No current prediction" in page.html


def test_page_of_an_unknown_host_has_a_suggestion():
    page = host_page(running_fleet().fleet_state(), "web9:9100")
    assert page.code == 404
    assert "did you mean" in page.html


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([], []),
        ([None, float("nan")], []),
        ([0.0, 1.0], ["0,20 1,20 1,0 2,0"]),
        ([0.5, None, 0.25], ["0,10 1,10", "2,15 3,15"]),
    ],
)
def test_curve_lines_are_divided_at_gaps(probabilities, expected):
    assert curve_lines(probabilities) == expected


def test_host_path_quotes_the_name():
    assert host_path("a/b?c:9100") == "/fleet/hosts/a%2Fb%3Fc:9100"


def test_page_link_leaves_out_defaults():
    assert page_link(Selection(), offset=0) == "/fleet"
    assert page_link(Selection(text="a&b"), state="high") == "/fleet?filter=a%26b&state=high"
