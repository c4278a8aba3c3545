"""Actions over real sockets: forms and JSON with users, tokens and limits."""

import http.client
import json
from base64 import b64encode
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from monitor.config.loader import Config
from monitor.config.web_section import WebSection
from monitor.state import DaemonState
from monitor.web import Application
from storage import AnomalyRecord, Verdict
from tests.unit.monitor.conftest import NOW
from tests.unit.monitor.web.wsgi import stored_documents

from .web_clients import SECRET_HASH, serving

pytestmark = pytest.mark.integration

ALICE = {"Authorization": f"Basic {b64encode(b'alice:secret').decode()}"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def stores(tmp_path):
    from monitor.stores import open_stores  # noqa: PLC0415

    with open_stores(f"sqlite:///{tmp_path / 'monitor.db'}") as opened:
        opened.anomalies.add(AnomalyRecord(NOW - 60, None, 0.9, NOW - 60, "spike", {"cpu_usage": 1.0}, 1))
        yield opened


@pytest.fixture
def server(stores, tmp_path):
    """Server that other hosts could reach, with one user."""
    file = tmp_path / "web.config.yml"
    file.write_text(f'basic_auth_users: {{alice: "{SECRET_HASH}"}}\n')
    web = WebSection(actions=True, listen="0.0.0.0:10190", config_file=str(file))
    state = replace(DaemonState("1.2.3", "3.11"), config=Config(web=web))
    documents = stored_documents(stores)
    with serving(Application(lambda: state, lambda: documents), web_config_file=file) as started:
        yield started


def send(server, method, path, body=b"", headers=ALICE):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def token_of(server):
    return json.loads(send(server, "GET", "/api/v1/actions")[1])["token"]


def test_form_of_a_user_is_recorded_and_returns_to_the_page(server, stores):
    body = urlencode({"token": token_of(server), "verdict": "incident", "note": "Platte voll: ü"}).encode()
    response, _ = send(server, "POST", "/api/v1/anomalies/1", body, ALICE | FORM)
    assert (response.status, response.headers["Location"]) == (303, "/anomalies/1")
    stored = stores.anomalies.get(1)
    assert (stored.verdict, stored.note) == (Verdict.INCIDENT, "Platte voll: ü")
    page = send(server, "GET", "/anomalies/1")[1].decode()
    assert "Platte voll: ü" in page


def test_json_with_a_token_opens_and_ends_a_window(server, stores):
    headers = ALICE | JSON | {"X-Monitor-Token": token_of(server)}
    response, content = send(server, "POST", "/api/v1/maintenance", b'{"duration": "2h"}', headers)
    assert response.status == 200
    window = json.loads(content)["id"]
    assert send(server, "POST", f"/api/v1/maintenance/{window}/end", b"{}", headers)[0].status == 200
    assert stores.anomalies.maintenance_windows(NOW) == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (JSON, 401),
        (ALICE | JSON, 403),
        (ALICE | JSON | {"X-Monitor-Token": "0" * 64}, 403),
        (ALICE | FORM | {"Origin": "http://attacker.example"}, 403),
        (ALICE | {"Content-Type": "text/plain"}, 415),
    ],
)
def test_requests_without_permission_change_nothing(server, stores, headers, code):
    body = b'{"verdict": "incident"}' if headers.get("Content-Type") == "application/json" else b"verdict=incident"
    assert send(server, "POST", "/api/v1/anomalies/1", body, headers)[0].status == code
    assert stores.anomalies.get(1).verdict is None


def test_large_bodies_are_refused(server):
    headers = ALICE | FORM
    assert send(server, "POST", "/api/v1/anomalies/1", b"note=" + b"x" * 9000, headers)[0].status == 413
    assert send(server, "POST", "/api/v1/anomalies/1", b"note=" + b"x" * 70_000, headers)[0].status == 413


def test_users_are_required_for_each_request(server, tmp_path):
    (tmp_path / "web.config.yml").write_text("{}\n")
    document = json.loads(send(server, "GET", "/api/v1/actions", headers={})[1])
    assert (document["permitted"], document["token"]) == (False, "")
    assert "basic_auth_users" in document["reason"]


def test_pages_permit_forms_to_the_own_origin_only(server):
    policy = send(server, "GET", "/maintenance")[0].headers["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert "default-src 'none'" in policy
