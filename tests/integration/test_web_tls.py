"""TLS, client certificates and users by a web.config.yml, over real sockets; what changes on disk counts at once."""

import base64
import logging
import shutil
import ssl

import pytest
import trustme

from monitor.web import Limits

from .web_clients import ALICE, Certificates, asked, connect, get, many, rest, serving

pytestmark = pytest.mark.integration

ASK_CLIENTS = ("client_auth_type: RequireAndVerifyClientCert", "client_ca_file: ca.pem")


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path)


def login(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def refused(server, context):
    """Whether no answer comes, wherever the handshake breaks."""
    try:
        return asked(server, get(), context)[0] == 0
    except (ssl.SSLError, ConnectionError):
        return True


def serial(server, context):
    with connect(server) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        return connection.getpeercert()["serialNumber"]


def test_a_scrape_over_tls(certificates):
    with serving(web_file=certificates.write()) as server:
        code, headers, body = asked(server, get(), certificates.client())
        assert (code, b"monitor_build_info" in body) == (200, True)
        assert "Strict-Transport-Security" not in headers
        assert rest_of_plain(server) == b""


def rest_of_plain(server):
    with connect(server) as connection:
        connection.sendall(get())
        return rest(connection)


def test_a_good_scrape_passes_four_hundred_silent_ones_and_those_are_cut(certificates):
    context = certificates.client()
    with serving(web_file=certificates.write()) as server:
        with many(server, 400) as silent:
            assert asked(server, get(), context)[0] == 200
            assert all(rest(connection) == b"" for connection in silent)
        assert asked(server, get(), context)[0] == 200


def test_tls_below_1_2_and_what_is_configured_is_refused(certificates):
    context = certificates.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(web_file=certificates.write()) as server:
        assert asked(server, get(), context)[0] == 200
    with serving(web_file=certificates.write("min_version: TLS13")) as server:
        assert refused(server, context)


def test_cipher_suites_and_curves_are_those_that_are_configured(certificates):
    lines = ("max_version: TLS12", "cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]")
    file = certificates.write(*lines, "curve_preferences: [CurveP384]")
    context = certificates.client()
    with serving(web_file=file) as server:
        with connect(server) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
            assert connection.cipher()[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"
        context.set_ecdh_curve("prime256v1")
        assert refused(server, context)


def test_a_client_without_a_certificate_of_the_authority_is_refused(certificates):
    other = trustme.CA()
    with serving(web_file=certificates.write(*ASK_CLIENTS)) as server:
        assert refused(server, certificates.client())
        assert refused(server, certificates.client("prometheus", authority=other))
        assert asked(server, get(), certificates.client("prometheus"))[0] == 200


def test_a_certificate_that_may_be_missing_may_not_be_wrong(certificates):
    file = certificates.write("client_auth_type: VerifyClientCertIfGiven", "client_ca_file: ca.pem")
    with serving(web_file=file) as server:
        assert asked(server, get(), certificates.client())[0] == 200
        assert refused(server, certificates.client("prometheus", authority=trustme.CA()))


def test_only_the_names_that_are_allowed_are_answered(certificates):
    file = certificates.write(*ASK_CLIENTS, 'client_allowed_sans: [prometheus.example.org, "2001:db8::1"]')
    with serving(web_file=file) as server:
        assert asked(server, get(), certificates.client("prometheus.example.org"))[0] == 200
        assert asked(server, get(), certificates.client("2001:db8::1"))[0] == 200
        assert refused(server, certificates.client("other.example.org"))


def test_a_new_certificate_is_served_without_restart_and_a_broken_one_changes_nothing(certificates, caplog):
    context = certificates.client()
    with serving(web_file=certificates.write()) as server:
        first = serial(server, context)
        certificates.renew()
        second = serial(server, context)
        assert first != second
        (certificates.directory / "server.key").write_text("nonsense")
        assert [serial(server, context) for _ in range(3)] == [second] * 3
        assert [r.levelno for r in caplog.records].count(logging.ERROR) == 1
        certificates.renew()
        assert serial(server, context) not in (first, second)


def test_a_key_that_does_not_belong_to_the_certificate_waits_for_its_own(certificates, tmp_path):
    """As between the two renames of a renewal."""
    context = certificates.client()
    with serving(web_file=certificates.write()) as server:
        first = serial(server, context)
        (tmp_path / "next").mkdir()
        following = Certificates(tmp_path / "next", certificates.authority).directory
        (following / "server.crt").replace(certificates.directory / "server.crt")
        assert serial(server, context) == first
        (following / "server.key").replace(certificates.directory / "server.key")
        assert serial(server, context) != first


def test_a_new_authority_of_clients_counts_from_the_next_connection_on(certificates):
    other = trustme.CA()
    with serving(web_file=certificates.write(*ASK_CLIENTS)) as server:
        assert asked(server, get(), certificates.client("prometheus"))[0] == 200
        other.cert_pem.write_to_path(str(certificates.directory / "ca.pem"))
        assert refused(server, certificates.client("prometheus"))
        assert asked(server, get(), certificates.client("prometheus", authority=other))[0] == 200


def test_tls_is_not_switched_off_under_way(certificates, caplog):
    context = certificates.client()
    with serving(web_file=certificates.write()) as server:
        certificates.file.write_text("basic_auth_users: {}\n")
        assert asked(server, get(), context)[0] == 200
        shutil.rmtree(certificates.directory)
        assert asked(server, get(), context)[0] == 200
    assert "TLS is switched on or off by a reload" in str(caplog.records[0].fields)


@pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready", "/api/v1/status", "/x"])
def test_without_the_password_nothing_is_answered(tmp_path, path):
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: {ALICE}}}\n")
    with serving(web_file=tmp_path / "web.yml") as server:
        for wrong in ({}, {"Authorization": login("alice", "Secret")}, {"Authorization": login("bob", "secret")}):
            code, headers, body = asked(server, get(path, **wrong))
            assert (code, headers["WWW-Authenticate"], b"monitor" in body) == (401, "Basic", False)
        assert asked(server, get(path, Authorization=login("alice", "secret")))[0] != 401


def test_users_come_and_go_without_restart(tmp_path):
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{alice: {ALICE}}}\n")
    ask = get(Authorization=login("alice", "secret"))
    with serving(web_file=file) as server:
        assert asked(server, ask)[0] == 200
        file.write_text(f"basic_auth_users: {{bob: {ALICE}}}\n")
        assert asked(server, ask)[0] == 401
        assert asked(server, get(Authorization=login("bob", "secret")))[0] == 200


def test_a_storm_of_wrong_passwords_does_not_keep_out_who_is_known(tmp_path):
    costly = ALICE.replace("$04$", "$12$")
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: {ALICE}, zoe: {costly}}}\n")
    good = get(Authorization=login("alice", "secret"))
    with serving(limits=Limits(), web_file=tmp_path / "web.yml") as server:
        assert asked(server, good)[0] == 200
        with many(server, 200, get(Authorization=login("nobody", "wrong"))) as storm:
            assert [asked(server, good)[0] for _ in range(10)] == [200] * 10
            codes = [rest(connection)[9:12] for connection in storm]
        # who finds too many hashing hears so at once
        assert set(codes) == {b"401", b"503"}


def test_headers_that_are_configured_go_before_our_own(tmp_path):
    lines = ("http_server_config:", "  headers:", "    X-Frame-Options: sameorigin")
    (tmp_path / "web.yml").write_text("\n".join([*lines, "    Strict-Transport-Security: max-age=60"]))
    with serving(web_file=tmp_path / "web.yml") as server:
        headers = asked(server, get())[1]
    assert headers["X-Frame-Options"] == "sameorigin"
    assert headers["Strict-Transport-Security"] == "max-age=60"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_more_requests_than_the_rate_get_429(tmp_path):
    (tmp_path / "web.yml").write_text("rate_limit: {interval: 1h, burst: 2}\n")
    with serving(web_file=tmp_path / "web.yml") as server:
        assert [asked(server, get())[0] for _ in range(4)] == [200, 200, 429, 429]
