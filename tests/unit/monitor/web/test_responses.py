"""Tests of monitor.web.responses."""

import pytest

from monitor.web.responses import SECURITY_HEADERS, accepts_gzip, status_line, text_response, with_security_headers

pytestmark = pytest.mark.unit


def values(headers, name):
    return [value for key, value in headers if key.lower() == name.lower()]


def test_status_line_has_the_reason_phrase():
    assert status_line(404) == "404 Not Found"


def test_text_response_states_its_length():
    headers, body = text_response("no recent sample")
    assert values(headers, "Content-Length") == [str(len(body))]
    assert values(headers, "Cache-Control") == ["no-store"]


@pytest.mark.parametrize("header", ["gzip", "GZIP, br", "deflate, gzip;q=0.5", "*"])
def test_accepts_gzip_is_true_where_gzip_is_acceptable(header):
    assert accepts_gzip(header)


@pytest.mark.parametrize("header", ["", "gzip;q=0", "gzip;q=0.0, *", "gzipped", "identity"])
def test_accepts_gzip_is_false_where_gzip_is_not_acceptable(header):
    assert not accepts_gzip(header)


def test_security_headers_are_added_once():
    headers = with_security_headers([("Content-Type", "text/plain")])
    assert len(headers) == 1 + len(SECURITY_HEADERS)
    assert values(headers, "X-Frame-Options") == ["DENY"]


def test_security_headers_yield_to_the_headers_of_the_response():
    headers = with_security_headers([("x-frame-options", "own")])
    assert values(headers, "X-Frame-Options") == ["own"]


def test_configured_headers_replace_the_headers_of_the_response():
    configured = [("X-Frame-Options", "deny"), ("Strict-Transport-Security", "max-age=1")]
    headers = with_security_headers([("x-frame-options", "own")], configured)
    assert values(headers, "X-Frame-Options") == ["deny"]
    assert values(headers, "Strict-Transport-Security") == ["max-age=1"]
