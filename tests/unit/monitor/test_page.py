"""The page for people holds the figures of the documents without a script, and text never becomes markup."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from monitor.state import DaemonState
from monitor.web.api import Api, ApiError, encoded
from monitor.web.responses import takes_gzip
from monitor.web.ui.html import el
from monitor.web.ui.page import page, static_file

pytestmark = pytest.mark.unit

SEEN = {
    "id": 7,
    "began_at": 1_800_000_000.0,
    "ended_at": None,
    "channel": "joint",
    "peak": 0.997,
    "shares": {"<b>cpu</b>": 0.9, "disk_busy": 0.1},
    "judgement": None,
}


class Stored:
    """What the database would say."""

    def anomalies(self):
        return [SEEN]


def shown(status, records=None):
    return page(Api(lambda: status, lambda: records), "web-1")


def test_every_part_has_its_figures(status):
    status = replace(status, overview=replace(status.overview, watching=True))
    html = shown(status, Stored())
    for figure in (
        "within 5 min", "70%", "usually 10%; a warning from 60%",  # ahead
        "25.0%", "1 kB/s", "-",  # now
        "goes on", "0.997",  # anomalies
        "120000", "0.400", "4 of 5", "4 min",  # quality
        "Model 3", "abcdef012345", "0.0100",  # serving
        "promoted", "healthy", "3 of 100 steps clipped", "0.weight", "1.0e-03", "12%", "62% of units dead",  # trained
    ):  # fmt: skip
        assert figure in html, figure
    assert 'class="card warning"' in html
    assert "high load is coming" in html


def test_what_is_text_cannot_become_markup(status):
    status = replace(status, overview=replace(status.overview, watching=True))
    html = shown(status, Stored())
    assert "&lt;b&gt;cpu&lt;/b&gt; 90%" in html
    assert "<b>cpu</b>" not in html


def test_before_the_first_sample_it_says_so():
    html = shown(DaemonState("1.2.3", "3.11"))
    assert "not sampling yet" in html
    assert "No sample yet." in html


def test_while_nothing_is_predicted_it_says_why(status):
    waiting = replace(status.overview, model=None, covered=720.0, last_run=None)
    html = shown(replace(status, live=replace(status.live, forecast=None, model_id=None), overview=waiting))
    assert "Nothing is predicted: not enough history: 12 min of the 2 h it needs." in html


def test_a_baseline_that_serves_instead_is_named(status):
    overview = replace(status.overview, instead=((300.0, "calm", "persistence"),))
    forecast = replace(status.live.forecast, served_by=("persistence",))
    html = shown(replace(status, live=replace(status.live, forecast=forecast), overview=overview))
    assert "said by persistence: the model has fallen behind it" in html
    assert "behind: persistence serves instead for 5 min while load is calm" in html


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_inline(status):
    html = shown(status)
    assert "http:" not in html
    assert "https:" not in html
    assert "style=" not in html
    assert "<script>" not in html


@pytest.mark.parametrize("name", ["page.js", "page.css", "uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE"])
def test_its_files_are_in_the_package(name):
    kind, content = static_file(name)
    assert kind.startswith("text/")
    assert len(content) > 1000


@pytest.mark.parametrize("name", ["", "x.js", "../page.py", "page.js/..", "__init__.py"])
def test_no_other_file_is(name):
    assert static_file(name) is None


def test_an_element_keeps_texts_in_their_order():
    node = el("p", "a", el("b", "c"), "d", 1.5, None, class_="x", data_y=True, hidden=False)
    assert ET.tostring(node, encoding="unicode") == '<p class="x" data-y="">a<b>c</b>d1.5</p>'


def test_a_document_never_holds_what_json_does_not_know():
    assert encoded({"a": [float("nan"), 1.5, {"b": float("inf")}]}) == b'{"a": [null, 1.5, {"b": null}]}'


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"range": "x"}, "range=x: range is from 1 min to 30 d"),
        ({"range": "31d"}, "range=31d"),
        ({"points": "5"}, "points=5: points is from 10 to 2000"),
        ({"points": "1e3"}, "points=1e3"),
        ({"points": "1_00"}, "points=1_00"),
        ({"range": "\uff16h"}, "range=\uff16h"),
        ({"rage": "1h"}, "/api/v1/history takes no parameter rage"),
    ],
)
def test_a_query_without_sense_is_refused_by_name(status, query, told):
    with pytest.raises(ApiError, match=told) as raised:
        Api(lambda: status, lambda: None).answer("/api/v1/history", query)
    assert raised.value.code == 400


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("GZIP, br", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("gzipped", False),
        ("identity", False),
    ],
)
def test_who_takes_gzip_is_told_from_who_does_not(accepted, takes):
    assert takes_gzip(accepted) is takes


def test_the_documents_of_a_database_that_is_not_open_are_not_to_be_had(status):
    with pytest.raises(ApiError, match="not open yet") as raised:
        Api(lambda: status, lambda: None).answer("/api/v1/models", {})
    assert raised.value.code == 503
