"""Tests of monitor.web.actions.handler, through the application."""

import json
from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.config.web_section import WebSection
from monitor.web.application import Application
from storage import AnomalyRecord, Verdict
from tests.unit.monitor.conftest import NOW
from tests.unit.monitor.web.wsgi import call, post, stored_documents

pytestmark = pytest.mark.unit

JSON = "application/json"


@pytest.fixture
def application(state, stores):
    stores.anomalies.add(AnomalyRecord(NOW - 60, None, 0.9, NOW - 60, "spike", {"cpu_usage": 1.0}, 1))
    documents = stored_documents(stores)
    permitting = replace(state, config=Config(web=WebSection(actions=True)))
    return Application(lambda: permitting, lambda: documents, "web-1", lambda: NOW)


def token_of(application):
    return json.loads(call(application, "/api/v1/actions")[2])["token"]


def form(application, text):
    return f"token={token_of(application)}&{text}".encode()


def test_form_returns_to_the_page_of_the_event(application, stores):
    body = form(application, "verdict=incident&note=%3Cscript%3E")
    code, headers, _ = post(application, "/api/v1/anomalies/1", body)
    assert (code, headers["Location"]) == (303, "/anomalies/1")
    assert stores.anomalies.get(1).verdict is Verdict.INCIDENT
    page = call(application, "/anomalies/1")[2].decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_json_returns_the_document(application):
    body = b'{"verdict": "expected", "note": "backup"}'
    code, _, answer = post(application, "/api/v1/anomalies/1", body, JSON, x_monitor_token=token_of(application))
    assert code == 200
    assert json.loads(answer)["verdict"] == "expected"


def test_windows_are_added_listed_and_ended(application):
    token = token_of(application)
    code, _, answer = post(application, "/api/v1/maintenance", b'{"duration": "1h"}', JSON, x_monitor_token=token)
    window = json.loads(answer)["id"]
    assert code == 200
    assert [entry["id"] for entry in json.loads(call(application, "/api/v1/maintenance")[2])] == [window]
    assert b"End now" in call(application, "/maintenance")[2]
    code, headers, _ = post(application, f"/api/v1/maintenance/{window}/end", form(application, "")[:-1])
    assert (code, headers["Location"]) == (303, "/maintenance")
    assert json.loads(call(application, "/api/v1/maintenance")[2]) == []


def test_requests_without_a_token_are_refused(application, stores):
    assert post(application, "/api/v1/anomalies/1", b"verdict=incident")[0] == 403
    assert post(application, "/api/v1/anomalies/1", b'{"verdict": "incident"}', JSON)[0] == 403
    assert stores.anomalies.get(1).verdict is None


def test_requests_of_other_sites_are_refused(application, stores):
    body = form(application, "verdict=incident")
    assert post(application, "/api/v1/anomalies/1", body, sec_fetch_site="cross-site")[0] == 403
    assert stores.anomalies.get(1).verdict is None


def test_actions_that_are_off_are_refused(state, stores):
    documents = stored_documents(stores)
    application = Application(lambda: state, lambda: documents)
    code, _, answer = post(application, "/api/v1/maintenance", b'{"duration": "1h"}', JSON)
    assert code == 403
    assert "web.actions" in json.loads(answer)["error"]
    page = call(application, "/maintenance")[2]
    assert b"<form" not in page
    assert b"monitor maintenance add" in page


def test_errors_are_pages_for_forms_and_documents_for_the_api(application):
    code, headers, body = post(application, "/api/v1/anomalies/7", form(application, "verdict=incident"))
    assert (code, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"there is no anomaly 7" in body
    token = token_of(application)
    code, headers, body = post(application, "/api/v1/maintenance", b"{}", JSON, x_monitor_token=token)
    assert (code, headers["Content-Type"]) == (400, "application/json")
    assert set(json.loads(body)) == {"error"}


def test_closed_database_is_an_error(state):
    permitting = replace(state, config=Config(web=WebSection(actions=True)))
    application = Application(lambda: permitting)
    token = token_of(application)
    assert post(application, "/api/v1/maintenance", b'{"duration": "1h"}', JSON, x_monitor_token=token)[0] == 503


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_records_nothing(application, method):
    assert call(application, "/api/v1/maintenance/1/end", method)[0] == 404


def test_pages_have_the_token_of_the_user(application):
    token = token_of(application)
    assert token in call(application, "/anomalies/1")[2].decode()
    assert token in call(application, "/maintenance")[2].decode()
