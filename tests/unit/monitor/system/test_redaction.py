"""Credential redaction of URLs, and of texts that contain URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.system.redaction import redact_credentials, redact_url

pytestmark = pytest.mark.unit

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r*"), min_size=4).map(lambda text: f"5{text}x")
"""Passwords with all separators of a URL, unescaped."""

PLACES = (
    "postgresql://u:{}@db:5432/m",
    "postgresql://:{}@/m",
    "postgresql://{}@db/m",
    "{}://db/m",
    "postgresql://u:{}",
    "postgresql://db/m?password={}",
    "postgresql://db/m?a=1&sslkey={}&b=2",
    "sqlite:///u:{}@h/x.db?timeout={}",
    "sqlite:////srv/u:{}@h/x.db",
    "sqlite:////srv/x.db?{}",
    "sqlite:////srv/x.db?token={}",
    "sqlite:////srv/x.db#{}",
    "sqlite:////srv/x.db;sslpassword={}",
    "host=db password={}",
)


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("postgresql://u:se@cret@db:5432/m", "postgresql://***@db:5432/m"),
        ("postgresql://u:se cret@db/m", "postgresql://***@db/m"),
        ("postgresql://u:se/cr?et@db/m", "postgresql://***"),
        ("postgresql://u:secret", "postgresql://***"),
        ("postgresql://db/m?password=secret&x=1", "postgresql://db/m?***"),
        ("sqlite:////srv/my data/a@b.db", "sqlite:////srv/my data/a@b.db"),
        ("http://[::1]:10190/metrics", "http://[::1]:10190/metrics"),
        ("secret", "***"),
    ],
)
def test_redact_url_keeps_only_unambiguous_public_parts(url, redacted):
    assert redact_url(url) == redacted


@given(SECRETS, st.sampled_from(PLACES))
def test_redact_url_never_returns_a_secret(secret, place):
    shown = redact_url(place.format(secret, secret))
    assert secret not in shown
    # A secret in front of its last separator must not survive either.
    assert not any(len(part) > 3 and part in shown for part in secret.split("@")[:-1])


@given(
    SECRETS, st.sampled_from(PLACES[:2] + PLACES[5:7]), st.sampled_from(("{}", "cannot open '{}' now", "a\n{}\nb"))
)
def test_redact_credentials_never_returns_a_secret(secret, place, text):
    assert secret not in redact_credentials(text.format(place.format(secret)))


@pytest.mark.parametrize(
    "text", ["no URL, but key=value and a@b", "sqlite:////srv/a.db?mode=ro", "http://h:1/x?page=2"]
)
def test_redact_credentials_returns_other_texts_unchanged(text):
    assert redact_credentials(text) == text


def test_redact_credentials_is_idempotent():
    once = redact_credentials("cannot open 'x://u:a@b/?password=1': y")
    assert redact_credentials(once) == once
