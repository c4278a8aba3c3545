"""Secured HTTP endpoint of a real daemon: TLS, client certificates, users, reload, and Prometheus as the client.

The tests share one daemon and depend on their order in this file.
"""

import base64
import http.client
import signal
import socket
import subprocess
from contextlib import suppress

import pytest

from tests.integration.web_clients import SECRET_HASH, Certificates, read_until_closed

from .conftest import Service, free_port, need
from .test_daemon import query

pytestmark = pytest.mark.e2e

VERIFY_CLIENTS = (
    "client_auth_type: RequireAndVerifyClientCert",
    "client_ca_file: ca.pem",
    "client_allowed_sans: [prometheus.example.org]",
)
USERS = f"basic_auth_users:\n  prometheus: {SECRET_HASH}"
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"prometheus:secret").decode()}


class SecuredService(Service):
    """Daemon with TLS, client certificates and a password, and a client that has both."""

    def __init__(self, directory):
        super().__init__(directory)
        (directory / "tls").mkdir()
        self.certificates = Certificates(directory / "tls")
        self.certificates.write(*VERIFY_CLIENTS, other_sections=USERS)
        web_keys = 'config_file = "tls/web.config.yml"\nlifecycle = true\n'
        self.config.write_text(self.config.read_text() + web_keys)
        self.client = self.certificates.client_context("prometheus.example.org")

    def fetch(self, path, method="GET", headers=LOGIN, context=None):
        """Return status code and body of a request."""
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=5, context=context or self.client)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except http.client.HTTPException as error:
            # A reload may close the connection within a response.
            raise ConnectionError(error) from error
        finally:
            connection.close()

    def get(self, path):
        return self.fetch(path)[1]


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    service = SecuredService(tmp_path_factory.mktemp("secured"))
    service.start()
    service.wait_for(service.metrics_with_sample, 20, "sample")
    yield service
    if service.process.poll() is None:
        service.process.kill()
        service.process.wait()


def test_endpoint_requires_certificate_and_password(secured):
    assert secured.fetch("/-/healthy")[0] == 200
    assert secured.fetch("/-/healthy", headers={})[0] == 401
    other_client = secured.certificates.client_context("other.example.org")
    with pytest.raises(OSError, match=r"closed connection|reset|alert"):
        secured.fetch("/-/healthy", context=other_client)


def test_endpoint_does_not_log_malformed_connections(secured):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"a" * 100, b""):
        # The server may close the connection first.
        with suppress(OSError), socket.create_connection(("127.0.0.1", secured.port), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            read_until_closed(connection)
    assert secured.fetch("/-/healthy")[0] == 200
    assert "tornado" not in secured.log()


def test_prometheus_scrapes_with_certificate_and_password(secured, tmp_path):
    prometheus = need("prometheus")[0]
    issued = secured.certificates.authority.issue_cert("prometheus.example.org")
    issued.private_key_pem.write_to_path(str(tmp_path / "client.key"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "client.crt"))
    (tmp_path / "password").write_text("secret")
    (tmp_path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: monitor
    scheme: https
    tls_config: {{ca_file: {secured.certificates.directory}/ca.pem, cert_file: client.crt, key_file: client.key}}
    basic_auth: {{username: prometheus, password_file: password}}
    static_configs: [{{targets: ["localhost:{secured.port}"]}}]
""")
    port = free_port()
    command = [
        prometheus,
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        series = secured.wait_for(lambda: query(port, "monitor_samples_total"), 20, "series in Prometheus")
        assert float(series[0]["value"][1]) > 0
        assert query(port, "up")[0]["value"][1] == "1"
    finally:
        server.terminate()
        server.wait(10)


def test_reload_request_applies_the_new_configuration(secured):
    secured.config.write_text(secured.config.read_text().replace("[web]", "[web]\nhost_metrics = false"))
    assert secured.fetch("/-/reload")[0] == 405
    assert secured.fetch("/-/reload", "POST")[0] == 200
    metrics = secured.wait_for(
        lambda: "monitor_host_cpu_usage_ratio" not in secured.metrics() and secured.metrics_with_sample(),
        20,
        "reload",
    )
    assert metrics["monitor_config_last_reload_successful"] == 1


def test_invalid_web_config_file_is_rejected_by_every_reader(secured):
    valid = secured.certificates.file.read_text()
    secured.certificates.file.write_text(valid.replace("key_file", "key_fle"))
    problem = f"{secured.certificates.file}: tls_server_config.key_fle: "
    checked = secured.command("check-config")
    assert checked.returncode == 2
    assert problem in checked.stderr
    code, body = secured.fetch("/-/reload", "POST")
    assert code == 500
    assert problem in body
    assert secured.metrics()["monitor_config_last_reload_successful"] == 0
    secured.process.send_signal(signal.SIGHUP)
    secured.wait_for(lambda: secured.log().count("daemon: configuration reload failed") == 2, 10, "rejected SIGHUP")
    assert secured.fetch("/-/healthy")[0] == 200
    secured.certificates.file.write_text(valid)
    assert secured.fetch("/-/reload", "POST")[0] == 200
    secured.wait_for(lambda: secured.metrics().get("monitor_config_last_reload_successful") == 1, 20, "reload")


def test_daemon_logs_no_password_and_exits_with_0(secured):
    assert secured.stop() == 0
    assert "secret" not in secured.log()
    assert SECRET_HASH not in secured.log()
    assert "Traceback" not in secured.log()
    assert "tornado" not in secured.log()


def test_daemon_does_not_start_with_an_invalid_web_config_file(secured):
    secured.certificates.file.write_text("basic_auth_users: {alice: plain}\n")
    process = secured.command("run")
    assert process.returncode == 2
    assert "basic_auth_users" in process.stderr
    assert len(process.stderr.splitlines()) == 1
