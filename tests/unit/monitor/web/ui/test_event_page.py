"""Page of an anomaly event: figures, escaping and errors."""

import re
from dataclasses import replace

import pytest

from monitor.documents.anomalies import ExpectationDocument
from monitor.documents.anomalies.actions import ACTIONS_OFF, ActionsDocument
from monitor.web.api import ApiError
from monitor.web.ui.event_page import render_event_page
from storage import StorageError
from tests.unit.monitor.documents.samples import ENDED_DETAILS, IN_PROGRESS_DETAILS

from .html import Page

pytestmark = pytest.mark.unit


class FakeApi:
    """API with one event, or with an error."""

    def __init__(self, result):
        self._result = result

    def anomaly(self, event_id):
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


def page_of(document, actions=ACTIONS_OFF):
    rendered = render_event_page(FakeApi(document), "web-1", "3", actions)
    assert rendered.code == 200
    return Page(rendered.html)


def test_page_shows_actual_and_expected_values():
    rows = page_of(ENDED_DETAILS).rows["values"][1:]
    assert rows[0] == ["cpu_usage", "97.0%", "31.0%", "75%", "20.0% to 42.0%", "25.0%", "06:00"]
    assert rows[1] == ["disk_busy", "-", "-", "24%", "-", "-", "-"]


def test_page_shows_time_evidence_and_verdict():
    text = page_of(ENDED_DETAILS).sections["event"]
    assert "Anomaly 3" in text
    assert "2027-01-15 06:00:00 UTC to 2027-01-15 07:00:00 UTC" in text
    assert "incident at 2027-01-15 07:50:00 UTC" in text
    assert "disk full" in text
    assert "replayed" in text


def test_page_of_an_event_without_a_verdict_names_the_command():
    page = page_of(IN_PROGRESS_DETAILS)
    assert "monitor anomalies ack 4 --as expected" in page.sections["verdict"]
    assert "in progress" in page.sections["event"]


def test_page_has_a_form_with_the_token_only_if_actions_are_permitted():
    actions = ActionsDocument(permitted=True, token="0123abcd")
    permitted = render_event_page(FakeApi(ENDED_DETAILS), "web-1", "3", actions).html
    assert 'method="post" action="/api/v1/anomalies/3"' in permitted
    assert 'name="token" value="0123abcd"' in permitted
    assert ">disk full</textarea>" in permitted
    assert "<form" not in render_event_page(FakeApi(ENDED_DETAILS), "web-1", "3").html


def test_page_escapes_a_note_and_shows_it_without_a_verdict():
    noted = replace(IN_PROGRESS_DETAILS, verdict=None, note="</textarea><script>x</script>")
    actions = ActionsDocument(permitted=True, token="0")
    assert "</textarea><script>x</script>" in page_of(noted, actions).sections["event"]
    assert "<script>" not in render_event_page(FakeApi(noted), "web-1", "4", actions).html


def test_page_names_the_detector_of_the_expected_values():
    other = page_of(ENDED_DETAILS).sections["values"]
    own_detector = ExpectationDocument(model_id=3, detected=True, missing=None, message="")
    own = page_of(replace(ENDED_DETAILS, expectation=own_detector)).sections["values"]
    assert "model 5" in other
    assert "not stored" in other
    assert "model 3" in own
    assert "not stored" not in own


def test_page_without_expected_values_names_the_reason_and_has_no_chart():
    page = page_of(IN_PROGRESS_DETAILS)
    assert IN_PROGRESS_DETAILS.expectation.message in page.sections["values"]
    assert "curves" not in page.sections
    assert page.rows["values"][1][:2] == ["cpu_usage", "-"]


def test_page_draws_actual_expected_and_band_of_each_metric():
    classes = page_of(ENDED_DETAILS).classes
    assert classes.count("event-chart") == 1
    assert (classes.count("actual"), classes.count("expected"), classes.count("band")) == (2, 2, 2)


def test_page_shows_the_processes_when_the_event_began():
    page = page_of(ENDED_DETAILS)
    assert page.rows["processes"][1:] == [
        ["<b>java", "812", "1.88", "1.5 GiB", "0 B/s", "48 MB/s", "java -jar x.jar"],
        ["postgres", "9", "0.25", "128.0 MiB", "-", "-", "-"],
    ]
    assert "135 processes" in page.sections["processes"]
    shown = replace(ENDED_DETAILS.processes, processes=ENDED_DETAILS.processes.processes[1:])
    without = page_of(replace(ENDED_DETAILS, processes=shown))
    assert without.rows["processes"][1:] == [["postgres", "9", "0.25", "128.0 MiB", "-", "-"]]
    assert "processes" not in page_of(IN_PROGRESS_DETAILS).rows


def test_page_links_similar_events():
    page = page_of(ENDED_DETAILS)
    assert "/anomalies/1" in page.links
    (row,) = page.rows["similar"][1:]
    assert row == ["1", "2027-01-14 07:00:00 UTC", "joint", "0.96", "expected", "<backup>"]
    assert "similar" not in page_of(IN_PROGRESS_DETAILS).rows


def test_page_has_no_inline_code_and_loads_only_its_own_files():
    html = render_event_page(FakeApi(replace(ENDED_DETAILS, note="<script>")), "<b>web", "3").html
    assert "<script" not in html
    assert "<b>web" not in html
    assert "style=" not in html
    assert not re.search(r"\son\w+=", html)
    assert all(link.startswith(("/", "#")) for link in Page(html).links)


@pytest.mark.parametrize(
    ("error", "code"),
    [(ApiError(404, "no <event>"), 404), (ApiError(503, "no <event>"), 503), (StorageError("no <event>"), 503)],
)
def test_page_shows_an_error_and_links_the_list(error, code):
    rendered = render_event_page(FakeApi(error), "web-1", "3")
    page = Page(rendered.html)
    assert rendered.code == code
    assert "no <event>" in page.sections["error"]
    assert "/#anomalies" in page.links
