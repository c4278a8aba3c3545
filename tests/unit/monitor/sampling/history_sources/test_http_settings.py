"""TLS of the client: verification, names and client certificates."""

import ssl

import pytest
import trustme

from monitor.errors import MonitorError
from monitor.sampling.history_sources.http_client import HttpClient
from monitor.sampling.history_sources.http_settings import HttpSettings, tls_context
from tests.unit.monitor.sampling.history_sources.server import answer, scripted_server

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def get(authority, settings, name="127.0.0.1", *, verifies_clients=False):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    if verifies_clients:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    with scripted_server(answer({"a": 1}), context=context) as server:
        return HttpClient(server.url, settings, sleep=lambda _: None).get("x", {})


def test_client_verifies_the_server(authority, ca_file):
    assert get(authority, HttpSettings(ca_file=ca_file)) == {"a": 1}
    with pytest.raises(MonitorError, match="certificate"):
        get(authority, HttpSettings())


def test_client_verifies_the_configured_name(authority, ca_file):
    assert get(authority, HttpSettings(ca_file=ca_file, server_name="prom.test"), "prom.test") == {"a": 1}
    with pytest.raises(MonitorError, match="certificate"):
        get(authority, HttpSettings(ca_file=ca_file), "prom.test")


def test_client_accepts_any_certificate_if_configured(authority):
    assert get(authority, HttpSettings(insecure_skip_verify=True), "other.test") == {"a": 1}


def test_client_sends_its_certificate(authority, ca_file, tmp_path):
    own = authority.issue_cert("client.test")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    settings = HttpSettings(ca_file=ca_file, cert_file=str(tmp_path / "client.pem"))
    assert get(authority, settings, verifies_clients=True) == {"a": 1}


def test_unreadable_certificate_is_named():
    with pytest.raises(MonitorError, match=r"/nowhere/ca\.pem"):
        tls_context(HttpSettings(ca_file="/nowhere/ca.pem"))


def test_settings_show_no_header_and_no_proxy():
    settings = HttpSettings(headers={"Authorization": "Bearer s3cret"}, proxy_url="http://u:s3cret@proxy")
    assert "s3cret" not in repr(settings)
