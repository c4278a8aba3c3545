import http.server
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.system.outgoing_http import NoRedirects, parse_retry_after

pytestmark = pytest.mark.unit

NOW = 1452844800.0
"""Fri, 15 Jan 2016 08:00:00 GMT."""


@contextmanager
def redirecting_server():
    """Serve a redirect to `/secret` of the same server; yield its URL and the paths that were requested."""
    paths = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(302 if self.path == "/" else 200)
            self.send_header("Location", "/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", paths
        server.shutdown()
        thread.join()


def test_no_redirects_raises_status_and_requests_nothing_else():
    with redirecting_server() as (url, paths):
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.build_opener(NoRedirects).open(url, timeout=5)
        raised.value.close()
    assert (raised.value.code, paths) == (302, ["/"])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 40, 9999999999.0),
        ("Fri, 15 Jan 2016 08:01:30 GMT", 90.0),
        ("Fri, 15 Jan 2016 07:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
    ],
)
def test_parse_retry_after_reads_seconds_and_dates(value, seconds):
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_parse_retry_after_accepts_any_text(text):
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or seconds >= 0
