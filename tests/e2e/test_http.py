"""The endpoint as an operator closes it: TLS, client certificates, users, a reload by request, Prometheus itself.

The tests follow each other on one daemon, in the order of this file.
"""

import base64
import http.client
import signal
import socket
import subprocess

import pytest

from tests.integration.web_clients import ALICE, Certificates, rest

from .conftest import Service, free_port, need
from .test_daemon import query

pytestmark = pytest.mark.e2e

ASK_CLIENTS = (
    "client_auth_type: RequireAndVerifyClientCert",
    "client_ca_file: ca.pem",
    "client_allowed_sans: [prometheus.example.org]",
)
USERS = f"basic_auth_users:\n  prometheus: {ALICE}"
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"prometheus:secret").decode()}


class ClosedService(Service):
    """A daemon behind TLS and a password, and the client that has both."""

    def __init__(self, directory):
        super().__init__(directory)
        (directory / "tls").mkdir()
        self.certificates = Certificates(directory / "tls")
        self.certificates.write(*ASK_CLIENTS, more=USERS)
        self.config.write_text(
            self.config.read_text() + 'config_file = "tls/web.config.yml"\nlifecycle = true\n',
        )
        self.client = self.certificates.client("prometheus.example.org")

    def ask(self, path, method="GET", headers=LOGIN):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=5, context=self.client)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except http.client.HTTPException as error:
            # cut off in the middle of an answer, as a reload may do
            raise ConnectionError(error) from error
        finally:
            connection.close()

    def get(self, path):
        return self.ask(path)[1]


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    found = ClosedService(tmp_path_factory.mktemp("closed"))
    found.start()
    found.wait_for(found.metrics_with_sample, 20, "sample")
    yield found
    if found.process.poll() is None:
        found.process.kill()
        found.process.wait()


def test_it_answers_those_who_have_certificate_and_password_and_nobody_else(closed):
    assert closed.ask("/-/healthy") == (200, "healthy\n")
    assert closed.ask("/-/healthy", headers={})[0] == 401
    closed.client, good = closed.certificates.client("other.example.org"), closed.client
    with pytest.raises(OSError, match=r"closed connection|reset|alert"):
        closed.ask("/-/healthy")
    closed.client = good


def test_who_speaks_no_tls_or_no_http_is_not_logged(closed):
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"a" * 100, b""):
        with socket.create_connection(("127.0.0.1", closed.port), timeout=5) as connection:
            connection.sendall(nonsense)
            connection.shutdown(socket.SHUT_WR)
            rest(connection)
    assert closed.ask("/-/healthy")[0] == 200
    assert "tornado" not in closed.log()


def test_prometheus_scrapes_over_tls_with_a_certificate_and_a_password(closed, tmp_path):
    prometheus = need("prometheus")[0]
    made = closed.certificates.authority.issue_cert("prometheus.example.org")
    made.private_key_pem.write_to_path(str(tmp_path / "client.key"))
    made.cert_chain_pems[0].write_to_path(str(tmp_path / "client.crt"))
    (tmp_path / "password").write_text("secret")
    (tmp_path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: monitor
    scheme: https
    tls_config: {{ca_file: {closed.certificates.directory}/ca.pem, cert_file: client.crt, key_file: client.key}}
    basic_auth: {{username: prometheus, password_file: password}}
    static_configs: [{{targets: ["localhost:{closed.port}"]}}]
""")
    port = free_port()
    command = [prometheus, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    server = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        found = closed.wait_for(lambda: query(port, "monitor_samples_total"), 20, "series in Prometheus")
        assert float(found[0]["value"][1]) > 0
        assert query(port, "up")[0]["value"][1] == "1"
    finally:
        server.terminate()
        server.wait(10)


def test_a_reload_by_request_takes_effect_once_it_was_answered(closed):
    closed.config.write_text(closed.config.read_text().replace("[web]", "[web]\nhost_metrics = false"))
    assert closed.ask("/-/reload")[0] == 405
    assert closed.ask("/-/reload", "POST") == (200, "the configuration is valid and is being reloaded\n")
    page = closed.wait_for(
        lambda: "monitor_host_cpu_usage_ratio" not in closed.metrics() and closed.metrics_with_sample(), 20, "reload"
    )
    assert page["monitor_config_last_reload_successful"] == 1


def test_a_web_config_file_that_is_broken_is_refused_everywhere_and_changes_nothing(closed):
    good = closed.certificates.file.read_text()
    closed.certificates.file.write_text(good.replace("key_file", "key_fle"))
    words = f"{closed.certificates.file}: tls_server_config.key_fle: unknown key; did you mean 'key_file'?"
    checked = closed.command("check-config")
    assert (checked.returncode, words in checked.stderr) == (2, True)
    code, said = closed.ask("/-/reload", "POST")
    assert (code, words in said) == (500, True)
    assert closed.metrics()["monitor_config_last_reload_successful"] == 0
    closed.process.send_signal(signal.SIGHUP)
    closed.wait_for(lambda: closed.log().count("configuration reload failed") == 2, 10, "refusal of SIGHUP")
    assert closed.ask("/-/healthy")[0] == 200
    closed.certificates.file.write_text(good)
    assert closed.ask("/-/reload", "POST")[0] == 200
    closed.wait_for(lambda: closed.metrics().get("monitor_config_last_reload_successful") == 1, 20, "reload")


def test_no_password_stands_in_the_log_and_it_ends_with_0(closed):
    assert closed.stop() == 0
    assert "secret" not in closed.log()
    assert ALICE not in closed.log()
    assert "Traceback" not in closed.log()
    assert "tornado" not in closed.log()


def test_with_a_web_config_file_that_is_broken_it_does_not_start(closed):
    closed.certificates.file.write_text("basic_auth_users: {alice: plain}\n")
    found = closed.command("run")
    assert found.returncode == 2
    assert "not a bcrypt hash" in found.stderr
    assert len(found.stderr.splitlines()) == 1
