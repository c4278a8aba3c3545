"""TLS, client certificates, users and limits of a web.config.yml, over real sockets and while files change."""

import base64
import logging
import shutil
import ssl

import pytest
import trustme

from monitor.web import Limits

from .web_clients import (
    SECRET_HASH,
    Certificates,
    connect,
    open_connections,
    read_until_closed,
    request,
    send,
    send_for_code,
    serving,
)

pytestmark = pytest.mark.integration

VERIFY_CLIENTS = ("client_auth_type: RequireAndVerifyClientCert", "client_ca_file: ca.pem")


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path)


def basic_auth(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def is_refused(server, context):
    """Return True if no response arrives, wherever the handshake fails."""
    try:
        return send_for_code(server, request(), context) == 0
    except (ssl.SSLError, ConnectionError):
        return True


def serial_number(server, context):
    with connect(server) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        return connection.getpeercert()["serialNumber"]


def test_tls_serves_a_scrape(certificates):
    with serving(web_config_file=certificates.write()) as server:
        code, headers, body = send(server, request(), certificates.client_context())
    assert (code, b"monitor_build_info" in body) == (200, True)
    assert "Strict-Transport-Security" not in headers


def test_tls_closes_connections_without_tls(certificates):
    with serving(web_config_file=certificates.write()) as server:
        assert send_for_code(server, request()) == 0


def test_tls_serves_a_scrape_despite_four_hundred_silent_clients(certificates):
    context = certificates.client_context()
    with serving(web_config_file=certificates.write()) as server:
        with open_connections(server, 400) as silent:
            assert send_for_code(server, request(), context) == 200
            assert all(read_until_closed(connection) == b"" for connection in silent)
        assert send_for_code(server, request(), context) == 200


def test_tls_refuses_versions_below_the_minimum(certificates):
    context = certificates.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(web_config_file=certificates.write()) as server:
        assert send_for_code(server, request(), context) == 200
    with serving(web_config_file=certificates.write("min_version: TLS13")) as server:
        assert is_refused(server, context)


def test_tls_uses_the_configured_cipher_suites_and_curve(certificates):
    file = certificates.write(
        "max_version: TLS12",
        "cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]",
        "curve_preferences: [CurveP384]",
    )
    context = certificates.client_context()
    with serving(web_config_file=file) as server:
        with connect(server) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
            assert connection.cipher()[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"
        context.set_ecdh_curve("prime256v1")
        assert is_refused(server, context)


def test_client_certificates_must_be_issued_by_the_authority(certificates):
    with serving(web_config_file=certificates.write(*VERIFY_CLIENTS)) as server:
        assert is_refused(server, certificates.client_context())
        assert is_refused(server, certificates.client_context("prometheus", authority=trustme.CA()))
        assert send_for_code(server, request(), certificates.client_context("prometheus")) == 200


def test_optional_client_certificates_are_verified_if_given(certificates):
    file = certificates.write("client_auth_type: VerifyClientCertIfGiven", "client_ca_file: ca.pem")
    with serving(web_config_file=file) as server:
        assert send_for_code(server, request(), certificates.client_context()) == 200
        assert is_refused(server, certificates.client_context("prometheus", authority=trustme.CA()))


def test_client_certificates_must_have_an_allowed_name(certificates):
    file = certificates.write(*VERIFY_CLIENTS, 'client_allowed_sans: [prometheus.example.org, "2001:db8::1"]')
    with serving(web_config_file=file) as server:
        for name in ("prometheus.example.org", "2001:db8::1"):
            assert send_for_code(server, request(), certificates.client_context(name)) == 200
        assert is_refused(server, certificates.client_context("other.example.org"))


def test_renewed_certificate_is_served_without_restart_unless_it_is_invalid(certificates, caplog):
    context = certificates.client_context()
    with serving(web_config_file=certificates.write()) as server:
        first = serial_number(server, context)
        certificates.renew()
        second = serial_number(server, context)
        assert first != second
        (certificates.directory / "server.key").write_text("invalid")
        assert [serial_number(server, context) for _ in range(3)] == [second] * 3
        assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1
        certificates.renew()
        assert serial_number(server, context) not in (first, second)


def test_new_certificate_is_served_once_its_key_has_arrived(certificates, tmp_path):
    """Cover the moment between the two renames of a renewal."""
    context = certificates.client_context()
    with serving(web_config_file=certificates.write()) as server:
        first = serial_number(server, context)
        (tmp_path / "next").mkdir()
        renewed = Certificates(tmp_path / "next", certificates.authority).directory
        (renewed / "server.crt").replace(certificates.directory / "server.crt")
        assert serial_number(server, context) == first
        (renewed / "server.key").replace(certificates.directory / "server.key")
        assert serial_number(server, context) != first


def test_new_client_authority_applies_to_the_next_connection(certificates):
    other = trustme.CA()
    with serving(web_config_file=certificates.write(*VERIFY_CLIENTS)) as server:
        assert send_for_code(server, request(), certificates.client_context("prometheus")) == 200
        other.cert_pem.write_to_path(str(certificates.directory / "ca.pem"))
        assert is_refused(server, certificates.client_context("prometheus"))
        assert send_for_code(server, request(), certificates.client_context("prometheus", authority=other)) == 200


def test_tls_cannot_be_disabled_by_a_changed_or_missing_file(certificates, caplog):
    context = certificates.client_context()
    with serving(web_config_file=certificates.write()) as server:
        certificates.file.write_text("basic_auth_users: {}\n")
        assert send_for_code(server, request(), context) == 200
        shutil.rmtree(certificates.directory)
        assert send_for_code(server, request(), context) == 200
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


@pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready", "/api/v1/status", "/x"])
def test_every_path_requires_the_password(tmp_path, path):
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: {SECRET_HASH}}}\n")
    wrong = ({}, {"Authorization": basic_auth("alice", "Secret")}, {"Authorization": basic_auth("bob", "secret")})
    with serving(web_config_file=tmp_path / "web.yml") as server:
        for credentials in wrong:
            code, headers, body = send(server, request(path, **credentials))
            assert (code, headers["WWW-Authenticate"], b"monitor" in body) == (401, "Basic", False)
        authorized = request(path, Authorization=basic_auth("alice", "secret"))
        assert send_for_code(server, authorized) != 401


def test_changed_users_apply_without_restart(tmp_path):
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{alice: {SECRET_HASH}}}\n")
    alice = request(Authorization=basic_auth("alice", "secret"))
    with serving(web_config_file=file) as server:
        assert send_for_code(server, alice) == 200
        file.write_text(f"basic_auth_users: {{bob: {SECRET_HASH}}}\n")
        assert send_for_code(server, alice) == 401
        assert send_for_code(server, request(Authorization=basic_auth("bob", "secret"))) == 200


def test_cached_logins_are_served_during_a_flood_of_wrong_passwords(tmp_path):
    expensive = SECRET_HASH.replace("$04$", "$12$")
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: {SECRET_HASH}, zoe: {expensive}}}\n")
    cached = request(Authorization=basic_auth("alice", "secret"))
    wrong = request(Authorization=basic_auth("unknown", "wrong"))
    with serving(limits=Limits(), web_config_file=tmp_path / "web.yml") as server:
        assert send_for_code(server, cached) == 200
        with open_connections(server, 150, wrong) as flood:
            assert [send_for_code(server, cached) for _ in range(10)] == [200] * 10
            codes = {read_until_closed(connection)[9:12] for connection in flood}
    assert codes == {b"401", b"503"}


def test_configured_headers_replace_the_default_headers(tmp_path):
    lines = (
        "http_server_config:",
        "  headers:",
        "    X-Frame-Options: sameorigin",
        "    Strict-Transport-Security: max-age=60",
    )
    (tmp_path / "web.yml").write_text("\n".join(lines))
    with serving(web_config_file=tmp_path / "web.yml") as server:
        headers = send(server, request())[1]
    assert headers["X-Frame-Options"] == "sameorigin"
    assert headers["Strict-Transport-Security"] == "max-age=60"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_requests_beyond_the_rate_limit_get_429(tmp_path):
    (tmp_path / "web.yml").write_text("rate_limit: {interval: 1h, burst: 2}\n")
    with serving(web_config_file=tmp_path / "web.yml") as server:
        assert [send_for_code(server, request()) for _ in range(4)] == [200, 200, 429, 429]
