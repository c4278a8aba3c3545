"""Tests of monitor.web.responses."""

import gzip

import pytest

from monitor.web.responses import (
    JSON,
    SECURITY_HEADERS,
    TEXT,
    Response,
    accepts_gzip,
    compressed,
    text_response,
    with_security_headers,
)

pytestmark = pytest.mark.unit


def values(headers, name):
    return [value for key, value in headers if key.lower() == name.lower()]


def test_response_status_has_the_reason_phrase():
    assert Response(404, TEXT, b"").status == "404 Not Found"


def test_response_headers_describe_the_body():
    response = Response(200, JSON, b"{}", cache_control="max-age=5", additional_headers=(("Vary", "Accept"),))
    assert response.headers == [
        ("Content-Type", "application/json"),
        ("Content-Length", "2"),
        ("Cache-Control", "max-age=5"),
        ("Vary", "Accept"),
    ]


def test_text_response_is_one_line_that_is_not_cached():
    response = text_response(503, "no recent sample", ("Retry-After", "1"))
    assert (response.code, response.body) == (503, b"no recent sample\n")
    assert values(response.headers, "Cache-Control") == ["no-store"]
    assert values(response.headers, "Retry-After") == ["1"]


@pytest.mark.parametrize("header", ["gzip", "GZIP, br", "deflate, gzip;q=0.5", "*"])
def test_accepts_gzip_is_true_where_gzip_is_acceptable(header):
    assert accepts_gzip(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "gzip;q=0",
        "gzip;q=0.0, *",
        "gzipped",
        "identity",
        "gzip;q=x",
        "gzip;q=2",
        "gzip;q",
        "gzip;q=-1",
        "*;q=nan",
    ],
)
def test_accepts_gzip_is_false_where_gzip_is_not_acceptable(header):
    assert not accepts_gzip(header)


def test_compressed_body_is_restored_by_gzip():
    page = b"".join(b'monitor_things{number="%d"} 1.0\n' % number for number in range(5000))
    for body in (b"", b"x", page):
        assert gzip.decompress(compressed(body)) == body
    assert len(compressed(page)) < len(page) / 5


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
