"""Source factory: sources of configurations, and problems with their keys."""

import tomllib

import pytest

from monitor.config.loader import load_config, read_config
from monitor.errors import ConfigError
from monitor.fleet.source.factory import create_source, source_problems

pytestmark = pytest.mark.unit

FLEET = '[source]\nkind = "prometheus"\nurl = "http://127.0.0.1:9090"\n'


def config_of(text):
    config, problems = read_config(tomllib.loads(text))
    assert problems == []
    return config


def test_source_has_the_keys_of_the_configuration():
    source = create_source(config_of(FLEET + 'step = "30s"\npreset = "telegraf"\nheaders = { X-Scope-OrgID = "a" }'))
    assert (source.step, "network_usage" in source.columns, source.client.url) == (
        30.0,
        False,
        "http://127.0.0.1:9090",
    )


def test_default_configuration_has_no_problems():
    assert source_problems(config_of("")) == ()
    assert list(source_problems(config_of(FLEET))) == []


def test_credentials_file_is_relative_to_the_configuration(tmp_path):
    (tmp_path / "config.toml").write_text(FLEET + 'http_config_file = "http.yml"\n')
    config = load_config(tmp_path / "config.toml")
    (problem,) = source_problems(config)
    assert str(tmp_path / "http.yml") in problem
    (tmp_path / "http.yml").write_text("tls_config: {ca_file: missing.pem}")
    (problem,) = source_problems(config)
    assert problem.startswith("source.http_config_file: ")
    assert "missing.pem" in problem
    (tmp_path / "http.yml").write_text(
        "authorization: {credentials: s3cret}\nbasic_auth: {username: a, password: s3cret}"
    )
    with pytest.raises(ConfigError) as caught:
        create_source(config)
    assert "s3cret" not in str(caught.value)


def test_rule_needs_a_field_of_the_preset():
    rules = "[high_load]\nrules = [{ load_per_cpu = 2 }]"
    (problem,) = source_problems(config_of(f'{FLEET}preset = "windows_exporter"\n{rules}'))
    assert problem.startswith("high_load.rules: load_per_cpu")
    own = "fields = { load_per_cpu = 'a{$selector}' }"
    assert list(source_problems(config_of(f'{FLEET}preset = "windows_exporter"\n{own}\n{rules}'))) == []


def test_password_of_a_user_in_the_url_is_in_the_environment():
    config = config_of(FLEET.replace("127", "alice@127"))
    with pytest.raises(ConfigError, match="MONITOR_PROMETHEUS_PASSWORD"):
        create_source(config, {})
    create_source(config, {"MONITOR_PROMETHEUS_PASSWORD": "s3cret"})
