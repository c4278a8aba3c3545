"""HTTP client: answers of every kind, retries and credentials."""

import contextlib
import socket
import threading
import time
from email.utils import formatdate

import pytest

from monitor.errors import MonitorError
from monitor.sampling.history_sources.http_answers import MAX_DELAY, ExpensiveQueryError, HttpStatusError, OptionNames
from monitor.sampling.history_sources.http_client import ATTEMPTS, FIRST_DELAY, HttpClient
from monitor.sampling.history_sources.http_settings import HttpSettings
from tests.unit.monitor.sampling.history_sources.server import answer, gzip_answer, scripted_server, text_answer

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def get(server, settings=None, path="api/v1/query", url=None):
    """Return the document of one request, and the delays of the retries."""
    delays = []
    client = HttpClient(url or server.url, settings or HttpSettings(), sleep=delays.append)
    return client.get(path, {"query": 'a{b="c"}'}), delays


@pytest.mark.parametrize("reply", [answer({"a": 1}), gzip_answer({"a": 1})])
def test_client_returns_the_document(reply):
    with scripted_server(reply) as server:
        assert get(server, HttpSettings(headers={"X-Scope-OrgID": "t"}), url=f"{server.url}/prefix/") == (
            {"a": 1},
            [],
        )
        (request,) = server.requests
    assert request.path == "/prefix/api/v1/query"
    assert request.query == {"query": ['a{b="c"}']}
    assert request.headers["X-Scope-Orgid"] == "t"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_client_repeats_after_a_transient_status(status):
    with scripted_server(answer({}, status), answer({}, status), answer({"a": 1})) as server:
        assert get(server) == ({"a": 1}, [1.0, 2.0])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("86400", MAX_DELAY), ("Fri, 31 Dec 2100 23:59:59 GMT", MAX_DELAY), ("soon", FIRST_DELAY)],
)
def test_client_waits_as_long_as_the_server_asks_up_to_a_limit(value, seconds):
    with scripted_server(answer({}, 429, **{"Retry-After": value}), answer({"a": 1})) as server:
        assert get(server)[1] == [seconds]


def test_client_repeats_a_partial_or_incomplete_answer():
    cut = answer({"a": 1}, **{"Content-Length": "999"})
    with scripted_server(answer({"isPartial": True}), cut, answer({"a": 1})) as server:
        assert get(server, HttpSettings(timeout=5)) == ({"a": 1}, [1.0, 2.0])


def test_client_gives_up_after_all_attempts():
    with scripted_server(answer({"error": "overloaded"}, 503)) as server:
        with pytest.raises(HttpStatusError, match="overloaded"):
            get(server)
        assert len(server.requests) == ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_client_does_not_repeat_a_refused_request(status):
    with scripted_server(answer({"error": "no"}, status)) as server:
        with pytest.raises(HttpStatusError) as caught:
            get(server)
        assert len(server.requests) == 1
    assert (caught.value.status, caught.value.document) == (status, {"error": "no"})


@pytest.mark.parametrize(("status", "kind"), [(503, "timeout"), (504, ""), (422, "execution"), (413, "")])
def test_client_does_not_repeat_an_expensive_query(status, kind):
    with scripted_server(answer({"errorType": kind, "error": "query timed out"}, status)) as server:
        with pytest.raises(ExpensiveQueryError):
            get(server)
        assert len(server.requests) == 1


def test_client_refuses_html_and_names_the_url():
    with scripted_server(text_answer("<html>")) as server, pytest.raises(MonitorError) as caught:
        get(server)
    assert server.url in str(caught.value)
    assert "text/html" in str(caught.value)


def test_client_follows_no_redirect_with_its_credentials():
    with scripted_server(answer({"a": 1})) as target:
        redirect = answer({}, 302, Location=f"{target.url}/x?secret=1")
        settings = HttpSettings(headers={"Authorization": "Bearer s3cret"})
        with scripted_server(redirect) as server, pytest.raises(MonitorError) as caught:
            get(server, settings)
        assert target.requests == []
    assert f"{target.url}/x" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_client_reports_a_refused_connection_at_once():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    delays = []
    client = HttpClient(f"http://127.0.0.1:{port}", HttpSettings(), sleep=delays.append)
    with pytest.raises(MonitorError, match="refused"):
        client.get("api/v1/query", {})
    assert delays == []


def test_client_reports_a_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = HttpClient(
            f"http://127.0.0.1:{silent.getsockname()[1]}", HttpSettings(timeout=0.05), sleep=lambda _: None
        )
        with pytest.raises(MonitorError, match="within"):
            client.get("api/v1/query", {})


def test_client_uses_the_proxy():
    with scripted_server(answer({"a": 1})) as proxy:
        document, _ = get(proxy, HttpSettings(proxy_url=proxy.url), url="http://prometheus.invalid:9090")
    assert document == {"a": 1}


def test_client_uses_the_proxy_of_the_environment(monkeypatch):
    with scripted_server(answer({"a": 1})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert get(proxy, url="http://prometheus.invalid:9090")[0] == {"a": 1}


def test_client_notes_the_clock_of_the_server():
    with scripted_server(answer({}, Date=formatdate(time.time() + 3600))) as server:
        client = HttpClient(server.url, HttpSettings())
        client.get("x", {})
    assert client.clock_skew == pytest.approx(3600, abs=60)


def test_post_sends_the_parameters_in_the_body():
    with scripted_server(answer({"a": 1})) as server:
        document = HttpClient(server.url, HttpSettings()).post("api/v1/query", {"query": "x" * 100_000})
        (request,) = server.requests
    assert (document, request.method, request.query) == ({"a": 1}, "POST", {"query": ["x" * 100_000]})


@pytest.mark.parametrize("status", [405, 501])
def test_post_is_a_get_for_a_server_that_accepts_no_post(status):
    with scripted_server(answer({}, status), answer({"a": 1})) as server:
        client = HttpClient(server.url, HttpSettings())
        assert [client.post("x", {"q": "1"}) for _ in range(2)] == [{"a": 1}, {"a": 1}]
        assert [request.method for request in server.requests] == ["POST", "GET", "GET"]


def test_client_does_not_wait_beyond_the_deadline():
    delays = []
    with scripted_server(answer({}, 503, **{"Retry-After": "30"})) as server:
        client = HttpClient(server.url, HttpSettings(), sleep=delays.append)
        with pytest.raises(HttpStatusError):
            client.post("x", {}, time.monotonic() + 20)
        assert (len(server.requests), delays) == (1, [])


def test_client_repeats_until_the_deadline():
    delays = []
    with scripted_server(answer({}, 429)) as server:
        client = HttpClient(server.url, HttpSettings(), sleep=delays.append)
        with pytest.raises(HttpStatusError):
            client.post("x", {}, time.monotonic() + 100)
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]


def test_client_stops_reading_an_endless_answer_at_the_deadline():
    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 1000)
            time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                drip(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        client = HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}", HttpSettings(timeout=30))
        with pytest.raises(MonitorError, match="no answer within"):
            client.get("x", {}, time.monotonic() + 0.3)
        thread.join()


def test_client_returns_a_partial_answer_on_request():
    with scripted_server(answer({"isPartial": True})) as server:
        client = HttpClient(server.url, HttpSettings(), accepts_partial=True)
        assert client.get("x", {}) == {"isPartial": True}


def test_message_names_the_option_of_the_caller():
    names = OptionNames(http_config="source.http_config_file")
    with scripted_server(answer({}, 401)) as server:
        client = HttpClient(server.url, HttpSettings(), names=names)
        with pytest.raises(MonitorError, match=r"source\.http_config_file"):
            client.get("x", {})


def test_client_logs_repeated_requests_once_per_outage(caplog):
    caplog.set_level("INFO")
    with scripted_server(*[answer({}, 503)] * 4, answer({"a": 1})) as server:
        client = HttpClient(server.url, HttpSettings(), sleep=lambda _: None)
        client.get("x", {}, time.monotonic() + 100)
        client.get("x", {}, time.monotonic() + 100)
    messages = [record.message for record in caplog.records]
    assert messages.count("request repeated") == 1
    assert messages.count("request answered again") == 1
