"""Section [notify]: what its channels read, reject and show."""

import re
import tomllib
from pathlib import Path

import pytest

from monitor.config.loader import read_config
from monitor.config.notify.channels import PRESETS, AppriseChannel, CommandChannel, EmailChannel, WebhookChannel
from monitor.config.reference import effective_values, to_toml

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[5]


def read(text):
    return read_config(tomllib.loads(text))


def test_examples_of_the_guide_are_valid_and_show_each_preset_and_kind():
    page = (ROOT / "docs" / "how-to" / "notifications.md").read_text()
    examples = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    channels = []
    for example in examples:
        config, problems = read(example)
        assert problems == [], example
        channels += [channel for _, channel in config.notify.channels]
    assert {channel.kind for channel in channels} == {"webhook", "command", "email", "apprise"}
    assert {channel.preset for channel in channels if channel.kind == "webhook"} == set(PRESETS)


@pytest.mark.parametrize(
    ("keys", "problems"),
    [
        ('url = "http://h/"', []),
        ('preset = "pagerduty"\nrouting_key_env = "KEY"', []),
        ('kind = "apprise"\nurl = "tgram://token/chat"', []),
        ("", ["url"]),
        ('url = "http://h/"\nurl_file = "f"', ["url_file"]),
        ('url = "http://user:SECRET@h/"', ["url"]),
        ('url = "https://h/?token=SECRET"', []),
        ('url = "SECRET"', ["url"]),
        ("url = 5", ["url"]),
        ('url_file = "https://h/SECRET"', ["url_file"]),
        ('url_env = "https://h/SECRET"', ["url_env"]),
        ('preset = "slak"\nurl_file = "f"', ["preset"]),
        ('preset = "pagerduty"', ["routing_key"]),
        ('url = "http://h/"\nauthorization_file = "a"\nauthorization_env = "B"', ["authorization_env"]),
        ('url = "http://h/"\ntimeout = "61s"', ["timeout"]),
        ('url = "http://h/"\nrate_limit = 0', ["rate_limit"]),
        ('url = "http://h/"\nevents = ["load"]', ["events"]),
        ('url = "http://h/"\nargv = ["x"]', ["argv"]),
        ('kind = "sms"', ["kind"]),
        ("kind = 3", ["kind"]),
        ('kind = "command"', ["argv"]),
        ('kind = "email"', ["host", "sender", "recipients"]),
        ('kind = "email"\nhost = "h"\nsender = "a@b"\nrecipients = ["c@d\\nBcc: x@y"]', ["recipients"]),
        ('kind = "email"\nhost = "h"\nsender = "a@b"\nrecipients = ["c@d"]\nuser = "u"', ["password"]),
        ('kind = "email"\nhost = "h"\nsender = "a@b"\nrecipients = ["c@d"]\npassword_env = "P"', ["user"]),
        ('kind = "apprise"', ["url"]),
    ],
)
def test_channel_reports_each_problem_with_its_key_and_no_secret(keys, problems):
    _, lines = read(f"[notify.channels.ops]\n{keys}\n")
    assert [line.partition(":")[0] for line in lines] == [f"notify.channels.ops.{key}" for key in problems]
    assert "SECRET" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[notify]\nchannels = 3", "notify.channels"),
        ("[notify.channels]\nops = 3", "notify.channels.ops"),
        ('[notify.channels."a b"]\nurl = "http://h/"', "notify.channels.'a b'"),
        ('[notify]\nexternal_url = "h"', "notify.external_url"),
        ('[notify]\nretry_for = "5s"', "notify.retry_for"),
    ],
)
def test_section_reports_an_invalid_value(text, path):
    _, (line,) = read(text)
    assert line.startswith(f"{path}: ")


def test_channels_are_written_back_without_their_secrets():
    text = """
        [notify.channels.slack]
        preset = "slack"
        url = "https://hooks.slack.com:8443/SECRET"
        [notify.channels.manager]
        preset = "alertmanager"
        url = "http://127.0.0.1:9093"
        [notify.channels.telegram]
        kind = "apprise"
        url = "tgram://SECRET/SECRET"
        [notify.channels.script]
        kind = "command"
        argv = ["a", "b c"]
    """
    config, problems = read(text)
    assert problems == []
    assert "SECRET" not in to_toml(config)
    assert "SECRET" not in str(effective_values(config))
    again, problems = read(to_toml(config))
    assert problems == []
    urls = {name: getattr(channel, "url", None) for name, channel in again.notify.channels}
    assert urls == {
        "slack": "https://hooks.slack.com:8443/***",
        "manager": "http://127.0.0.1:9093",
        "telegram": "tgram://***",
        "script": None,
    }
    assert dict(again.notify.channels)["script"] == dict(config.notify.channels)["script"]
    assert effective_values(config)["notify"]["channels"]["script"]["argv"] == ["a", "b c"]


@pytest.mark.parametrize(
    ("channel", "is_local"),
    [
        (WebhookChannel(url="http://127.0.0.1:9093"), True),
        (WebhookChannel(url="http://[::1]:9093/x"), True),
        (WebhookChannel(url="http://localhost/"), True),
        (WebhookChannel(url="http://10.0.0.1/"), False),
        (WebhookChannel(url_file="f"), False),
        (CommandChannel(argv=("a",)), False),
        (EmailChannel(host="localhost"), False),
        (AppriseChannel(url="json://localhost"), False),
    ],
)
def test_daemon_stays_local_only_with_receivers_on_this_host(channel, is_local):
    config, _ = read("")
    assert config.stays_local
    assert channel.is_local is is_local
