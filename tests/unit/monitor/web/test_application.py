"""Tests of monitor.web.application."""

import gzip
import json
from dataclasses import replace

import pytest

from model.features.labels import Rules
from monitor.config.loader import Config
from monitor.config.schema import HighLoadSection
from monitor.state import DaemonState
from monitor.web.application import Application
from storage import AnomalyRecord
from tests.unit.monitor.conftest import NOW

from .wsgi import call, stored_documents

pytestmark = pytest.mark.unit

STARTING = DaemonState("1.2.3", "3.11")


@pytest.fixture
def application(state):
    return Application(lambda: state, host="web-1")


def test_metrics_are_in_the_text_format_by_default(application):
    code, headers, body = call(application, "/metrics")
    assert code == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert b"monitor_build_info" in body


def test_metrics_are_in_openmetrics_on_request(application):
    _, headers, body = call(application, "/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


@pytest.mark.parametrize("accept", ["text/plain;version=x", "application/openmetrics-text;version=y"])
def test_metrics_tolerate_a_malformed_version_in_the_accept_header(application, accept):
    assert call(application, "/metrics", accept=accept)[0] == 200


def test_large_bodies_are_compressed_on_request(application):
    _, headers, body = call(application, "/metrics", accept_encoding="gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert int(headers["Content-Length"]) == len(body)
    assert b"monitor_build_info" in gzip.decompress(body)


def test_small_bodies_are_not_compressed(application):
    assert "Content-Encoding" not in call(application, "/-/healthy", accept_encoding="gzip")[1]


def test_head_sends_headers_without_a_body(application):
    code, headers, body = call(application, "/metrics", "HEAD")
    assert (code, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100


def test_ready_fails_before_the_first_sample():
    assert call(Application(lambda: STARTING), "/-/ready")[0] == 503


def test_ready_succeeds_after_the_first_sample(application):
    assert call(application, "/-/ready")[0] == 200


def test_healthy_fails_while_no_samples_arrive(state):
    assert call(Application(lambda: state), "/-/healthy")[0] == 200
    assert call(Application(lambda: replace(state, sampling=False)), "/-/healthy")[0] == 503


def test_healthy_fails_and_names_the_jobs_that_hang(state):
    hung = replace(state.jobs["sampling_cycle"], hung=True)
    hanging = replace(state, jobs={**state.jobs, "retention": hung})
    code, _, body = call(Application(lambda: hanging), "/-/healthy")
    assert (code, body) == (503, b"job hung: retention\n")


@pytest.mark.parametrize("path", ["/x", "/metrics/", "/static/missing.js", "/static/../page.py"])
def test_unknown_paths_are_404(application, path):
    assert call(application, path)[0] == 404


@pytest.mark.parametrize(
    "path", ["/metrics", "/", "/model", "/config", "/static/live.js", "/api/v1/status", "/anomalies/1"]
)
def test_other_methods_are_not_allowed(application, path):
    code, headers, _ = call(application, path, "POST")
    assert (code, headers["Allow"]) == (405, "GET, HEAD")


def test_static_files_may_be_cached_and_nothing_else(application):
    assert "max-age" in call(application, "/static/page.css")[1]["Cache-Control"]
    assert call(application, "/")[1]["Cache-Control"] == "no-store"
    assert call(application, "/static/missing.css")[1]["Cache-Control"] == "no-store"


def test_documents_are_json(application):
    code, headers, body = call(application, "/api/v1/status")
    assert (code, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["version"] == "1.2.3"


def test_documents_that_are_not_available_have_a_code_and_an_error():
    code, _, body = call(Application(lambda: STARTING), "/api/v1/status")
    assert code == 503
    assert set(json.loads(body)) == {"error"}


def test_duplicate_query_parameters_are_rejected(application):
    assert call(application, "/api/v1/history", query="range=1h&range=2h")[0] == 400


def test_page_is_html(application):
    code, headers, body = call(application, "/")
    assert (code, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith(b"<!doctype html>")


def test_page_and_document_of_an_anomaly_event(state, stores):
    event = AnomalyRecord(NOW - 60, None, 0.9, NOW - 60, "spike", {"cpu_usage": 1.0}, 1)
    event_id = stores.anomalies.add(event)
    documents = stored_documents(stores)
    application = Application(lambda: state, lambda: documents)
    code, headers, body = call(application, f"/anomalies/{event_id}")
    assert (code, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"spike" in body
    code, _, body = call(application, f"/api/v1/anomalies/{event_id}")
    assert (code, json.loads(body)["id"]) == (200, event_id)


def test_unknown_anomaly_event_is_404_as_page_and_as_json(state, stores):
    documents = stored_documents(stores)
    application = Application(lambda: state, lambda: documents)
    for event_id in ("7", "x"):
        code, headers, body = call(application, f"/anomalies/{event_id}")
        assert (code, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert body.startswith(b"<!doctype html>")
        code, _, body = call(application, f"/api/v1/anomalies/{event_id}")
        assert (code, set(json.loads(body))) == (404, {"error"})


def test_anomaly_event_is_503_while_the_database_is_not_open(application):
    assert call(application, "/anomalies/1")[0] == 503
    assert call(application, "/api/v1/anomalies/1")[0] == 503


def test_what_if_is_computed_for_the_api_and_the_page(state, stores):
    documents = stored_documents(stores, lambda: Rules(((("cpu_usage", 0.85),),), 60.0))
    config = Config(high_load=HighLoadSection(rules=((("cpu_usage", 0.85),),)))
    application = Application(lambda: replace(state, config=config), lambda: documents, clock=lambda: NOW)
    code, _, body = call(application, "/api/v1/what-if", query="precision=0.7&bound_1_cpu_usage=0.9")
    document = json.loads(body)
    assert (code, document["rules_changed"], document["changed"]["precision"]) == (200, True, 0.7)
    assert call(application, "/api/v1/what-if", query="precision=2")[0] == 400
    assert call(application, "/api/v1/what-if", query="bound_2_cpu_usage=0.9")[0] == 400
    code, _, page = call(application, "/config", query="precision=0.7&range=24h")
    assert code == 200
    assert b"precision = 0.7" in page
