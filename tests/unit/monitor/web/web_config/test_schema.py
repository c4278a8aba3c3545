"""Tests of monitor.web.web_config.schema."""

from dataclasses import fields
from pathlib import Path

import pytest

from monitor.config.section_codec import read_section
from monitor.web.web_config.loader import SECTIONS
from monitor.web.web_config.schema import (
    CONFIGURABLE_HEADERS,
    HttpSection,
    RateLimitSection,
    TlsSection,
    parse_users,
)

pytestmark = pytest.mark.unit

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
DOCS = Path(__file__).parents[5] / "docs"


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1.0), ("1m30s", 90.0), ("1.5h", 5400.0), ("250ms", 0.25), (0, 0.0), ("0", 0.0)]
)
def test_rate_limit_takes_durations_in_the_notation_of_go(text, seconds):
    section, problems = read_section(RateLimitSection, {"interval": text, "burst": 1}, "rate_limit")
    assert problems == []
    assert section.interval == pytest.approx(seconds)


def test_tls_translates_cipher_suites_and_curves_to_openssl():
    table = {
        "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"],
        "curve_preferences": ["CurveP256"],
    }
    section, problems = read_section(TlsSection, table, "tls_server_config")
    assert problems == []
    assert section.cipher_suites == ("ECDHE-RSA-AES128-GCM-SHA256",)
    assert section.curve_preferences == "prime256v1"


def test_http_drops_headers_without_a_value():
    headers = {"X-Frame-Options": "deny", "X-XSS-Protection": "0", "Strict-Transport-Security": None}
    section, problems = read_section(HttpSection, {"headers": headers}, "http_server_config")
    assert problems == []
    assert section.headers == (("X-Frame-Options", "deny"), ("X-XSS-Protection", "0"))


def test_parse_users_returns_the_hashes():
    assert parse_users({"alice": HASH}) == ({"alice": HASH.encode()}, [])
    assert parse_users(None) == ({}, [])


@pytest.mark.parametrize(
    "users",
    [
        ["alice"],
        {"alice": "plain"},
        {"alice": None},
        {7: HASH},
        {"a:b": HASH},
        {"alice": HASH.replace("$10$", "$31$")},
        {"alice": HASH.replace("$10$", "$\u0661\u0660$")},
        {"alice": HASH.replace(".zou", ".zov")},
        {"alice": HASH[:-1] + "H"},
    ],
)
def test_parse_users_returns_no_user_if_any_is_invalid(users):
    if isinstance(users, dict):
        users = {"zoe": HASH, **users}
    parsed, problems = parse_users(users)
    assert parsed == {}
    assert len(problems) == 1


def test_every_key_is_documented():
    keys = [field.name for section in (TlsSection, HttpSection, RateLimitSection) for field in fields(section)]
    pages = "\n".join(page.read_text() for page in DOCS.rglob("*.md"))
    missing = [key for key in (*SECTIONS, *keys, *CONFIGURABLE_HEADERS) if f"`{key}`" not in pages]
    assert missing == []
