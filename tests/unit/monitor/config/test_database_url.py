"""Option storage.url: what it reads, and what its messages quote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.database_url import is_local_url, read_host, read_url
from monitor.system.redaction import redact_url

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("url", ["", "sqlite:////srv/m.db", "sqlite:///m.db", "sqlite:////srv/my data/ä@b.db"])
def test_url_of_a_path_is_read(url):
    assert read_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://monitor@db.example:5432/metrics",
        "postgresql+psycopg:///metrics?host=/run/postgresql&passfile=/etc/monitor/pgpass",
        "postgresql://db/metrics?host=a:5432&host=b:5432&target_session_attrs=read-write&sslmode=verify-full",
        "postgresql+psycopg://[::1]:5432/metrics",
    ],
)
def test_url_of_a_server_is_read(url):
    assert read_url(url) == url


@pytest.mark.parametrize(
    "value",
    [
        "postgresql+psycopg://monitor:hunter2@db/metrics",
        "postgresql+psycopg://db/metrics?password=hunter2",
        "postgresql+psycopg://db/metrics?options=hunter2",
        "postgresql+psycopg://db/",
        5,
        ["sqlite:////srv/hunter2.db"],
        "hunter2",
        "postgresql://u:hunter2@h/db",
        "postgresql://u:hun ter2" + "x" * 80 + "hunter2@h/db",
        "sqlite:///u:hunter2@h/m.db",
        "sqlite:////srv/m.db?timeout=hunter2",
        "sqlite:////srv/m.db#hunter2",
        "sqlite:////srv/m\0.db",
        "sqlite:////srv/m\ud800.db",
        "sqlite:////srv/" + "m" * 5000,
    ],
)
def test_other_value_is_refused_without_being_quoted(value):
    with pytest.raises(ValueError, match="sqlite:///") as caught:
        read_url(value)
    assert "hunter2" not in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.text())
def test_accepted_url_has_nothing_to_redact(text):
    try:
        url = read_url(f"sqlite:///{text}")
    except ValueError:
        return
    assert redact_url(url) == url


@pytest.mark.parametrize("name", ["", "web-1", "web_1.example.com", "0"])
def test_name_of_a_host_is_read(name):
    assert read_host(name) == name


@pytest.mark.parametrize("name", [5, "Web", "-web", "web 1", "w" * 56, 'x"'])
def test_other_name_of_a_host_is_refused(name):
    with pytest.raises(ValueError, match="a-z0-9"):
        read_host(name)


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("sqlite:////srv/m.db", True),
        ("postgresql+psycopg:///metrics", True),
        ("postgresql+psycopg://monitor@localhost:5432/metrics", True),
        ("postgresql+psycopg://[::1]/metrics", True),
        ("postgresql+psycopg:///metrics?host=/run/postgresql", True),
        ("postgresql+psycopg:///metrics?host=%2Frun%2Fpostgresql", True),
        ("postgresql+psycopg://monitor@db/metrics", False),
        ("postgresql+psycopg://localhost/metrics?host=db:5432", False),
        ("postgresql+psycopg:///metrics?host=127.0.0.1:1&host=db:5432", False),
    ],
)
def test_server_of_this_host_is_local(url, is_local):
    assert is_local_url(url) == is_local
