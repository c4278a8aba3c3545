"""Option storage.url: what it reads, and what its messages quote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.database_url import read_url
from monitor.system.redaction import redact_url

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("url", ["", "sqlite:////srv/m.db", "sqlite:///m.db", "sqlite:////srv/my data/ä@b.db"])
def test_url_of_a_path_is_read(url):
    assert read_url(url) == url


@pytest.mark.parametrize(
    "value",
    [
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
