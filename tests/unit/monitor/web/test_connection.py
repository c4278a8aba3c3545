"""Tests of monitor.web.connection."""

import pytest

from monitor.web.connection import _call_wsgi, _origin_form

from .wsgi import hello

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://localhost/metrics", "/metrics"),
        ("https://localhost:1/api?range=1h", "/api?range=1h"),
        ("http://localhost", "/"),
        ("ftp://localhost/x", "ftp://localhost/x"),
        ("*", "*"),
    ],
)
def test_origin_form_keeps_path_and_query(target, path):
    assert _origin_form(target) == path


def test_call_wsgi_collects_the_response():
    response = _call_wsgi(hello, {})
    assert (response.status, response.body) == ("200 OK", b"hello")
    assert response.headers == [("Content-Type", "text/plain")]


def test_call_wsgi_collects_written_and_returned_bytes():
    def application(environ, start_response):
        start_response("200 OK", [])(b"first ")
        return [b"second"]

    assert _call_wsgi(application, {}).body == b"first second"


def test_call_wsgi_keeps_the_close_method_of_the_body():
    closed = []

    class Body(list):
        def close(self):
            closed.append(True)

    def application(environ, start_response):
        start_response("200 OK", [])
        return Body([b"x"])

    response = _call_wsgi(application, {})
    assert closed == []
    response.on_sent()
    assert closed == [True]
