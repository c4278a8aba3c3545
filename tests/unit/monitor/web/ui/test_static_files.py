"""Tests of monitor.web.ui.static_files."""

import pytest

from monitor.web.ui.static_files import read_static_file, static_url

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("live.js", "text/javascript; charset=utf-8"),
        ("charts.js", "text/javascript; charset=utf-8"),
        ("uPlot.iife.min.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("uPlot.min.css", "text/css; charset=utf-8"),
        ("uPlot.LICENSE", "text/plain; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_static_files_are_in_the_package(name, content_type):
    file = read_static_file(name)
    assert file.content_type == content_type
    assert file.content


@pytest.mark.parametrize("name", ["", "missing.js", "../application.py", "live.js/..", "__init__.py"])
def test_other_files_are_not_served(name):
    assert read_static_file(name) is None


def test_static_url_contains_a_hash_of_the_content():
    assert static_url("live.js").startswith("/static/live.js?v=")
    assert static_url("live.js").split("?")[1] != static_url("page.css").split("?")[1]


def test_static_url_of_a_missing_file_is_an_error():
    with pytest.raises(FileNotFoundError):
        static_url("missing.js")
