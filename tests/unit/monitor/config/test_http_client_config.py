"""HTTP client configuration: credentials from the file, the URL and the environment."""

import pytest

from monitor.config.http_client_config import load_http_settings, parse_header
from monitor.errors import ConfigError

pytestmark = pytest.mark.unit

BASIC = "Basic YWxpY2U6czNjcmV0"
"""Header of the user alice with the password s3cret."""


def load(tmp_path, text="", environment=None, user="", headers=None):
    path = tmp_path / "http.yml"
    path.write_text(text)
    return load_http_settings(path, headers or {}, environment or {}, user=user, timeout=5.0)


def problems(tmp_path, text="", **others):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, **others)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("basic_auth: {username: alice, password: s3cret}", BASIC),
        ("basic_auth: {username: alice, password_file: secret}", BASIC),
        ("authorization: {credentials_file: secret}", "Bearer s3cret"),
        ("authorization: {type: Token, credentials: s3cret}", "Token s3cret"),
    ],
)
def test_credentials_of_the_file(tmp_path, text, expected):
    (tmp_path / "secret").write_text("s3cret\n")
    assert load(tmp_path, text).headers == {"Authorization": expected}


def test_credentials_of_the_environment():
    token = load_http_settings(None, {}, {"MONITOR_PROMETHEUS_TOKEN": "s3cret\n"}, user="", timeout=5.0)
    assert token.headers == {"Authorization": "Bearer s3cret"}
    basic = load_http_settings(None, {}, {"MONITOR_PROMETHEUS_PASSWORD": "s3cret"}, user="alice", timeout=5.0)
    assert basic.headers == {"Authorization": BASIC}


def test_tls_files_are_relative_to_the_file(tmp_path):
    settings = load(tmp_path, "tls_config: {ca_file: ca.pem, server_name: a, insecure_skip_verify: true}")
    assert (settings.ca_file, settings.server_name) == (str(tmp_path / "ca.pem"), "a")
    assert settings.insecure_skip_verify


def test_headers_of_the_command_line_replace_those_of_the_file(tmp_path):
    (tmp_path / "secret").write_text("s3cret")
    text = "http_headers: {X-A: {values: [a, b]}, X-B: {files: [secret]}, X-C: {secrets: [c]}}\nproxy_url: http://p:1"
    settings = load(tmp_path, text, headers={"X-C": "d"})
    assert settings.headers == {"X-A": "a, b", "X-B": "s3cret", "X-C": "d"}
    assert settings.proxy_url == "http://p:1"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("basic_auth: {username: a, password: s3cret, password_file: x}", "basic_auth.password"),
        ("authorization: {credentials_file: absent}", "authorization.credentials_file"),
        ("authorization: {credential: s3cret}", "did you mean 'credentials'"),
        ("tls_conf: {}", "did you mean 'tls_config'"),
        ("tls_config: [a]", "tls_config"),
        ("http_headers: {X: s3cret}", "http_headers.X"),
        ("http_headers: {X: {value: [s3cret]}}", "http_headers.X"),
        ('http_headers: {X: {values: ["s3cret\\n"]}}', "http_headers.X"),
        ("proxy_url: s3cret", "proxy_url"),
        ("- a", "must be a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_problem_names_the_key_and_no_secret(tmp_path, text, key):
    assert key in problems(tmp_path, text)


def test_credentials_stated_twice_or_incomplete_are_refused(tmp_path):
    text = "authorization: {credentials: s3cret}"
    assert "more than once" in problems(tmp_path, text, environment={"MONITOR_PROMETHEUS_TOKEN": "s3cret"})
    assert "MONITOR_PROMETHEUS_PASSWORD" in problems(tmp_path, user="alice")
    assert "MONITOR_PROMETHEUS_TOKEN" in problems(tmp_path, environment={"MONITOR_PROMETHEUS_TOKEN": "s3cret\nX: y"})


@pytest.mark.parametrize("text", ["X", "a b: c", "X: a\nY: b", ": c"])
def test_text_without_name_and_value_is_no_header(text):
    with pytest.raises(ValueError, match="not a header"):
        parse_header(text)


def test_header_has_name_and_value():
    assert parse_header("X-Scope-OrgID: team 1 ") == ("X-Scope-OrgID", "team 1")
