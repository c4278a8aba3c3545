"""Server URL: base and user, and URLs that are refused."""

import pytest

from monitor.sampling.history_sources.server_url import ServerUrl, parse_server_url

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "base", "user"),
    [
        ("http://localhost:9090", "http://localhost:9090", ""),
        ("http://mimir:8080/prometheus/", "http://mimir:8080/prometheus", ""),
        ("http://al%40ice@[::1]:9090/api/v1", "http://[::1]:9090", "al@ice"),
    ],
)
def test_parse_server_url_separates_base_and_user(text, base, user):
    assert parse_server_url(text) == ServerUrl(base, user)


@pytest.mark.parametrize("text", ["localhost:9090", "ftp://a", "http://", "http://a/?b", "http://u:s3cret@a"])
def test_parse_server_url_refuses_without_the_text(text):
    with pytest.raises(ValueError, match=r"must|URL") as caught:
        parse_server_url(text)
    assert "s3cret" not in str(caught.value)
