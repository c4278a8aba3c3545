"""Options for a server: URLs, headers, and combinations."""

import click
import pytest

from monitor.cli.prometheus_options import Header, Selector, Step, UrlOfServer
from monitor.sampling.history_sources.server_url import ServerUrl

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "base", "user"),
    [
        ("http://localhost:9090", "http://localhost:9090", ""),
        ("https://prom.example/prometheus/", "https://prom.example/prometheus", ""),
        ("http://prom:9090/api/v1", "http://prom:9090", ""),
        ("http://al%40ice@[::1]:9090", "http://[::1]:9090", "al@ice"),
    ],
)
def test_url_has_a_base_and_a_user(text, base, user):
    assert UrlOfServer().convert(text, None, None) == ServerUrl(base, user)


@pytest.mark.parametrize(
    "text",
    ["localhost:9090", "ftp://a", "http://", "http://a:x", "http://a:99999", "http://a/?b", "http://a/#b",
     "http://a b", "http://u:s3cret@a", "http://u:s3cret@a:x", "http://a\r\nX: s3cret"],
)  # fmt: skip
def test_invalid_url_is_refused_without_a_secret(text):
    with pytest.raises(click.BadParameter) as caught:
        UrlOfServer().convert(text, None, None)
    assert "s3cret" not in caught.value.format_message()


def test_header_with_credentials_is_refused_without_its_value():
    for text in ("Authorization: Bearer s3cret", "cookie: s3cret", "s3cret"):
        with pytest.raises(click.BadParameter) as caught:
            Header().convert(text, None, None)
        assert "s3cret" not in caught.value.format_message()
    assert Header().convert("X-Scope-OrgID: a", None, None) == ("X-Scope-OrgID", "a")


def test_selector_has_braces_and_step_whole_seconds():
    assert Selector().convert(' {a="b"} ', None, None) == '{a="b"}'
    assert Step().convert("1m", None, None) == 60.0
    for kind, text in ((Selector(), "a"), (Step(), "1.5s"), (Step(), "0s")):
        with pytest.raises(click.BadParameter):
            kind.convert(text, None, None)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--selector", "{}", "x.csv"),
        ("--since", "1d", "x.csv"),
        ("--header", "X-A: b", "x.csv"),
        ("--prometheus", "http://a", "x.csv"),
        ("--prometheus", "http://a", "--sadf", "x"),
        ("--prometheus", "http://a", "--map", "timestamp=x"),
        ("--train", "--dry-run", "x.csv"),
        ("--sadf", "-", "--sadf", "-"),
        ("-", "--sadf", "-"),
    ],
)
def test_options_that_exclude_each_other_are_a_usage_error(run, arguments):
    result = run("import", *arguments)
    assert (result.code, result.output) == (2, "")
