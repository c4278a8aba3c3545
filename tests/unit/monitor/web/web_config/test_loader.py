"""Tests of monitor.web.web_config.loader."""

from pathlib import Path

import pytest

from monitor.config.loader import Config
from monitor.config.web_section import WebSection
from monitor.errors import ConfigError
from monitor.web.web_config.loader import SECTIONS, load_web_config_file, web_file_problems

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[4] / "golden" / "web_config_problems.txt"
HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
PAIR = "cert_file: server.crt\n  key_file: server.key"
VALID = f"""
tls_server_config:
  {PAIR}
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example.org]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256]
http_server_config:
  http2: true
  headers: {{X-Frame-Options: deny, X-XSS-Protection: "0", Strict-Transport-Security:}}
basic_auth_users:
  alice: {HASH}
rate_limit: {{interval: 1m30s, burst: 20}}
"""


def tls(**keys):
    return f"tls_server_config: {{{', '.join(f'{key}: {value}' for key, value in keys.items())}}}"


def tls_with_pair(line):
    return f"tls_server_config:\n  {PAIR}\n  {line}"


PROBLEMS = {
    # Each text, and the key that its problem is reported at; None where the whole file is unusable.
    "[x]": None,
    "a: [": None,
    "secret: ]": None,
    "rate_limit: 2020-99-99": None,
    "a: &a [x]\nb: *a": None,
    "basic_auth_users: {}\nbasic_auth_users: {}": None,
    "tls_server_confg: {}": "tls_server_confg",
    "tls_server_config: [x]": "tls_server_config",
    **{f"{name}: {value}": name for name in SECTIONS for value in ("false", "[]", "0", '""')},
    tls(cert_fle="x"): "tls_server_config.cert_fle",
    tls(min_version="TLS13"): "tls_server_config.cert",
    tls(cert="x", cert_file="y"): "tls_server_config.cert",
    tls(cert_file="missing.crt", key="x"): "tls_server_config.cert_file",
    tls(cert_file="fifo", key="x"): "tls_server_config.cert_file",
    tls(cert_file="/dev/zero", key="x"): "tls_server_config.cert_file",
    tls(cert_file=".", key="x"): "tls_server_config.cert_file",
    tls(cert_file="large.pem", key="x"): "tls_server_config.cert_file",
    tls(cert_file="empty.pem", key_file="server.key"): "tls_server_config.cert",
    tls(cert_file="server.crt", key_file="other.key"): "tls_server_config.cert and key",
    tls(cert_file="server.crt", key_file="passphrase.key"): "tls_server_config.key",
    tls(cert_file="passphrase.crt", key_file="server.key"): "tls_server_config.key",
    tls(cert_file="server.crt", key_file="server.crt"): "tls_server_config.key",
    tls_with_pair("client_auth_type: RequireAndVerifyClientCert"): "tls_server_config.client_auth_type",
    tls_with_pair("client_ca_file: ca.pem"): "tls_server_config.client_ca",
    tls_with_pair("client_ca: x\n  client_auth_type: VerifyClientCertIfGiven"): "tls_server_config.client_ca",
    tls_with_pair("client_allowed_sans: [x]"): "tls_server_config.client_allowed_sans",
    tls_with_pair("min_version: TLS13\n  max_version: TLS12"): "tls_server_config.min_version",
    tls(client_auth_type="RequireAnyClientCert"): "tls_server_config.client_auth_type",
    tls(client_auth_type="Sure"): "tls_server_config.client_auth_type",
    tls(min_version="TLS10"): "tls_server_config.min_version",
    tls(min_version="TLS14"): "tls_server_config.min_version",
    tls(cipher_suites="[RC4]"): "tls_server_config.cipher_suites",
    tls(curve_preferences="[X25519, CurveP256]"): "tls_server_config.curve_preferences",
    tls(curve_preferences="[P256]"): "tls_server_config.curve_preferences",
    "http_server_config: {http3: true}": "http_server_config.http3",
    "http_server_config: {headers: {X-Frame-Option: deny}}": "http_server_config.headers",
    "http_server_config: {headers: {X-Frame-Options: never}}": "http_server_config.headers",
    'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nb: c"}}': "http_server_config.headers",
    "basic_auth_users: [alice]": "basic_auth_users",
    "basic_auth_users: {alice: secret}": "basic_auth_users",
    f"basic_auth_users: {{7: {HASH}}}": "basic_auth_users",
    f"basic_auth_users: {{alice: {HASH.replace('$10$', '$31$')}}}": "basic_auth_users",
    "rate_limit: {interval: 5, burst: 1}": "rate_limit.interval",
    "rate_limit: {interval: 1s, burst: -1}": "rate_limit.burst",
    "rate_limit: {interval: 1s}": "rate_limit.burst",
}


def load(directory, text):
    (directory / "web.config.yml").write_text(text)
    return load_web_config_file(directory / "web.config.yml")


def problems_of(directory, text):
    with pytest.raises(ConfigError) as raised:
        load(directory, text)
    return raised.value.problems


@pytest.mark.parametrize(
    "text", ["", "---\n", "tls_server_config:\nbasic_auth_users:\n", "http_server_config: {http2: false}"]
)
def test_loader_keeps_the_defaults_where_nothing_is_set(directory, text):
    web_config = load(directory, text)
    assert web_config.tls_context is None
    assert web_config.users == {}
    assert web_config.headers == ()
    assert web_config.rate_limit.interval == 0.0


def test_loader_reads_every_supported_key(directory):
    web_config = load(directory, VALID)
    assert web_config.tls_context is not None
    assert web_config.allowed_sans == {"prometheus.example.org"}
    assert web_config.headers == (("X-Frame-Options", "deny"), ("X-XSS-Protection", "0"))
    assert web_config.users == {"alice": HASH.encode()}
    assert web_config.rate_limit.interval == 90.0
    assert web_config.rate_limit.burst == 20


def test_loader_records_every_file_it_read(directory):
    names = {path.name for path in load(directory, VALID).files}
    assert names == {"web.config.yml", "server.crt", "server.key", "ca.pem"}


def test_loader_result_hides_hashes_in_its_repr(directory):
    assert HASH not in repr(load(directory, VALID))


def test_loader_accepts_inline_certificates(directory):
    files = {"cert": "server.crt", "key": "server.key", "client_ca": "ca.pem"}
    lines = ["tls_server_config:", "  client_auth_type: VerifyClientCertIfGiven"]
    for key, name in files.items():
        pem = (directory / name).read_text().strip().replace("\n", "\n    ")
        lines.append(f"  {key}: |\n    {pem}")
    web_config = load(directory, "\n".join(lines))
    assert web_config.tls_context is not None
    assert list(web_config.files) == [directory / "web.config.yml"]


@pytest.mark.parametrize(("text", "key"), PROBLEMS.items())
def test_loader_reports_file_and_key_of_a_problem(directory, text, key):
    prefix = f"{directory}/web.config.yml: {f'{key}: ' if key else ''}"
    assert all(problem.startswith(prefix) for problem in problems_of(directory, text))


def test_loader_reports_all_problems_together(directory):
    text = "x: 1\nbasic_auth_users: {a: b, c: d}\nrate_limit: {burst: x}\n"
    assert len(problems_of(directory, text)) == 4


def test_loader_reports_a_missing_file(tmp_path):
    with pytest.raises(ConfigError) as raised:
        load_web_config_file(tmp_path / "web.yml")
    assert raised.value.problems[0].startswith(f"{tmp_path}/web.yml: ")


@pytest.mark.parametrize(
    ("listen", "text", "count"),
    [
        ("127.0.0.1:10190", None, 0),
        ("192.0.2.1:10190", None, 1),
        ("192.0.2.1:10190", "{}", 1),
        ("192.0.2.1:10190", f"basic_auth_users: {{alice: {HASH}}}", 0),
    ],
)
def test_actions_need_users_where_other_hosts_can_connect(tmp_path, listen, text, count):
    (tmp_path / "web.yml").write_text(text or "")
    web = WebSection(actions=True, listen=listen, config_file="web.yml" if text else "")
    problems = web_file_problems(Config(web=web, path=tmp_path / "config.toml"))
    assert len(problems) == count
    assert all("web.actions" in problem and "basic_auth_users" in problem for problem in problems)


def test_problem_messages_match_the_golden_file(directory):
    lines = [problem for text in PROBLEMS for problem in problems_of(directory, text)]
    report = "\n".join(lines).replace(str(directory), "DIRECTORY") + "\n"
    assert "secret" not in report
    assert report == GOLDEN.read_text()
