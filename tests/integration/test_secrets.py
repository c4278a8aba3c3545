"""Secrets in the configuration never reach the output of a command."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.integration

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="*"), min_size=5).map(
    lambda text: f"7{text}q"
)

URLS = (
    "postgresql://u:{}@db:5432/m",
    "postgresql://{}@db/m",
    "postgresql://u:{}",
    "postgresql://db/m?user=u&password={}",
    "postgresql://db/m?sslkey={}&x=1",
    "sqlite:////srv/x.db?timeout={}",
    "sqlite:////srv/x.db#{}",
    "sqlite:////srv/u:{}@h/x.db",
    "host=db password={}",
    "{}",
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=SECRETS, url=st.sampled_from(URLS), key=st.sampled_from(("storage.url", "web.listen", "sampling.interval"))
)
def test_no_command_shows_a_secret_in_a_url(admin, secret, url, key):
    section, _, name = key.partition(".")
    if key != "storage.url" and "://" not in url:
        # Only the value of storage.url is known to be a URL.
        url = "postgresql://u:{}@db/m"
    admin.config.write_text(f"[{section}]\n{name} = {json.dumps(url.format(secret))}\n")
    for command in (("check-config",), ("check-config", "--json"), ("status",), ("run",)):
        code, out, err = admin("--log-format", "json", *command)
        assert code == 2
        for text in (out, err):
            assert secret not in text
            assert json.dumps(secret)[1:-1] not in text
            assert repr(secret)[1:-1] not in text


@pytest.mark.parametrize("url", URLS)
def test_doctor_shows_no_secret_in_a_url(admin, url):
    admin.config.write_text(f"[storage]\nurl = {json.dumps(url.format('hunter2 @ #%2'))}\n")
    _, out, err = admin("doctor", "--json")
    assert "hunter2" not in out + err
